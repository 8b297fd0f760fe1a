/** A kind of record in the store. Each kind is declared beside the code that owns it, with whether its records leave this device. */
import { jsonCodec, type Codec } from '../../store/store.ts'

/** Why a snapshot is made. `sibling` is a pairing: the snapshot goes to another device of the owner. */
export type Purpose = 'backup' | 'sibling'

/** The snapshots that hold records of a kind. */
export type Travels = Purpose | 'always' | 'never'

export interface Kind<T> {
  /** Lower-case letters. The keys of its records begin with it. */
  readonly name: string
  readonly travels: Travels
  readonly codec: Codec<T>
  /** Whether readers keep decoded records in memory, because they read the same ones again and again. */
  readonly isCached: boolean
  /** How records that arrive in a snapshot are read; null for kinds that never arrive, and for those of snapshot/shape.ts. */
  readonly arrival: Arrival<T> | null
}

/** Reading records of a snapshot, which may be hostile. */
export interface Arrival<T> {
  /** Checks every field. @returns null to refuse the whole snapshot */
  read(id: string, value: unknown): T | null
  /**
   * @param here the record that this device has under the same id
   * @returns the record to keep
   */
  merge(arrived: T, here: T | undefined): T
}

interface Options<T> {
  /** Fields that records of an earlier version lack. */
  readonly defaults?: Partial<NoInfer<T>>
  readonly isCached?: boolean
}

/** Declares a kind of a wing. A kind that travels must define how its records arrive. */
export function kind<T>(
  name: string,
  options: Options<T> &
    ({ readonly travels: 'never' } | { readonly travels: Exclude<Travels, 'never'>; readonly arrival: Arrival<T> }),
): Kind<T> {
  return { ...baseKind(name, options.travels, options), arrival: 'arrival' in options ? options.arrival : null }
}

/** Declares a kind of the daemon itself whose values are bytes. It stays on this device. */
export function bytesKind(name: string): Kind<Uint8Array> {
  const codec: Codec<Uint8Array> = { version: 1, encode: (value) => value, decode: (bytes) => bytes }
  return { name, travels: 'never', codec, isCached: false, arrival: null }
}

/** Declares a kind of the daemon itself. If it travels, snapshot/shape.ts reads its records. */
export function baseKind<T>(name: string, travels: Travels, { defaults, isCached = false }: Options<T> = {}): Kind<T> {
  // The store detects changed bytes, so every record that it reads is one that we wrote.
  const codec = jsonCodec(1, (value) => ({ ...defaults, ...(value as T) }))
  return { name, travels, codec, isCached, arrival: null }
}
