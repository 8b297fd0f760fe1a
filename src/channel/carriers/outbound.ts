/** Leaves the data of an end at the intakes of its peer, each intake in its own order and at its own pace. */
import { equalBytes } from '../../core/encoding/bytes.ts'
import { parseConnectoid } from '../invite/address.ts'
import type { Line } from './carrier.ts'
import type { CarryMeans } from './carry-means.ts'
import { CarrierError } from './errors.ts'

const MAX_WAITING = 192 // sanity: three windows; what is dropped is posted again by the channel
/** Intakes at a time. A peer who names ever new ones would else fill the memory, and take all calls of the network from the others. */
export const MAX_LANES = 16 // sanity: the 4 intakes of an end before and after a move, and of two guests that came late
/** Calls of one peer's intakes at a time. Under a name with a wildcard each of them is another host, and the shares of hosts do not count. */
export const MAX_AT_WORK = 4 // sanity: the intakes of one address, and a sixteenth of the calls of personad-net
const FIRST_RETRY_MS = 2_000 // sanity: a relay that starts again
const MAX_RETRY_MS: number = 5 * 60_000 // sanity: a relay that was away for a day is found within minutes

interface Job {
  readonly line: Line
  readonly data: Uint8Array
}

interface Lane {
  readonly jobs: Job[]
  isBusy: boolean
  retryMs: number
  cancel: (() => void) | null
}

export interface Outcomes {
  /** The peer has retired this intake. @param address its connectoid value */
  onUsed(address: string): void
  /** An intake takes data again after it did not. */
  onBack(): void
}

export class Outbound {
  readonly #means: CarryMeans
  readonly #outcomes: Outcomes
  /** By connectoid value. */
  readonly #lanes = new Map<string, Lane>()
  readonly #running = new Set<Promise<void>>()
  #atWork = 0
  #isClosed = false
  #unsettled: { readonly line: Line; readonly inFlight: readonly Uint8Array[] } | null = null
  #isSettling = false
  /** The data in flight at the last settling that this end has left at carriers; null while it may be anything, as after a start. */
  #lying: Uint8Array[] | null = null
  /** Why the last try at some intake failed; null once one works and none waits. */
  problem: string | null = null
  /** Intakes that took the last data. By connectoid value. */
  readonly #taking = new Set<string>()

  constructor(means: CarryMeans, outcomes: Outcomes) {
    this.#means = means
    this.#outcomes = outcomes
  }

  /** Why nothing can be left for the peer at present; null while some intake takes data. */
  get obstacle(): string | null {
    return this.#taking.size > 0 ? null : this.problem
  }

  /** @param addresses connectoid values of the peer */
  post(line: Line, addresses: readonly string[], posts: readonly Uint8Array[]): void {
    if (this.#isClosed || posts.length === 0) return
    this.#lying?.push(...posts)
    for (const address of addresses) {
      const lane = this.#lane(address)
      // The channel, or the guest, repeats.
      if (lane === null) continue
      for (const data of posts) {
        if (lane.jobs.some((job) => isSame(job.data, data))) continue
        lane.jobs.push({ line, data })
        if (lane.jobs.length > MAX_WAITING) lane.jobs.splice(lane.isBusy ? 1 : 0, 1)
      }
    }
    this.#beginNext()
  }

  /**
   * Lets the carriers of own places clear away what is no longer in flight, after what is being posted. Where all that they had was cleared away,
   * they are not asked again: the frames of a direct way never lay there.
   * @param inFlight all data that the end still repeats
   */
  settle(line: Line, inFlight: readonly Uint8Array[]): void {
    const lying = this.#lying
    if (lying?.length === 0) return
    this.#lying = inFlight.filter((data) => lying === null || lying.some((each) => isSame(each, data)))
    this.#unsettled = { line, inFlight }
    this.#beginSettling()
  }

  #beginSettling(): void {
    if (this.#isClosed || this.#isSettling || this.#unsettled === null) return
    if ([...this.#lanes.values()].some(({ isBusy }) => isBusy)) return
    this.#isSettling = true
    const run = this.#settle().finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  async #settle(): Promise<void> {
    for (let next = this.#unsettled; next !== null && !this.#isClosed; next = this.#unsettled) {
      this.#unsettled = null
      const { line, inFlight } = next
      const urls = line.own.flatMap(({ address }) => address.where.map(({ url }) => url))
      for (const carrier of new Set(urls.map((url) => this.#means.ways.of(url)))) {
        try {
          await carrier?.settled(line, inFlight)
        } catch (error) {
          // Files that stay there are cleared away the next time.
          this.#lying = null
          this.#means.noteFailure('channel.settled', error)
        }
      }
    }
    this.#isSettling = false
  }

  /** Gives up intakes that take nothing, unless the peer still receives there. Data that waited for them is posted again. */
  leaveAllBut(addresses: readonly string[]): void {
    for (const address of this.#taking) if (!addresses.includes(address)) this.#taking.delete(address)
    const left = [...this.#lanes].filter(([address, lane]) => lane.cancel !== null && !addresses.includes(address))
    if (left.length === 0) return
    for (const [address, lane] of left) this.#drop(address, lane)
    this.#outcomes.onBack()
  }

  /** Tries again now whatever waits for its next try: the network may be back. */
  retry(): void {
    for (const lane of this.#lanes.values()) {
      if (lane.cancel === null) continue
      lane.cancel()
      lane.cancel = null
    }
    this.#beginNext()
  }

  /** Resolves once nothing is on its way; a try that is made later does not count. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** As many lanes as may be at work go on. */
  #beginNext(): void {
    for (const [address, lane] of this.#lanes) {
      if (this.#atWork >= MAX_AT_WORK || this.#isClosed) return
      if (!lane.isBusy && lane.cancel === null) this.#begin(address, lane)
    }
  }

  #begin(address: string, lane: Lane): void {
    const run = this.#run(address, lane).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  close(): void {
    this.#isClosed = true
    for (const lane of this.#lanes.values()) lane.cancel?.()
    this.#lanes.clear()
  }

  /** @returns null if there are too many, and all of them are at work */
  #lane(address: string): Lane | null {
    const known = this.#lanes.get(address)
    if (known !== undefined) return known
    if (this.#lanes.size >= MAX_LANES) {
      const waiting = [...this.#lanes].find(([, { cancel }]) => cancel !== null)
      if (waiting === undefined) return null
      this.#drop(...waiting)
    }
    const lane: Lane = { jobs: [], isBusy: false, retryMs: 0, cancel: null }
    this.#lanes.set(address, lane)
    return lane
  }

  /** Forgets an intake that waits for its next try. */
  #drop(address: string, lane: Lane): void {
    lane.cancel?.()
    this.#lanes.delete(address)
    this.#noteProblem()
  }

  /** Another intake may still fail. */
  #noteProblem(): void {
    if (![...this.#lanes.values()].some(({ retryMs }) => retryMs > 0)) this.problem = null
  }

  async #run(address: string, lane: Lane): Promise<void> {
    const { intake } = parseConnectoid(address)
    const carrier = this.#means.ways.of(intake.url)
    lane.isBusy = true
    this.#atWork++
    try {
      // Without a carrier, a later version has it: other intakes of the same address may work.
      if (carrier === null) lane.jobs.length = 0
      for (let job = lane.jobs[0]; job !== undefined && !this.#isClosed; job = lane.jobs[0]) {
        const { line, data } = job
        const answer = await carrier!.send(line, intake, data)
        lane.jobs.shift()
        if (answer === 'left') this.#taking.add(address)
        if (lane.retryMs > 0) this.#back(lane)
        else this.#noteProblem()
        if (answer === 'used') this.#outcomes.onUsed(address)
      }
    } catch (error) {
      this.#failed(address, lane, error)
    } finally {
      lane.isBusy = false
      this.#atWork--
      if (lane.jobs.length === 0) this.#lanes.delete(address)
      this.#beginNext()
      this.#beginSettling()
    }
  }

  #back(lane: Lane): void {
    lane.retryMs = 0
    this.#noteProblem()
    this.#outcomes.onBack()
  }

  #failed(address: string, lane: Lane, error: unknown): void {
    this.#taking.delete(address)
    this.problem = error instanceof CarrierError ? error.code : 'CARRIER_AWAY'
    this.#means.noteFailure('channel.send', error)
    if (error instanceof CarrierError && !error.passes) {
      lane.jobs.length = 0
      return
    }
    if (this.#isClosed) return
    lane.retryMs = Math.min(MAX_RETRY_MS, Math.max(FIRST_RETRY_MS, 2 * lane.retryMs))
    const wish = error instanceof CarrierError ? (error.retryAfterMs ?? 0) : 0
    lane.cancel = this.#means.clock.after(Math.max(wish, lane.retryMs), () => {
      lane.cancel = null
      this.#beginNext()
    })
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || equalBytes(a, b)
}
