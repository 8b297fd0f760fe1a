/**
 * Looks up what devices show by short statuses that nothing here explains: each device once an hour, 32 at a time (docs/announce.md,
 * section 10). One lookup answers for all devices that show the same.
 */
import { findShort } from '../../core/announce/find-short.ts'
import { newestSighting } from '../../core/consent.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { Clock } from '../../process/pulse.ts'
import { isUnknown, shortOfRecord } from '../contacts/short.ts'
import { settleShort } from '../contacts/settle-short.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { ShortRecord } from '../state/short-record.ts'
import type { Dht, Traffic } from './dht.ts'
import { takeFound } from './found.ts'

const LOOKUP_MS = 3_600_000 // format: once an hour for each device (section 10)
const MAX_AT_ONCE = 32 // format: so many lookups at a time (section 10)

/** How looking a short status up went. */
export interface ShortNote {
  /** Values that nodes gave; null when the network failed. */
  readonly items: number | null
  /** The device counts as showing a table now. */
  readonly found: boolean
  readonly problem: string | null
}

export interface ShortLookupsOptions {
  readonly keeper: Keeper
  /** null if this daemon looks nobody up: then only the records here explain a short status. */
  readonly dht: Dht | null
  readonly traffic: Traffic
  readonly clock: Clock
}

export class ShortLookups {
  readonly #options: ShortLookupsOptions
  /** When each device that shows an unknown short status is due. A device that was looked up keeps its hour, whatever it shows. */
  readonly #due = new Map<string, number>()
  readonly #running = new Set<string>()
  #cancel: () => void = () => {}
  #isClosed = false

  constructor(options: ShortLookupsOptions) {
    this.#options = options
  }

  /** Finds the devices of earlier runs. */
  async start(): Promise<void> {
    const { keeper } = this.#options
    const found: string[] = []
    for await (const [key, record] of keeper.onDisk.shorts.iterate())
      if (isUnknown(record, keeper.onDisk)) found.push(key)
    const nowMs = this.#options.clock.nowMs()
    for (const key of found) if (!this.#due.has(key)) this.#due.set(key, nowMs)
    this.#schedule()
  }

  /** A device shows a short status that nothing here explains. */
  note(key: string): void {
    if (this.#isClosed) return
    if (!this.#due.has(key)) this.#due.set(key, this.#options.clock.nowMs())
    this.#schedule()
  }

  /** The devices that show an unknown short status. */
  get unknown(): string[] {
    return [...this.#due.keys()].filter((key) => this.#wanted(key) !== null)
  }

  /** A contact changed, so its table may explain what these devices show. */
  async settle(keys: readonly string[]): Promise<void> {
    const { keeper } = this.#options
    const concerned = keys.filter((key) => this.#isOpen(key))
    if (concerned.length === 0) return
    await keeper.change(() => concerned.forEach((key) => settleShort(key, null, keeper.own, keeper.state)))
  }

  /** Looks up what this device shows, now. @returns null if it shows no unknown short status */
  async lookUp(key: string): Promise<ShortNote | null> {
    const { keeper, dht, traffic, clock } = this.#options
    const record = this.#wanted(key)
    if (record === null || dht === null) return null
    const same = this.#showing(record)
    const dueMs = clock.nowMs() + LOOKUP_MS
    for (const one of same) this.#due.set(one, dueMs)
    try {
      const { items, best, values } = await findShort(
        shortOfRecord(record),
        async (wanted) => {
          const report = await dht.get(wanted)
          traffic.add(report)
          return report.values.map(({ signed }) => signed)
        },
        { engine: keeper.engine, deviceKeys: [] },
        keeper.nowSec,
      )
      await takeFound(items, keeper)
      const found = best === null ? [] : await this.#settleAs(best, same, record)
      return { items: values, found: found.includes(key), problem: null }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      return { items: null, found: false, problem: error.message }
    }
  }

  /** Whether the device shows a short status, and does not count as showing a table by it. */
  #isOpen(key: string): boolean {
    const { onDisk } = this.#options.keeper
    const record = onDisk.shorts.get(key)
    if (record === undefined) return false
    const shown = newestSighting(onDisk.devices.get(key)?.reports ?? [])
    return record.names === null || shown?.personaId !== record.names.personaId || !shown.lists
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  /** @returns the devices that count as showing a table now */
  async #settleAs(best: VerifiedBlob, keys: readonly string[], record: ShortRecord): Promise<string[]> {
    const { keeper } = this.#options
    return await keeper.change(() =>
      keys.filter((key) => {
        // It may show something else meanwhile.
        const now = keeper.state.records.shorts.get(key)
        return now !== undefined && isSame(now, record) && settleShort(key, best, keeper.own, keeper.state)
      }),
    )
  }

  /** The devices of the queue that show the same, this one among them. */
  #showing(record: ShortRecord): string[] {
    return [...this.#due.keys()].filter((key) => {
      const other = this.#wanted(key)
      return other !== null && isSame(other, record)
    })
  }

  /** The short status to look up for a device; null if there is none, or if the owner blocked who shows it. */
  #wanted(key: string): ShortRecord | null {
    const { onDisk } = this.#options.keeper
    const record = onDisk.shorts.get(key)
    if (record === undefined || !isUnknown(record, onDisk)) return null
    const device = onDisk.devices.get(key)
    const holder = device?.bound == null ? undefined : onDisk.personas.get(device.bound)
    return device?.entry?.blocked === true || holder?.entry?.blocked === true ? null : record
  }

  #schedule(): void {
    this.#cancel()
    if (this.#isClosed || this.#options.dht === null || this.#running.size >= MAX_AT_ONCE) return
    const { clock } = this.#options
    const waiting = [...this.#due].filter(([key]) => !this.#running.has(key))
    if (waiting.length === 0) return
    const nextMs = Math.min(...waiting.map(([, dueMs]) => dueMs))
    this.#cancel = clock.after(Math.max(0, nextMs - clock.nowMs()), () => this.#runDue())
  }

  #runDue(): void {
    const nowMs = this.#options.clock.nowMs()
    for (const [key, dueMs] of this.#due) {
      if (this.#running.size >= MAX_AT_ONCE) break
      if (dueMs > nowMs || this.#running.has(key) || this.#due.get(key)! > nowMs) continue
      if (this.#wanted(key) === null) this.#due.delete(key)
      else void this.#run(key)
    }
    this.#schedule()
  }

  async #run(key: string): Promise<void> {
    this.#running.add(key)
    // A store that fails stops the daemon by itself.
    await this.lookUp(key).catch(() => null)
    this.#running.delete(key)
    this.#schedule()
  }
}

function isSame(a: ShortRecord, b: ShortRecord): boolean {
  return a.signingKey === b.signingKey && a.readingKey === b.readingKey
}
