/** A kind of record whose values are sealed by the apps key. Each is declared beside the code that owns it. */

/** Converts values of one kind to bytes and back. */
export interface SealedCodec<T> {
  encode(value: T): Uint8Array
  /** @throws any error when the bytes are not a value */
  decode(bytes: Uint8Array): T
}

/** Bytes as they are. */
export const BYTES: SealedCodec<Uint8Array> = {
  encode: (value) => value,
  decode: (value) => value.slice(),
}

/** Reading records of a backup. It may be hostile. */
export interface SealedArrival<T> {
  /** Checks id and value. @returns null to refuse the whole backup */
  read(id: string, value: T): T | null
  /**
   * Called inside of a change, once the restored persona is here.
   * @param here the record that this device has under the same id
   * @returns the record to keep
   */
  merge(arrived: T, here: T | undefined): T
}

export interface SealedKind<T> {
  /** Lower-case letters; no other sealed kind has it. */
  readonly name: string
  readonly codec: SealedCodec<T>
  /** How its records come back from a backup; null for kinds that never leave this device. */
  readonly arrival: SealedArrival<T> | null
}

/** The kind under which arrived records wait (arrived.ts). */
export const ARRIVING = 'arriving'

/**
 * Declares a kind of sealed record. The ids are in the clear on disk, so no name and no content may stand in one; sizes show too.
 * Its records stay on this device, or go into backups beside the signing keys. A pairing never has them.
 * @param name 1..32 lower-case letters
 * @param codec values of at most MAX_SEALED_BYTES
 */
export function sealedKind<T>(
  name: string,
  codec: SealedCodec<T>,
  options?: { readonly travels: 'backup'; readonly arrival: SealedArrival<T> },
): SealedKind<T> {
  if (!/^[a-z]{1,32}$/.test(name) || name === ARRIVING)
    throw new Error(`${JSON.stringify(name)} is not a name for a sealed kind`)
  return { name, codec, arrival: options?.arrival ?? null }
}
