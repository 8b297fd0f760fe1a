/**
 * One end of a channel at work. Everything that it does is a turn: steps of the channel, one commit, and only then posts, events and answers.
 * Work that comes meanwhile waits for the next turn and shares its commit. A turn that changed nothing that must be on disk makes no commit.
 */
import type { Channel } from '../../../channel/exchange/channel.ts'
import { receive } from '../../../channel/exchange/receive.ts'
import { flush } from '../../../channel/exchange/send.ts'
import { postAgain, repeatNow } from '../../../channel/exchange/repeat.ts'
import { markBroken, peerRetired } from '../../../channel/exchange/life.ts'
import { DirectEnd } from '../../../channel/direct/direct-end.ts'
import { takenOf, type Taken } from '../../../channel/direct/traffic.ts'
import type { JsonObject } from '../../../core/encoding/canonical-json.ts'
import type { ChannelView } from '../../../ipc/methods/channel-values.ts'
import { describeError } from '../../../process/describe-error.ts'
import { TurnQueue, type Input } from '../../../channel/carriers/turn-queue.ts'
import { changeOf } from './change.ts'
import type { Means } from './means.ts'
import { noteEvents, noteTexts } from './end-events.ts'
import type { EndState } from './end-state.ts'
import { KeptState } from './kept-state.ts'
import type { Loadable, Loaded } from './loaded.ts'
import { Outbound } from '../../../channel/carriers/outbound.ts'
import { stateOf, summaryOf, type Summary } from './summary.ts'
import { takeContents } from './take-contents.ts'
import { Turn } from './turn.ts'

/** Contents of apps in one turn. */
const MAX_CONTENTS_BYTES: number = 2 << 20 // sanity: a commit has 8 MiB, and frames take up to 5 of them

export interface EndHooks {
  /** The summary is another one: its times, its lines or its state. */
  changed(end: End): void
}

export class End implements Loadable {
  readonly id: string
  readonly app: string
  readonly #means: Means
  readonly #loaded: Loaded
  readonly #hooks: EndHooks
  readonly #outbound: Outbound
  readonly #kept: KeptState
  #summary: Summary
  readonly #direct: DirectEnd | null
  readonly #turns = new TurnQueue<Turn>({
    turn: (batch) => this.#turn(batch),
    maxBytes: MAX_CONTENTS_BYTES,
    closed: () => new Error('the daemon closes'),
  })
  /** Events of turns without a commit, on their way. */
  #telling: Promise<unknown> = Promise.resolve()

  /** @param state as it is on disk */
  constructor(id: string, app: string, state: EndState, parts: { means: Means; loaded: Loaded; hooks: EndHooks }) {
    this.id = id
    this.app = app
    this.#means = parts.means
    this.#loaded = parts.loaded
    this.#hooks = parts.hooks
    this.#kept = new KeptState(id, parts.means, () => this.#writeLate())
    this.#summary = summaryOf(id, state)
    const { direct } = parts.means
    this.#direct =
      direct === null || !state.isDirect
        ? null
        : new DirectEnd(state.channel.role, direct, {
            channel: () => this.peek().channel,
            take: (frame) => this.#take(frame),
            later: (work) => this.#later((turn) => turn.step(work(turn.channel, turn.nowMs))),
            changed: () => this.#tellWay(),
          })
    this.#outbound = new Outbound(parts.means, {
      onUsed: (address) => void this.#later((turn) => turn.step(peerRetired(turn.channel, address))),
      onBack: () =>
        void this.#later((turn) => turn.step(repeatNow(turn.channel, turn.nowMs, this.#means.keeper.engine))),
    })
  }

  /** Whether frames go by the direct way now; null if the channel has none. */
  get direct(): ChannelView['direct'] {
    if (this.#direct === null) return null
    return this.#direct.phase === 'open' ? 'open' : 'closed'
  }

  get summary(): Summary {
    return this.#summary
  }

  /** Why data cannot be left at some intake of the peer at present; null if it can. */
  get problem(): string | null {
    return this.#outbound.problem
  }

  /** Why data cannot be left anywhere for the peer at present; null if it can. */
  get obstacle(): string | null {
    return this.#outbound.obstacle
  }

  /** M1 of the guest has an offer of the direct way. */
  takeFirstOffer(members: JsonObject): void {
    this.#direct?.takeFirstOffer(members)
  }

  get costBytes(): number {
    return this.#kept.costBytes
  }

  /**
   * Does something in the next turn that has room for it.
   * @param contentBytes what it writes for an app
   * @returns its result, once all is on disk that a crash must not take back @throws its error; the other work goes on
   */
  run<Result>(work: (turn: Turn) => Result, contentBytes: number = 0): Promise<Awaited<Result>> {
    return this.#turns.run(work, contentBytes)
  }

  /** Does something without an answer. A failure is logged; the channel or its carrier repeats. */
  async #later(work: (turn: Turn) => unknown): Promise<void> {
    await this.run(work).catch((error: unknown) => this.#failed(error))
  }

  async #take(frame: Uint8Array): Promise<Taken> {
    let taken: Taken = 'new'
    await this.#later((turn) => {
      const before = turn.channel
      turn.step(receive(before, frame, false, turn.nowMs, this.#means.keeper.engine))
      taken = takenOf(before, turn.channel)
    })
    return taken
  }

  #failed(error: unknown): void {
    this.#means.log.debug('channel.turn', describeError(error))
  }

  /** A change that has waited long enough gets a commit of its own. */
  #writeLate(): void {
    void this.#later((turn) => turn.alongside.push(() => {}))
  }

  /** Posts what the first turn of a new channel has to post. */
  post(channel: Channel, posts: readonly Uint8Array[]): void {
    this.#outbound.post(this.#summary.line, channel.peerAt, posts)
  }

  /** A carrier was away, or has lost what lay there. */
  leaveAgain(): void {
    this.#outbound.retry()
    void this.#later((turn) => turn.step(postAgain(turn.channel, turn.nowMs)))
  }

  /** The state as it is on disk, or newer by what a crash may take back. @throws as loadEnd */
  peek(): EndState {
    const state = this.#kept.read()
    if (!this.#turns.isBusy) {
      this.#kept.keep(state)
      this.#loaded.touch(this)
    }
    return state
  }

  unload(): boolean {
    if (this.#turns.isBusy) return false
    if (this.#kept.isLate) {
      this.#writeLate()
      return false
    }
    this.#kept.forget()
    return true
  }

  /** Resolves once no turn runs, and nothing is on its way to the peer. */
  async idle(): Promise<void> {
    await this.#turns.idle()
    await this.#telling
    await this.#outbound.idle()
  }

  /** Ends all work, and writes what waits for a commit. */
  async close(): Promise<void> {
    await this.stop()
    await this.#kept.writeLate().catch((error: unknown) => this.#failed(error))
  }

  /** Ends all work of an end that is erased: what waits for a commit is not written. */
  async stop(): Promise<void> {
    const over = this.#turns.close()
    this.#outbound.close()
    this.#direct?.close()
    this.#loaded.forget(this)
    this.#kept.cancel()
    await over
    await this.#telling
  }

  async #turn(batch: readonly Input<Turn>[]): Promise<void> {
    const before = this.#kept.read()
    const turn = new Turn(before, this.#means.nowMs)
    const answers = batch.map(({ work, resolve, reject }) => {
      try {
        const result = work(turn) as never
        return () => resolve(result)
      } catch (error) {
        return () => reject(error)
      }
    })
    takeContents(turn, this, this.#means)
    turn.step(flush(turn.channel, turn.nowMs, this.#means.keeper.engine))
    noteEvents(turn, before, this.#means.cards)
    noteTexts(turn, this, this.#means)
    const summary = summaryOf(this.id, turn.state, this.#summary)
    await this.#keep(turn, before, stateOf(before) === summary.state ? null : summary)
    this.#noteSummary(turn, summary)
    this.#loaded.touch(this)
    this.post(turn.channel, this.#direct?.afterTurn(turn) ?? turn.posts)
    this.#settle(before, turn)
    if (turn.events.some(({ event }) => event === 'peerMoved')) this.#outbound.leaveAllBut(turn.channel.peerAt)
    for (const run of turn.afterwards) run()
    for (const answer of answers) answer()
  }

  /** Writes the turn, or keeps it for the next commit. @param changed the summary, if the channel is in another state */
  async #keep(turn: Turn, before: EndState, changed: Summary | null): Promise<void> {
    const { state: after, parts } = turn
    const change = changeOf(before, after)
    if (change === 'now' || turn.alongside.length > 0) {
      const alongside = (): void => {
        for (const write of turn.alongside) write()
        this.#tell(turn, changed)
      }
      return await this.#kept.write(before, { after, parts, alongside })
    }
    if (change === 'later') this.#kept.keepForLater(before, after)
    else this.#kept.keep(after)
    if (turn.events.some(({ event }) => event === 'delivered')) this.#tellAlone(() => this.#tell(turn, changed))
  }

  /** Emits events in a change of their own. */
  #tellAlone(tell: () => void): void {
    this.#telling = this.#means.keeper.change(tell).catch((error: unknown) => this.#failed(error))
  }

  #tellWay(): void {
    const { id, app } = this
    const direct = this.direct!
    this.#tellAlone(() => this.#means.keeper.state.emit({ event: 'channel.way', data: { id, app, direct } }))
  }

  /** The place of the invite is left out: what other guests need lies there, too. */
  #settle(before: EndState, { channel, state, posts }: Turn): void {
    if (channel.window === before.channel.window && posts.length === 0) return
    const { current, next } = state.places
    const own = next === null ? [current] : [current, next]
    this.#outbound.settle(
      { ...this.#summary.line, own },
      [channel.greeting, ...channel.window].flatMap((each) => each?.data ?? []),
    )
  }

  /** Inside of a change. @param changed the summary, if the channel is in another state */
  #tell(turn: Turn, changed: Summary | null): void {
    const { id, app } = this
    const { state } = this.#means.keeper
    const numbers = turn.events.flatMap((each) => (each.event === 'content' ? [each.number] : []))
    const delivered = turn.events.flatMap((each) => (each.event === 'delivered' ? [each.upTo] : []))
    if (numbers.length > 0) state.emit({ event: 'channel.content', data: { id, app, number: Math.max(...numbers) } })
    if (delivered.length > 0)
      state.emit({ event: 'channel.delivered', data: { id, app, upTo: Math.max(...delivered) } })
    if (changed !== null) this.#means.tellChanged(id, app, changed.state, changed.reason)
  }

  #noteSummary(turn: Turn, after: Summary): void {
    const before = this.#summary
    this.#summary = after
    const areLinesOther = turn.events.some(
      ({ event }) => event === 'peerMoved' || event === 'retire' || event === 'met',
    )
    if (areLinesOther) this.#means.linesChanged()
    if (before.dueMs !== after.dueMs || before.state !== after.state) this.#hooks.changed(this)
  }

  /** The state was written by another store: it was restored or copied, and must not send. */
  breakRestored(): Promise<void> {
    return this.run((turn) => {
      turn.step(markBroken(turn.channel, 'RESTORED', turn.nowMs, this.#means.keeper.engine))
      turn.set({ store: this.#means.store })
    })
  }
}
