/** Argument checks of both engines. They run before a library throws its own error or reads past a buffer. */
import type { PasswordCost } from './engine.ts'
import { CryptoError } from './errors.ts'

export const MIN_ARGON2_MEMORY_BYTES: number = 8 * 1024 // format: Argon2 needs 8 blocks of 1 KiB per lane (RFC 9106, section 3.1)
const MAX_ARGON2_PASSES = 0xffff_ffff // format: u32 in RFC 9106
const MAX_ARGON2_MEMORY_BYTES = 0xffff_ffff // sanity: what a 32-bit libsodium can address; sealing.ts allows far less

/** @throws {CryptoError} ARGUMENT_LENGTH */
export function checkLength(what: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new CryptoError('ARGUMENT_LENGTH', `${what} has ${bytes.length} bytes; it must have ${length}`)
  }
}

/** @throws {CryptoError} ARGON2_COST */
export function checkCost(cost: PasswordCost): void {
  const { passes, memoryBytes } = cost
  const passesFit = Number.isInteger(passes) && passes >= 1 && passes <= MAX_ARGON2_PASSES
  const memoryFits =
    Number.isInteger(memoryBytes) && memoryBytes >= MIN_ARGON2_MEMORY_BYTES && memoryBytes <= MAX_ARGON2_MEMORY_BYTES
  if (passesFit && memoryFits) return
  throw new CryptoError(
    'ARGON2_COST',
    `Argon2id is not defined for ${passes} passes over ${memoryBytes} bytes of memory`,
  )
}
