/**
 * Sealed records that travel in a backup, beside the signing keys (docs/backup.md, section 3). Arrived ones wait as sealed records of the
 * kind `arriving` until the restored persona is on disk. Crash before that: the next opening of the apps key discards them. Crash after it:
 * the next opening takes them.
 *
 *     for each record: length of the kind u8, kind, length of the id u16, id, length of the value u32, value
 */
import { concatBytes, decodeUtf8, encodeUtf8, readU32, u32be } from '../../core/encoding/bytes.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { IMPORT } from '../state/local-records.ts'
import type { AppsKey } from './apps-key.ts'
import { ARRIVING, type SealedKind } from './sealed-kind.ts'
import { MAX_SEALED_BYTES } from './records.ts'

const MAX_ID_BYTES = 256 // sanity: it must fit into a key of the store together with two names

interface Entry {
  readonly kind: string
  readonly id: string
  readonly value: Uint8Array
}

export class ArrivedRecords {
  readonly #keeper: Keeper
  readonly #key: AppsKey
  readonly #kinds: readonly SealedKind<unknown>[]

  /** @param kinds all sealed kinds, of all wings */
  constructor(keeper: Keeper, key: AppsKey, kinds: readonly SealedKind<unknown>[]) {
    this.#keeper = keeper
    this.#key = key
    this.#kinds = kinds.filter(({ arrival }) => arrival !== null)
  }

  /** The records that go into a backup; none while the apps key is closed, which `doctor` reports. The caller wipes them. @throws {StoreError} */
  async collect(): Promise<Uint8Array> {
    const entries: Uint8Array[] = []
    for (const { name: kind } of this.#kinds) {
      for await (const [name, sealed] of this.#keeper.onDisk.sealed.iterate({ prefix: `${kind}/` })) {
        const value = this.#key.isOpen ? this.#key.ring().open(name, sealed) : null
        if (value !== null) entries.push(formatEntry({ kind, id: name.slice(kind.length + 1), value }))
      }
    }
    const all = concatBytes(...entries)
    for (const entry of entries) entry.fill(0)
    return all
  }

  /** Checks the records of a backup. @param bytes as of {@link collect}, perhaps hostile; kept until the end of `keep` */
  read(bytes: Uint8Array): { keep: () => Promise<void> } | 'damaged' | 'unknown' {
    const entries: Entry[] = []
    const names = new Set<string>()
    for (let at = 0; at < bytes.length;) {
      const read = readEntry(bytes, at)
      if (read === null) return 'damaged'
      const { entry, end } = read
      const kind = this.#kinds.find(({ name }) => name === entry.kind)
      if (kind === undefined) return 'unknown'
      if (names.has(nameOf(entry)) || this.#checked(kind, entry) === null) return 'damaged'
      names.add(nameOf(entry))
      entries.push(entry)
      at = end
    }
    return { keep: () => this.#keep(entries) }
  }

  /** Takes the records that wait, if the persona is here; else discards them, unless a restore is under way. @throws {StoreError} */
  async take(): Promise<void> {
    if (!this.#key.isOpen) return
    const names: string[] = []
    for await (const [name] of this.#keeper.onDisk.sealed.iterate({ prefix: `${ARRIVING}/` })) names.push(name)
    if (names.length === 0) return
    await this.#keeper.change(() => {
      const { records } = this.#keeper.state
      if (records.imports.get(IMPORT) !== undefined) return
      const hasPersona = this.#keeper.state.own() !== undefined
      for (const name of names) {
        if (hasPersona) this.#merge(name)
        this.#keeper.state.stage(records.sealed.remove(name))
      }
    })
  }

  async #keep(entries: readonly Entry[]): Promise<void> {
    const { state } = this.#keeper
    const old: string[] = []
    for await (const [name] of this.#keeper.onDisk.sealed.iterate({ prefix: `${ARRIVING}/` })) old.push(name)
    // Not change(): it is called while keys are in turn.
    await this.#keeper.changeKeys(() => {
      for (const name of old) state.stage(state.records.sealed.remove(name))
      for (const entry of entries) this.#put(`${ARRIVING}/${nameOf(entry)}`, entry.value)
    })
  }

  /** Inside of a change. */
  #merge(waiting: string): void {
    const { sealed } = this.#keeper.state.records
    const ring = this.#key.ring()
    const name = waiting.slice(ARRIVING.length + 1)
    const kind = this.#kinds.find((one) => name.startsWith(`${one.name}/`))
    const [arrived, here] = [sealed.get(waiting), sealed.get(name)]
    const value = arrived === undefined ? null : ring.open(waiting, arrived)
    if (kind === undefined || value === null) return
    const opened = here === undefined ? null : ring.open(name, here)
    const merged = kind.arrival!.merge(
      kind.codec.decode(value),
      opened === null ? undefined : kind.codec.decode(opened),
    )
    this.#put(name, kind.codec.encode(merged))
  }

  #put(name: string, value: Uint8Array): void {
    const { state } = this.#keeper
    state.stage(state.records.sealed.put(name, this.#key.ring().seal(name, value)))
  }

  #checked({ codec, arrival }: SealedKind<unknown>, { id, value }: Entry): unknown {
    try {
      return arrival!.read(id, codec.decode(value))
    } catch {
      return null
    }
  }
}

function nameOf({ kind, id }: Entry): string {
  return `${kind}/${id}`
}

function formatEntry({ kind, id, value }: Entry): Uint8Array {
  const [kindBytes, idBytes] = [encodeUtf8(kind), encodeUtf8(id)]
  const head = Uint8Array.of(kindBytes.length)
  const idHead = Uint8Array.of(idBytes.length >> 8, idBytes.length & 0xff)
  return concatBytes(head, kindBytes, idHead, idBytes, u32be(value.length), value)
}

/** @returns null if no whole entry begins there */
function readEntry(bytes: Uint8Array, start: number): { entry: Entry; end: number } | null {
  const idHead = start + 1 + bytes[start]!
  if (idHead + 2 > bytes.length) return null
  const idLength = bytes[idHead]! * 256 + bytes[idHead + 1]!
  const valueHead = idHead + 2 + idLength
  if (valueHead + 4 > bytes.length) return null
  const end = valueHead + 4 + readU32(bytes, valueHead)
  const kind = decodeUtf8(bytes.subarray(start + 1, idHead))
  const id = decodeUtf8(bytes.subarray(idHead + 2, valueHead))
  if (end > bytes.length || end - valueHead - 4 > MAX_SEALED_BYTES || kind === null || id === null) return null
  const isId = idLength > 0 && idLength <= MAX_ID_BYTES && id.isWellFormed() && !id.includes('\u{10FFFF}')
  return isId ? { entry: { kind, id, value: bytes.subarray(valueHead + 4, end) }, end } : null
}
