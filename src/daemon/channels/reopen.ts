/**
 * A channel that cannot go on is opened anew by an invite that travels as a message: between two personas, where both have inboxes for the app. What
 * the peer has not acknowledged is sent again by the new channel (docs/channel.md, section 10).
 */
import { InviteError } from '../../channel/invite/errors.ts'
import { parseInvite } from '../../channel/invite/invite-text.ts'
import { wordsCompared } from '../../channel/exchange/life.ts'
import { formatHex, parseHex } from '../../core/encoding/bytes.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import { Serial } from '../../process/serial.ts'
import { OWN } from '../state/own-record.ts'
import type { Letter, Letters } from '../wing/letters.ts'
import { eraseChannel } from './closed.ts'
import { pieceId, pieceOffsets } from './ends/end-state.ts'
import type { End } from './ends/end.ts'
import type { Means } from './ends/means.ts'
import { CHANNEL, type ChannelRecord } from './records/channel-record.ts'
import { numbered } from '../sealed/numbered.ts'
import { OUT, PIECE } from './records/kinds.ts'
import { REOPENING, type ReopeningRecord } from './records/reopening.ts'
import type { Runner } from './runner.ts'
import { sendContent } from './send.ts'

const WAIT_SEC: number = 7 * 86_400 // format: docs/channel.md, section 2: an invite lives no longer

export class Reopening {
  readonly #runner: Runner
  readonly #letters: Letters
  readonly #serial = new Serial()

  constructor(runner: Runner, letters: Letters) {
    this.#runner = runner
    this.#letters = letters
  }

  /** Goes on with what was begun, and invites the peers of all other channels that cannot go on. Once the channels are open. */
  start(): void {
    this.#later(async () => {
      const { onDisk } = this.#means.keeper
      for (const [key, { channel }] of await Array.fromAsync(onDisk.of(REOPENING).iterate()))
        this.#later(() => this.#goOn(key, channel))
      for (const [id] of await Array.fromAsync(onDisk.of(CHANNEL).iterate())) this.#later(() => this.#invite(id))
    })
  }

  onEvent({ event, data }: DaemonEvent): void {
    // A key that was locked, or a state that was put back, may sign cards and invites from now on.
    if ((event === 'own.changed' && data.cause === 'reconcile') || (event === 'locked' && !data.locked)) this.start()
    if (event !== 'channel.changed') return
    if (data.state === 'broken') this.#later(() => this.#invite(data.id))
    if (data.state === 'open') this.#later(() => this.#opened(data.id))
  }

  /** Takes an invite that a persona has sent as a message. */
  async take({ app, persona, device, invite: text }: Letter): Promise<void> {
    await this.#serial.run(async () => {
      if (!isUsable(text, app, persona, this.#means.keeper.nowSec)) return
      const found = await this.#lostWith(app, persona, device)
      if (found === null) return
      const [id, record] = found
      const own = this.#means.keeper.onDisk.own.get(OWN)?.personaId ?? ''
      const asked = await this.#invitesFor(id)
      // Both sides have invited: the invite of the lower PersonaID counts.
      if (asked.length > 0 && own < persona) return
      const { joins, invites } = await this.#runner.work()
      const note = (made: string): void => this.#stage(made, { channel: id, sentUpTo: 0 })
      await joins.begin(app, { invite: text, name: record.name }, note)
      for (const key of asked) {
        await invites.end(key)
        await this.#forget(key)
      }
    })
  }

  async idle(): Promise<void> {
    await this.#serial.idle()
  }

  get #means(): Means {
    return this.#runner.means
  }

  async #invite(id: string): Promise<void> {
    const { keeper } = this.#means
    const record = keeper.onDisk.of(CHANNEL).get(id)
    if (record === undefined || record.peer === null || !this.#isLost(id)) return
    if (!keeper.hasPersona || (await this.#invitesFor(id)).length > 0) return
    const { invites } = await this.#runner.work()
    const { peer: persona, name, app } = record
    const made = await invites.make(app, { name, for: persona, expiresSec: WAIT_SEC })
    await this.#note(made.id, { channel: id, sentUpTo: 0 })
    if (await this.#letters.send(app, persona, made.invite)) return
    await invites.end(made.id)
    await this.#forget(made.id)
  }

  /** A channel is open: if it takes the place of another one, it goes on with what that one has left. */
  async #opened(id: string): Promise<void> {
    const { onDisk } = this.#means.keeper
    const { invites, joins } = this.#runner.known
    const key = onDisk.of(REOPENING).get(id) === undefined ? invites.ofChannel(id) : id
    // The event is of the change; the end goes to work after it.
    await joins.get(id)?.idle()
    const old = key === null ? undefined : onDisk.of(REOPENING).get(key)
    if (key !== null && old !== undefined) await this.#replace(key, old.channel, id)
  }

  /** After a restart. */
  async #goOn(key: string, old: string): Promise<void> {
    const { ends, invites } = this.#runner.known
    const id = ends.get(key) === undefined ? (invites.get(key)?.claimedBy ?? null) : key
    if (id !== null && ends.get(id)?.summary.state === 'open') return await this.#replace(key, old, id)
    const isWaiting = id !== null || this.#runner.known.joins.get(key) !== undefined || invites.get(key) !== undefined
    if (!isWaiting) await this.#forget(key)
  }

  async #replace(key: string, oldId: string, id: string): Promise<void> {
    const { keeper } = this.#means
    const { ends } = this.#runner.known
    const [old, fresh] = [keeper.onDisk.of(CHANNEL).get(oldId), keeper.onDisk.of(CHANNEL).get(id)]
    const end = ends.get(id)
    if (end === undefined) return
    // Only the persona that the lost channel was with gets what was meant for it.
    if (old !== undefined && fresh !== undefined && fresh.peer === old.peer) {
      await this.#sendRest(key, oldId, end)
      await this.#keepStanding(id, old, end)
      await eraseChannel(oldId, ends, this.#means)
    }
    await this.#forget(key)
  }

  /** Sends the contents that the peer has not acknowledged. A crash repeats none: each has a key. */
  async #sendRest(key: string, oldId: string, end: End): Promise<void> {
    const lost = this.#runner.known.ends.get(oldId)
    const { sentUpTo = 0 } = this.#means.keeper.onDisk.of(REOPENING).get(key) ?? {}
    for (const { number } of lost?.peek().channel.outbox ?? []) {
      if (number <= sentUpTo) continue
      await this.#sendAgain(oldId, number, end)
      await this.#note(key, { channel: oldId, sentUpTo: number })
    }
  }

  async #sendAgain(oldId: string, number: number, end: End): Promise<void> {
    const { sealed } = this.#means
    const out = sealed.onDisk(OUT).get(numbered(oldId, number))
    // No key opens it any more.
    if (out === undefined) return
    const name = `again-${oldId}-${number}`
    if (out.upload === null)
      return void (await sendContent(end, { id: end.id, content: base64(out.bytes), key: name }, this.#means))
    for (const offset of pieceOffsets(out.totalBytes)) {
      const piece = sealed.onDisk(PIECE).get(pieceId(oldId, out.upload, offset))
      if (piece === undefined) return
      const part = { id: end.id, content: base64(piece), upload: name, total: out.totalBytes, offset }
      await sendContent(end, part, this.#means)
    }
  }

  /** The people have compared the words of the channel before, and the persona is the same. */
  async #keepStanding(id: string, { areWordsCompared, name }: ChannelRecord, end: End): Promise<void> {
    await end.run((turn) => {
      const channels = this.#means.keeper.state.of(CHANNEL)
      if (areWordsCompared) turn.step(wordsCompared(turn.channel))
      turn.alongside.push(() => {
        const record = channels.get(id)
        if (record !== undefined)
          this.#means.keeper.state.stage(channels.put(id, { ...record, areWordsCompared, name }))
      })
    })
  }

  /**
   * The channel that an invite of a persona replaces: one that cannot go on here, else one with the device that invites, else one with a device that
   * their card does not list any more. Others go on.
   */
  async #lostWith(app: string, persona: string, device: string): Promise<readonly [id: string, ChannelRecord] | null> {
    const { cards, keeper } = this.#means
    const replaced = await this.#replaced()
    const withThem = (await Array.fromAsync(keeper.onDisk.of(CHANNEL).iterate()))
      .filter(([id, record]) => record.app === app && record.peer === persona && !replaced.has(id))
      .toSorted(([, a], [, b]) => b.madeSec - a.madeSec)
    const isUnlisted = ({ peerKey }: ChannelRecord): boolean =>
      peerKey !== null && cards.standing(persona, app, parseHex(peerKey)!) === 'unlisted'
    return (
      withThem.find(([id]) => this.#isLost(id)) ??
      withThem.find(([, { peerKey }]) => peerKey === device) ??
      withThem.find(([, record]) => isUnlisted(record)) ??
      null
    )
  }

  /** Channels for which an invite of the peer is used already. */
  async #replaced(): Promise<ReadonlySet<string>> {
    const all = await Array.fromAsync(this.#means.keeper.onDisk.of(REOPENING).iterate())
    const { joins, ends } = this.#runner.known
    const isUsed = (key: string): boolean => joins.get(key)?.isOver === false || ends.get(key) !== undefined
    return new Set(all.filter(([key]) => isUsed(key)).map(([, { channel }]) => channel))
  }

  /** Whether a channel cannot go on: it is broken, or its end did not come along with a backup. */
  #isLost(id: string): boolean {
    const { ends, joins } = this.#runner.known
    const end = ends.get(id)
    return end === undefined ? joins.get(id) === undefined : end.summary.state === 'broken'
  }

  /** The open invites that are to replace a channel. */
  async #invitesFor(channel: string): Promise<string[]> {
    const all = await Array.fromAsync(this.#means.keeper.onDisk.of(REOPENING).iterate())
    return all.filter(([, record]) => record.channel === channel).map(([key]) => key)
  }

  async #note(key: string, record: ReopeningRecord): Promise<void> {
    await this.#means.keeper.change(() => this.#stage(key, record))
  }

  /** Inside of a change. */
  #stage(key: string, record: ReopeningRecord): void {
    const { state } = this.#means.keeper
    state.stage(state.of(REOPENING).put(key, record))
  }

  async #forget(key: string): Promise<void> {
    const { keeper } = this.#means
    await keeper.change(() => keeper.state.stage(keeper.state.of(REOPENING).remove(key)))
  }

  #later(work: () => Promise<void>): void {
    void this.#serial.run(async () => {
      try {
        if (this.#runner.isOpen) await work()
      } catch (error) {
        this.#means.noteFailure('channel.reopen', error)
      }
    })
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Whether the text is an invite for the app that this persona has made, and that is not over. Anybody may send any text. */
function isUsable(text: string, app: string, persona: string, nowSec: number): boolean {
  try {
    const read = parseInvite(text)
    if (read.kind !== 'invite' || read.invite.app !== app || read.invite.expiresAtSec <= nowSec) return false
    return read.invite.persona !== undefined && formatHex(read.invite.persona.personaId) === persona
  } catch (error) {
    if (error instanceof InviteError) return false
    throw error
  }
}
