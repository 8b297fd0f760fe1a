/** The invites that this daemon uses as a guest, until their hosts have answered. */
import { formatHex } from '../../../core/encoding/bytes.ts'
import { beginGuest } from '../../../channel/handshake/guest.ts'
import { formatInvite, parseChatKey, parseInvite, type ReadInvite } from '../../../channel/invite/invite-text.ts'
import type { AcceptParams, AcceptResult } from '../../../ipc/methods/channels.ts'
import type { Watched } from '../../../channel/carriers/carrier.ts'
import type { DueTimes } from '../ends/due-times.ts'
import type { Ends } from '../ends/ends.ts'
import { orLater } from '../ends/places.ts'
import type { Means } from '../ends/means.ts'
import { CHANNEL, type ChannelRecord, inviteId } from '../records/channel-record.ts'
import { Refusal } from '../../../errors/refusal.ts'
import { Damaged } from '../records/damaged.ts'
import { JOIN } from '../records/kinds.ts'
import type { StoredJoin } from '../records/stored-meeting.ts'
import { eraseKeys } from './erase-end.ts'
import { GuestJoin } from './guest-join.ts'
import { contextOf, selfOf } from './meeting-means.ts'
import { secretWith } from './pair-key.ts'

export class InviteUsedError extends Refusal<'INVITE_USED'> {
  override readonly name = 'InviteUsedError'
}

export class Joins {
  readonly #means: Means
  readonly #ends: Ends
  readonly #joins = new Map<string, GuestJoin>()
  readonly #due: DueTimes
  readonly damaged: Damaged

  constructor(means: Means, ends: Ends) {
    this.#means = means
    this.#ends = ends
    this.damaged = new Damaged(means.log)
    this.#due = means.dueTimes((id) => void orLater(this.#work(id), means))
  }

  /** Reads all joins, and posts their M1 again. Those of another store are over: the state may be an old one. */
  async open(): Promise<void> {
    const { sealed, store, keeper } = this.#means
    const found = await this.damaged.readAll(sealed.onDisk(JOIN))
    for (const [id, join] of found) {
      if (this.#joins.has(id)) continue
      if (join.store === store) {
        this.#add(id, join)
        continue
      }
      const ended = { ...join, ended: 'RESTORED', store }
      await keeper.change(() => sealed.inChange(JOIN).put(id, ended))
      this.#add(id, ended)
    }
  }

  /**
   * Reads an invite and answers it. On return M1 is on disk.
   * @throws {InviteUsedError} INVITE_USED
   * @param alongside called inside of the change that writes it, with the id of the channel that is to be
   */
  async begin(app: string, params: AcceptParams, alongside: (id: string) => void = () => {}): Promise<AcceptResult> {
    const { ways, keeper, sealed, store } = this.#means
    sealed.key.require()
    this.#means.checkDirect(params.direct ?? false)
    const { invite, with: peer } = params
    const read = peer === undefined ? parseInvite(invite) : parseChatKey(invite, secretWith(peer, this.#means))
    const address = read.kind === 'invite' ? read.invite.address : read.address
    const { hostName, hostPersona } = hostOf(read)
    const place = await ways.openPlace(params.over ?? null, address)
    const shows = { as: params.as ?? null, persona: params.persona ?? true }
    const self = await selfOf(app, place, shows, this.#means)
    const step = await beginGuest(read, app, self, contextOf(this.#means))
    // A link that lost its secret, and one that was changed on its way, say nothing of the true one, which may come after it.
    const invited =
      read.kind === 'invite' && peer === undefined ? inviteId(formatInvite(read.invite), keeper.engine) : null
    if (invited !== null) await this.#requireUnused(app, invited)
    const id = this.#means.newId()
    const record: ChannelRecord = {
      app,
      name: params.name ?? hostName ?? `host-${id.slice(0, 4)}`,
      peer: null,
      peerKey: null,
      peerName: hostName,
      areWordsCompared: false,
      madeSec: keeper.nowSec,
      role: 'guest',
      ...(invited === null ? {} : { invite: invited }),
    }
    const stored: StoredJoin = {
      store,
      place,
      cursors: new Map(),
      guest: step.state,
      showsPersona: self.identity !== null,
      isDirect: params.direct ?? false,
      ended: null,
    }
    await keeper.change(() => {
      keeper.state.stage(keeper.state.of(CHANNEL).put(id, record))
      sealed.inChange(JOIN).put(id, stored)
      this.#means.tellChanged(id, app, 'waiting', null)
      alongside(id)
    })
    this.#add(id, stored).post(step.posts)
    return { id, app, state: 'waiting', hostName, hostPersona }
  }

  /** An invite works once. Whoever uses it again here would wait for an answer that never comes, and raise an alarm at both sides. */
  async #requireUnused(app: string, invited: string): Promise<void> {
    for await (const [, { invite, app: user, name }] of this.#means.keeper.onDisk.of(CHANNEL).iterate())
      if (invite === invited)
        throw new InviteUsedError(
          'INVITE_USED',
          'this device has used the invite already',
          'an invite works once; ask for a new one if you need another channel',
          user === app ? { channel: name } : {},
        )
  }

  #add(id: string, stored: StoredJoin): GuestJoin {
    const onDone = (join: GuestJoin): void => this.#done(join)
    const join = new GuestJoin(id, stored, { means: this.#means, ends: this.#ends, onDone })
    this.#joins.set(id, join)
    this.#due.set(id, join.dueMs)
    this.#means.linesChanged()
    return join
  }

  #done(join: GuestJoin): void {
    this.#due.set(join.id, null)
    // One that has ended stays in the list until the owner removes it.
    if (join.stored.ended === null) this.#joins.delete(join.id)
    this.#means.linesChanged()
  }

  get(id: string): GuestJoin | undefined {
    return this.#joins.get(id)
  }

  *[Symbol.iterator](): IterableIterator<GuestJoin> {
    yield* this.#joins.values()
  }

  /** The owner gives it up. */
  async remove(id: string): Promise<void> {
    const join = this.#joins.get(id)
    if (join === undefined) return
    this.#joins.delete(id)
    this.#due.set(id, null)
    await join.close()
    await this.#means.keeper.change(() => {
      eraseKeys(id, this.#means)
      this.#means.tellChanged(id, join.app, 'closed', null)
    })
    this.#means.linesChanged()
    await join.forget()
  }

  watched(): Watched[] {
    return [...this.#joins.values()].flatMap((join) => join.watched())
  }

  news(lineId: string): boolean {
    const join = this.#joins.get(lineId)
    join?.wake()
    return join !== undefined
  }

  async idle(): Promise<void> {
    for (const join of this.#joins.values()) await join.idle()
  }

  async close(): Promise<void> {
    this.#due.close()
    await Promise.all([...this.#joins.values()].map((join) => join.close()))
    this.#joins.clear()
  }

  async #work(id: string): Promise<void> {
    const join = this.#joins.get(id)
    if (join === undefined) return
    await join.tick()
    if (this.#joins.get(id) === join) this.#due.set(id, join.dueMs)
  }
}

/** The invite says this about its maker. */
function hostOf(read: ReadInvite): Pick<AcceptResult, 'hostName' | 'hostPersona'> {
  if (read.kind === 'bare') return { hostName: null, hostPersona: null }
  const { name = null, persona } = read.invite
  return { hostName: name, hostPersona: persona === undefined ? null : formatHex(persona.personaId) }
}
