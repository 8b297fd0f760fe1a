/**
 * The file of the apps key: two slots of 4096 bytes, each empty or with one key. A daily change writes the new key into the empty slot and
 * overwrites the other one once no record needs it. Both happen in the place of the old bytes, so that the old key is gone from the disk as far
 * as the medium allows. A slot that a crash left half written does not open, and nothing needs its key: no record is sealed by a key
 * before its slot is on disk, and no slot is overwritten before its last record is sealed by the other key.
 *
 *     0   1  how the key is sealed: 0 empty, 1 unsealed, 2 by the credential of the service, 3 by the secret in the secrets file
 *     1   2  length of the next, u16
 *     3      the key as a sealed file (crypto/seal.ts), then zeros
 *
 * Its content: version 0x01, 8 bytes of id, number u32, time of drawing u64, key 32 bytes.
 */
import { readU32 } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { CryptoError } from '../../crypto/errors.ts'
import { copySecret, seal, unseal, type Sealing } from '../../crypto/seal.ts'
import type { DurableFs } from '../../durable/file.ts'
import { overwriteDurably, type OverwriteFs } from '../../durable/overwrite.ts'
import { storeErrorOf } from '../../store/errors.ts'
import { readSecretsFile, writeSecretsFile } from '../../store/secrets-file.ts'

export const SLOTS = 2 // format: the key in use, and the one that takes its place
export const SLOT_BYTES = 4096 // format: a block of most disks, so that a torn write of one slot leaves the other
export const KEY_ID_BYTES = 8 // format: names the key in each record; 64 random bits do not meet within the days of a life
const KEY_BYTES = 32 // format: XSalsa20-Poly1305
const VERSION = 1
const HEAD_BYTES = 3
const CONTENT_BYTES = 1 + KEY_ID_BYTES + 4 + 8 + KEY_BYTES
const SEALERS = ['unsealed', 'credential', 'secrets'] as const

/** The means that seals the key in its slot. */
export type Sealer = (typeof SEALERS)[number]

export interface StoredKey {
  readonly id: Uint8Array
  /** The key with the highest number seals; the others only open. */
  readonly number: number
  readonly madeSec: number
  /** In secret memory. */
  readonly key: Uint8Array
}

/** A slot as it is on disk. */
export type Slot =
  | { readonly state: 'empty' | 'damaged' }
  | { readonly state: 'sealed'; readonly sealer: Sealer; readonly file: Uint8Array }

/** The system calls that change the file, so that a test can make each of them fail. */
export type KeyFileFs = DurableFs & OverwriteFs

/** @returns a new key with a number and a time */
export function drawKey(number: number, madeSec: number, engine: CryptoEngine): StoredKey {
  const drawn = engine.randomBytes(KEY_BYTES)
  const key = copySecret(drawn, engine)
  engine.wipe(drawn)
  return { id: engine.randomBytes(KEY_ID_BYTES), number, madeSec, key }
}

/**
 * Reads the slots. The caller wipes them, because an unsealed one is the secret itself.
 * @returns null if there is no file
 * @throws {StoreError} SECRETS_* | STORE_IO
 */
export async function readSlots(path: string): Promise<Slot[] | null> {
  const file = await readSecretsFile(path)
  if (file === null) return null
  if (file.length !== SLOTS * SLOT_BYTES) return Array.from({ length: SLOTS }, () => ({ state: 'damaged' }))
  return Array.from({ length: SLOTS }, (_, i) => parseSlot(file.subarray(i * SLOT_BYTES, (i + 1) * SLOT_BYTES)))
}

function parseSlot(slot: Uint8Array): Slot {
  const length = slot[1]! * 256 + slot[2]!
  if (slot[0] === 0) return { state: 'empty' }
  const sealer = SEALERS[slot[0]! - 1]
  if (sealer === undefined || length > SLOT_BYTES - HEAD_BYTES) return { state: 'damaged' }
  return { state: 'sealed', sealer, file: slot.subarray(HEAD_BYTES, HEAD_BYTES + length) }
}

/** Opens the key of a slot. @returns null if this sealing does not open it */
export function openSlot(file: Uint8Array, sealing: Sealing, engine: CryptoEngine): StoredKey | null {
  let content: Uint8Array
  try {
    content = unseal(file, sealing, engine)
  } catch (error) {
    if (error instanceof CryptoError) return null
    throw error
  }
  try {
    if (content.length !== CONTENT_BYTES || content[0] !== VERSION) return null
    const id = content.slice(1, 1 + KEY_ID_BYTES)
    const at = 1 + KEY_ID_BYTES
    const madeSec = readU32(content, at + 4) * 2 ** 32 + readU32(content, at + 8)
    return { id, number: readU32(content, at), madeSec, key: copySecret(content.subarray(-KEY_BYTES), engine) }
  } finally {
    engine.wipe(content)
  }
}

/** A slot with a key. The caller wipes it. */
export function sealSlot(stored: StoredKey, sealer: Sealer, sealing: Sealing, engine: CryptoEngine): Uint8Array {
  const content = engine.secret(CONTENT_BYTES)
  const view = new DataView(content.buffer, content.byteOffset, content.length)
  content[0] = VERSION
  content.set(stored.id, 1)
  view.setUint32(1 + KEY_ID_BYTES, stored.number)
  view.setBigUint64(1 + KEY_ID_BYTES + 4, BigInt(stored.madeSec))
  content.set(stored.key, CONTENT_BYTES - KEY_BYTES)
  const file = seal(content, sealing, engine)
  const slot = new Uint8Array(SLOT_BYTES)
  slot[0] = SEALERS.indexOf(sealer) + 1
  slot[1] = file.length >> 8
  slot[2] = file.length & 0xff
  slot.set(file, HEAD_BYTES)
  for (const spent of [content, file]) engine.wipe(spent)
  return slot
}

/**
 * Makes the file, or replaces it as a whole.
 * @param slots by their place; a missing one is empty
 * @throws {StoreError} STORE_DISK_FULL if nothing changed | STORE_IO if it may have
 */
export async function writeSlots(path: string, slots: readonly (Uint8Array | null)[], fs?: KeyFileFs): Promise<void> {
  const file = new Uint8Array(SLOTS * SLOT_BYTES)
  for (const [i, slot] of slots.entries()) if (slot !== null) file.set(slot, i * SLOT_BYTES)
  try {
    await writeSecretsFile(path, file, fs)
  } finally {
    file.fill(0)
  }
}

/**
 * Overwrites one slot in its place.
 * @param slot null empties it
 * @throws {StoreError} the slot is then old, new or mixed
 */
export async function writeSlot(path: string, place: number, slot: Uint8Array | null, fs?: KeyFileFs): Promise<void> {
  try {
    await overwriteDurably(path, place * SLOT_BYTES, slot ?? new Uint8Array(SLOT_BYTES), fs)
  } catch (cause) {
    throw storeErrorOf(cause, 'write', path)
  }
}
