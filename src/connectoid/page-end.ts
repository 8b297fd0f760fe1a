/**
 * One peer of a page at work. Everything that it does is a turn: steps of its handshake and channel, one commit, and only then posts and news for
 * the page. Work that comes meanwhile waits for the next turn and shares its commit.
 */
import { ownIntakes, type Line, type OwnIntake, type Watched } from '../channel/carriers/carrier.ts'
import type { CarryMeans } from '../channel/carriers/carry-means.ts'
import { Inbound } from '../channel/carriers/inbound.ts'
import { Outbound } from '../channel/carriers/outbound.ts'
import { DirectEnd } from '../channel/direct/direct-end.ts'
import type { Taken } from '../channel/direct/traffic.ts'
import { flush } from '../channel/exchange/send.ts'
import { formatConnectoid, parseConnectoids } from '../channel/invite/address.ts'
import { formatBase64url } from '../core/encoding/bytes.ts'
import { portableBoxes } from '../crypto/portable-boxes.ts'
import { TurnQueue, type Input } from '../channel/carriers/turn-queue.ts'
import { ConnectoidError } from './errors.ts'
import { contentsIn, wholeUpTo, type Received } from './contents.ts'
import { dueMs, repeatAtOnce, ring, takeData, takeFrame, takeUsed } from './meeting.ts'
import type { PageMeans } from './page-means.ts'
import { formatRecord, type PagePlace, type PeerRecord } from './record.ts'
import { Turn } from './turn.ts'

type Work = (turn: Turn) => unknown

export interface EndHooks {
  /** Something that the page shows, or a time, or an intake may be another one. */
  changed(end: PageEnd): void
}

export class PageEnd {
  readonly id: string
  readonly #means: PageMeans
  readonly #hooks: EndHooks
  readonly #outbound: Outbound
  readonly #inbound: Inbound
  /** Null if the page does not allow it, and before there is a channel. */
  #direct: DirectEnd | null = null
  #record: PeerRecord
  readonly #turns = new TurnQueue<Turn>({
    turn: (batch) => this.#turn(batch),
    closed: () => new ConnectoidError('CLOSED', 'the library is closed', { hint: 'open it again' }),
  })

  constructor(id: string, record: PeerRecord, means: PageMeans, hooks: EndHooks) {
    this.id = id
    this.#record = record
    this.#means = means
    this.#hooks = hooks
    const carry: CarryMeans = {
      ways: means.ways,
      clock: means.clock,
      noteFailure: () => hooks.changed(this),
    }
    this.#outbound = new Outbound(carry, {
      onUsed: (address) => void this.later((turn) => takeUsed(turn, address)),
      onBack: () => void this.later(repeatAtOnce),
    })
    this.#inbound = new Inbound(carry, {
      line: () => (this.#turns.isClosed ? null : this.#line(null)),
      sources: () =>
        this.#intakes().map((intake) => ({
          intake,
          after: this.#cursor(intake),
        })),
      take: (source, arrivals) =>
        this.run(async (turn) => {
          for (const { data } of arrivals) await takeData(turn, data, source.intake.place, this.#means)
          const { cursor } = arrivals.at(-1)!
          turn.set({
            cursors: {
              ...turn.record.cursors,
              [cursorKey(source.intake)]: cursor,
            },
          })
        }),
    })
  }

  get record(): PeerRecord {
    return this.#record
  }

  /** Whether what is sent cannot be left anywhere at present. */
  get isOffline(): boolean {
    return this.#outbound.problem !== null && !this.isDirect
  }

  /** Whether frames go by the direct way. */
  get isDirect(): boolean {
    return this.#direct?.phase === 'open'
  }

  /** When it has something to do by itself, in unix milliseconds; null for never. */
  get dueMs(): number | null {
    return dueMs(this.#record)
  }

  watched(): Watched[] {
    const line = this.#line(null)
    return this.#intakes().map((own) => ({ line, own }))
  }

  /** Something may have come. */
  wake(): void {
    this.#inbound.wake()
  }

  /** The network may be back. */
  retry(): void {
    this.#outbound.retry()
  }

  /** Does something in the next turn. @returns its result, once the turn is on disk @throws its error; other work goes on */
  run<Result>(work: (turn: Turn) => Result): Promise<Awaited<Result>> {
    return this.#turns.run(work)
  }

  /** Does something whose failure does no harm: the channel or its carrier repeats. */
  async later(work: Work): Promise<void> {
    await this.run(work).catch(() => this.#hooks.changed(this))
  }

  /** The time of the end has come. @throws {CarrierError} while a relay is away */
  async tick(): Promise<void> {
    await this.run(async (turn) => await ring(turn, this.#means))
    const { host, invitePlace, isLinkClosed } = this.#record
    if (host !== null && host.claim !== null && !isLinkClosed) {
      await this.#closeBoxes(invitePlace!)
      await this.run((turn) => turn.set({ isLinkClosed: true }))
    }
    for (const place of this.#record.left) await this.#leave(place)
  }

  /** Whether there are contents that the page has not taken. */
  get hasContents(): boolean {
    return wholeUpTo(this.#record) > this.#record.taken
  }

  /** Contents that the page has not taken, in order. */
  contents(): Promise<Received[]> {
    return contentsIn(this.id, this.#record, this.#means.disk)
  }

  async close(): Promise<void> {
    const over = this.#turns.close()
    this.#outbound.close()
    this.#direct?.close()
    await over
    await this.#inbound.close()
  }

  async #turn(batch: readonly Input<Turn>[]): Promise<void> {
    const before = this.#record
    const turn = new Turn(this.id, before, this.#means.clock.nowMs())
    const answers: (() => void)[] = []
    for (const { work, resolve, reject } of batch) {
      try {
        const result = (await work(turn)) as never
        answers.push(() => resolve(result))
      } catch (error) {
        answers.push(() => reject(error))
      }
    }
    turn.withChannel((channel) => flush(channel, turn.nowMs, portableBoxes))
    if (turn.record !== before) {
      turn.writes.push({
        put: ['peer', this.id],
        bytes: formatRecord(turn.record),
      })
      await this.#means.disk.commit(this.id, turn.writes)
    }
    this.#record = turn.record
    this.#post(turn)
    for (const answer of answers) answer()
    this.#hooks.changed(this)
  }

  #post(turn: Turn): void {
    const rest = this.#postDirectly(turn)
    for (const { to, data } of turn.posts) {
      const posts = rest === null ? data : data.filter((each) => rest.has(each))
      this.#outbound.post(this.#line(to), to, posts)
    }
  }

  /** @returns what goes by relays; null for all */
  #postDirectly({ record: { channel }, posts, events, isHeard, firstOffer }: Turn): ReadonlySet<Uint8Array> | null {
    const { direct } = this.#means
    if (direct === null || channel === null) return null
    this.#direct ??= new DirectEnd(channel.role, direct, {
      channel: () => this.#record.channel!,
      take: (frame) => this.#take(frame),
      later: (work) => this.later((turn) => turn.withChannel((each) => work(each, turn.nowMs))),
      changed: () => this.#hooks.changed(this),
    })
    const rest = this.#direct.afterTurn({ channel, posts: posts.flatMap(({ data }) => data), events, isHeard })
    if (firstOffer !== null) this.#direct.takeFirstOffer(firstOffer)
    return new Set(rest)
  }

  async #take(frame: Uint8Array): Promise<Taken> {
    let taken: Taken = 'new'
    await this.later((turn) => (taken = takeFrame(turn, frame, false)))
    return taken
  }

  #line(to: readonly string[] | null): Line {
    const { invitePlace, current, next } = this.#record
    const own = [current, next, invitePlace].filter((place) => place !== null)
    return {
      id: this.id,
      own,
      peer: to === null ? null : parseConnectoids(to),
    }
  }

  #intakes(): OwnIntake[] {
    return ownIntakes(this.#line(null))
  }

  /** Reads a place that the end has left once more, closes its boxes to senders, and forgets it. */
  async #leave(place: PagePlace): Promise<void> {
    const line: Line = { id: this.id, own: [place], peer: null }
    for (const intake of this.#record.channel?.phase === 'open' ? ownIntakes(line) : []) {
      const arrivals = (await this.#means.ways.of(intake.url)?.receive(line, intake, this.#cursor(intake))) ?? []
      await this.run(async (turn) => {
        for (const { data } of arrivals) await takeData(turn, data, place, this.#means)
      })
    }
    await this.#closeBoxes(place)
    await this.run((turn) => {
      const pub = formatBase64url(place.address.pub)
      turn.removePair(place)
      turn.set({
        left: turn.record.left.filter((each) => each !== place),
        cursors: Object.fromEntries(Object.entries(turn.record.cursors).filter(([key]) => !key.startsWith(`${pub}.`))),
      })
    })
  }

  async #closeBoxes(place: PagePlace): Promise<void> {
    const line: Line = { id: this.id, own: [place], peer: null }
    for (const intake of ownIntakes(line)) await this.#means.ways.of(intake.url)?.retire(line, intake)
  }

  #cursor(intake: OwnIntake): string {
    return this.#record.cursors[cursorKey(intake)] ?? ''
  }
}

function cursorKey({ place, url, ext }: OwnIntake): string {
  return formatConnectoid(place.address.pub, { url, ext })
}
