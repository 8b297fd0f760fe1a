/** Collects what was found of each record, and decides which version of it counts: the newest that verifies. */
import { decodeUtf8 } from '../../core/encoding/bytes.ts'
import { MARK_KEY } from '../commit-mark.ts'
import { StoreError } from '../errors.ts'
import { decodeRecord } from '../record.ts'

/** One write to LevelDB, as it stands in a table or a log. */
export interface Found {
  readonly key: Uint8Array
  /** LevelDB's number of the write. */
  readonly sequence: number
  /** The record with its checksum; null if the write removed it. */
  readonly record: Uint8Array | null
}

/** Bytes that could not be read, and what was in them. */
export interface Damage {
  readonly file: string
  /** Offset in the file. */
  readonly at: number
  /** The key of the record that is there; null if not even the key can be read, or if there may be several records. */
  readonly key: string | null
}

interface Version {
  readonly sequence: number
  readonly value: Uint8Array | null
}

/** The outcome for one key whose newest version is damaged. */
export interface Lost {
  readonly key: string
  /** An older version was found instead. */
  readonly isOlder: boolean
}

export class Versions {
  /** From bytes whose checksum is right. */
  readonly #sure = new Map<string, Version>()
  /** From damaged bytes: the record's own checksum is right, but nothing covers the number of its write. */
  readonly #unsure = new Map<string, Version>()
  readonly #damaged = new Map<string, number>()
  readonly damage: Damage[] = []
  /** The number of the newest write in bytes whose checksum is right. */
  lastSequence = 0

  /**
   * @param isSure the bytes around the record have a right checksum
   * @returns whether the record verifies; if not, its damage is noted
   * @throws {StoreError} STORE_SCHEMA_NEWER
   */
  add(found: Found, isSure: boolean, file: string, at: number): boolean {
    if (isSure) this.lastSequence = Math.max(this.lastSequence, found.sequence)
    const key = decodeUtf8(found.key)
    const value = key === null ? undefined : valueOf(key, found.record)
    if (key === null || value === undefined) {
      this.damage.push({ file, at, key })
      if (key !== null) this.#damaged.set(key, Math.max(this.#damaged.get(key) ?? 0, found.sequence))
      return false
    }
    const versions = isSure ? this.#sure : this.#unsure
    const before = versions.get(key)
    if (before === undefined || before.sequence <= found.sequence) versions.set(key, { ...found, value })
    return true
  }

  /**
   * Notes bytes whose checksum is wrong, after their records were added. The damage may be in something that no record covers: the number of
   * a write, the mark of a removal, or a key, so that it is taken for another. Then a record is missing, or an older version wins, and
   * nothing else shows it.
   */
  noteUnsure(file: string, at: number): void {
    this.damage.push({ file, at, key: null })
  }

  /** The newest version of each record, and the records that were damaged. Call it once all files were read. */
  newest(): { readonly records: Map<string, Uint8Array>; readonly lost: readonly Lost[] } {
    const chosen = new Map(this.#sure)
    const lost: Lost[] = []
    for (const [key, version] of this.#unsure) {
      const before = chosen.get(key)
      const isPossible = version.sequence <= this.lastSequence
      if (before === undefined || (isPossible && version.sequence > before.sequence)) chosen.set(key, version)
      // The number of this write is damaged, so nothing shows which of the two is newer.
      else if (!isPossible) lost.push({ key, isOlder: true })
    }
    for (const [key, sequence] of this.#damaged) {
      const version = chosen.get(key)
      if (version === undefined) lost.push({ key, isOlder: false })
      else if (version.sequence < sequence) lost.push({ key, isOlder: true })
    }
    const records = new Map<string, Uint8Array>()
    for (const [key, { value }] of chosen) if (value !== null && key !== MARK_KEY) records.set(key, value)
    return { records, lost: lost.filter(({ key }) => key !== MARK_KEY) }
  }

  /** The value of the newest commit mark that was found so far; null without one, or if a newer one is damaged. */
  mark(): Uint8Array | null {
    const found = this.#sure.get(MARK_KEY)
    return found === undefined || (this.#damaged.get(MARK_KEY) ?? 0) > found.sequence ? null : found.value
  }
}

/** Whether this is a record that its own checksum covers. @throws {StoreError} STORE_SCHEMA_NEWER */
export function verifies({ key, record }: Omit<Found, 'sequence'>): boolean {
  const text = decodeUtf8(key)
  return text !== null && record !== null && valueOf(text, record) !== undefined
}

/** @returns null for a removed record; undefined if it does not verify */
function valueOf(key: string, record: Uint8Array | null): Uint8Array | null | undefined {
  if (record === null) return null
  try {
    return decodeRecord(key, record)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_CORRUPT') return undefined
    throw error
  }
}
