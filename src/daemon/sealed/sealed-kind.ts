/** A kind of record whose values are sealed by the apps key. Each is declared beside the code that owns it. */

/** Converts values of one kind to bytes and back. */
export interface SealedCodec<T> {
  encode(value: T): Uint8Array
  /** @throws any error when the bytes are not a value */
  decode(bytes: Uint8Array): T
}

export interface SealedKind<T> {
  /** Lower-case letters; no other sealed kind has it. */
  readonly name: string
  readonly codec: SealedCodec<T>
}

/**
 * Declares a kind of sealed record. The ids are in the clear on disk, so no name and no content may stand in one; sizes show too.
 * Its records never leave this device.
 * @param name lower-case letters
 * @param codec values of at most MAX_SEALED_BYTES
 */
export function sealedKind<T>(name: string, codec: SealedCodec<T>): SealedKind<T> {
  if (!/^[a-z]+$/.test(name)) throw new Error(`${JSON.stringify(name)} is not a name for a sealed kind`)
  return { name, codec }
}
