/** Reads what came by the intakes of a line, one after another, until nothing comes. */
import { formatConnectoid } from '../invite/address.ts'
import type { Arrival, Carrier, Line, OwnIntake } from './carrier.ts'
import type { CarryMeans } from './carry-means.ts'

const CLEARING_MS = 5_000 // sanity: one call for what comes within seconds; a box holds 128
const RETRY_MS = 60_000 // sanity: a full disk, a folder that is away; news wake it sooner

/** An own intake to read. */
export interface Source {
  readonly intake: OwnIntake
  /** The cursor up to which everything was taken. */
  readonly after: string
}

export interface Receiver {
  /** Where to read now. */
  line(): Line | null
  sources(): readonly Source[]
  /** Takes arrivals of one source, in order. On return all of them is on disk that the peer would not send again. */
  take(source: Source, arrivals: readonly Arrival[]): Promise<void>
}

interface Uncleared {
  readonly carrier: Carrier
  readonly intake: OwnIntake
  readonly cursor: string
}

export class Inbound {
  readonly #means: CarryMeans
  readonly #receiver: Receiver
  #hasNews = false
  #isReading = false
  #isClosed = false
  #cancel: () => void = () => {}
  /** How far carriers may forget, once nobody waits for that. By connectoid value. */
  readonly #uncleared = new Map<string, Uncleared>()
  #cancelClearing: (() => void) | null = null
  #idle: Promise<void> = Promise.resolve()
  #taking: Promise<void> = Promise.resolve()

  constructor(means: CarryMeans, receiver: Receiver) {
    this.#means = means
    this.#receiver = receiver
  }

  /** Something may have come. */
  wake(): void {
    this.#hasNews = true
    if (this.#isReading || this.#isClosed) return
    this.#isReading = true
    this.#idle = this.#read()
  }

  idle(): Promise<void> {
    return this.#idle
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    this.#cancelClearing?.()
    // A carrier may take long to answer; what it gives then is not taken.
    await this.#taking
  }

  async #read(): Promise<void> {
    this.#cancel()
    while (this.#hasNews && !this.#isClosed) {
      this.#hasNews = false
      for (const source of this.#receiver.sources()) {
        const carrier = this.#means.ways.of(source.intake.url)
        if (carrier === null) continue
        try {
          await this.#readAll(carrier, source)
        } catch (error) {
          this.#means.noteFailure('channel.receive', error)
          this.#cancel()
          if (!this.#isClosed) this.#cancel = this.#means.clock.after(RETRY_MS, () => this.wake())
        }
      }
    }
    this.#isReading = false
  }

  async #readAll(carrier: Carrier, source: Source): Promise<void> {
    let after = source.after
    for (;;) {
      const line = this.#receiver.line()
      if (line === null || this.#isClosed) return
      const arrivals = await carrier.receive(line, source.intake, after)
      if (this.#isClosed) return
      const last = arrivals.at(-1)
      if (last === undefined) {
        if (after !== source.after) this.#clearLater(carrier, source.intake, after)
        return
      }
      const taking = this.#receiver.take(source, arrivals)
      this.#taking = taking.catch(() => {})
      await taking
      after = last.cursor
    }
  }

  #clearLater(carrier: Carrier, intake: OwnIntake, cursor: string): void {
    this.#uncleared.set(formatConnectoid(intake.place.address.pub, intake), { carrier, intake, cursor })
    this.#cancelClearing ??= this.#means.clock.after(CLEARING_MS, () => {
      this.#cancelClearing = null
      void this.#clear()
    })
  }

  async #clear(): Promise<void> {
    const line = this.#receiver.line()
    if (line === null) return
    for (const [address, { carrier, intake, cursor }] of this.#uncleared) {
      this.#uncleared.delete(address)
      // Data that stays there ends by itself, or goes with the next reading.
      await carrier
        .processed(line, intake, cursor)
        .catch((error: unknown) => this.#means.noteFailure('channel.processed', error))
    }
  }
}
