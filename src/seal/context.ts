/** Sender and reader of a seal share these: the means to seal or open further texts, and secrets made from the seal (RFC 9180, section 5). */
import { isLowOrderU } from '../core/curve/x25519.ts'
import type { BoxKey } from './box-key.ts'
import { SealError } from './errors.ts'
import type { BoxKeyPair } from './key-pair.ts'
import { labelBytes, type SealLabel } from './labels.ts'
import { CIPHER_SUITES, coded, importPublicKey } from './suite.ts'

/** A secret that both sides already have: nobody else can seal to the key, or open. */
export interface PreSharedKey {
  /** 32 bytes. */
  readonly psk: Uint8Array
  /** A public name of the secret, not empty. */
  readonly pskId: Uint8Array
}

export interface SealContext {
  /** The one-time key of the sender: 32 bytes (X25519) or 97 (P-384). */
  readonly enc: Uint8Array
  /** Seals the next text. @returns 16 bytes more than the text */
  seal(aad: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array>
  /** A secret that the reader gets too. @param lengthBytes 1..8160 (X25519) or 1..12240 (P-384) */
  export(label: SealLabel, lengthBytes: number): Promise<Uint8Array>
}

export interface OpenContext {
  /** Opens the next text, in the order in which they were sealed. @throws {SealError} SEAL_CLOSED */
  open(aad: Uint8Array, sealed: Uint8Array): Promise<Uint8Array>
  export(label: SealLabel, lengthBytes: number): Promise<Uint8Array>
}

const PSK_BYTES = 32 // format: all secrets of ours have it, and RFC 9180 asks for as much (section 9.5)

/**
 * Begins to seal to a key for one purpose.
 * @throws {SealError} BOX_KEY_POINT | SEAL_PSK | SEAL_UNSUPPORTED
 */
export async function beginSeal(
  to: BoxKey,
  label: SealLabel,
  shared: PreSharedKey | null = null,
): Promise<SealContext> {
  const options = { info: labelBytes(label), ...checkedPsk(shared) }
  const publicKey = await importPublicKey(to)
  const { encapsulatedSecret, ctx } = await coded(
    'BOX_KEY_POINT',
    'nothing can be sealed to the key',
    CIPHER_SUITES[to.suite].SetupSender(publicKey, options),
  )
  return {
    enc: encapsulatedSecret,
    seal: async (aad, plaintext) => await ctx.Seal(plaintext, aad),
    export: async (exported, lengthBytes) => await ctx.Export(labelBytes(exported), lengthBytes),
  }
}

/**
 * Begins to open what was sealed to a pair for one purpose.
 * @param enc the one-time key of the sender
 * @throws {SealError} SEAL_POINT | SEAL_PSK | SEAL_UNSUPPORTED
 */
export async function beginOpen(
  pair: BoxKeyPair,
  enc: Uint8Array,
  label: SealLabel,
  shared: PreSharedKey | null = null,
): Promise<OpenContext> {
  const options = { info: labelBytes(label), ...checkedPsk(shared) }
  // With such a key the shared secret is zero for every reader. WebCrypto should refuse it too; we do not depend on that.
  const { suite } = pair.key
  if (suite === 'x25519' && enc.length === 32 && isLowOrderU(enc)) {
    throw new SealError('SEAL_POINT', 'the one-time key of the sender is of low order')
  }
  const ctx = await coded(
    'SEAL_POINT',
    'the one-time key of the sender is not a key of the suite',
    CIPHER_SUITES[suite].SetupRecipient(pair.keys, enc, options),
  )
  return {
    open: async (aad, sealed) => await coded('SEAL_CLOSED', 'the seal does not open', ctx.Open(sealed, aad)),
    export: async (exported, lengthBytes) => await ctx.Export(labelBytes(exported), lengthBytes),
  }
}

/** The library takes an empty secret as none, and so would seal without it. */
function checkedPsk(shared: PreSharedKey | null): Partial<PreSharedKey> {
  if (shared === null) return {}
  if (shared.psk.length !== PSK_BYTES) {
    throw new SealError('SEAL_PSK', `the pre-shared key has ${shared.psk.length} bytes, and needs ${PSK_BYTES}`)
  }
  if (shared.pskId.length === 0) throw new SealError('SEAL_PSK', 'the pre-shared key has no name')
  return shared
}
