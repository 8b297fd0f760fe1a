/** The open invites of this daemon. */
import { formatChatKey, formatInvite, formatInviteLink } from '../../../channel/invite/invite-text.ts'
import { INVITE_LIFE_SEC, K_BYTES, type Invite, type InvitePersona } from '../../../channel/invite/invite.ts'
import { openInvite } from '../../../channel/handshake/host.ts'
import { parseHex } from '../../../core/encoding/bytes.ts'
import type { InviteParams, InviteResult } from '../../../ipc/methods/channels.ts'
import type { Watched } from '../../../channel/carriers/carrier.ts'
import type { DueTimes } from '../ends/due-times.ts'
import type { Ends } from '../ends/ends.ts'
import { orLater } from '../ends/places.ts'
import type { Means } from '../ends/means.ts'
import { Damaged } from '../records/damaged.ts'
import { INVITE } from '../records/kinds.ts'
import type { StoredInvite } from '../records/stored-meeting.ts'
import { eraseRemains } from './erase-end.ts'
import { HostInvite } from './host-invite.ts'
import { secretWith } from './pair-key.ts'

export class Invites {
  readonly #means: Means
  readonly #ends: Ends
  readonly #invites = new Map<string, HostInvite>()
  readonly #due: DueTimes
  readonly damaged: Damaged

  constructor(means: Means, ends: Ends) {
    this.#means = means
    this.#ends = ends
    this.damaged = new Damaged(means.log)
    this.#due = means.dueTimes((id) => {
      // Whoever made an offer ends it, once they know who has used it.
      if (this.#invites.get(id)?.isUsedOffer !== true) void orLater(this.end(id), means)
    })
  }

  /** Reads all invites. Those of another store are dead: their one-time keys are erased. */
  async open(): Promise<void> {
    const { sealed, keeper, store } = this.#means
    const found = await this.damaged.readAll(sealed.onDisk(INVITE))
    const dead = found.filter(([, invite]) => invite.store !== store)
    if (dead.length > 0)
      await keeper.change(() => {
        for (const [id] of dead) sealed.inChange(INVITE).delete(id)
      })
    for (const [id, invite] of found) {
      if (invite.store !== store || this.#invites.has(id)) continue
      const open = this.#add(id, invite)
      if (invite.host.claim !== null) void orLater(open.retire(), this.#means)
    }
  }

  /**
   * Makes an invite. On return it is on disk, and its intakes are open.
   * @param note for an offer, which sleeps and which no app sees: called inside of the change that writes it
   */
  async make(
    app: string,
    params: InviteParams,
    note: ((id: string, invite: string) => void) | null = null,
  ): Promise<InviteResult> {
    const { ways, keeper, sealed, store, nowMs } = this.#means
    sealed.key.require()
    const {
      over = null,
      as = null,
      expiresSec = INVITE_LIFE_SEC,
      persona: isShown = true,
      page,
      direct = false,
    } = params
    this.#means.checkDirect(direct)
    const shows = { as, persona: isShown }
    const persona = isShown ? await this.#persona(app) : null
    const place = await ways.openPlace(over, null)
    const invite: Invite = {
      address: place.address,
      k: params.with === undefined ? keeper.engine.randomBytes(K_BYTES) : secretWith(params.with, this.#means),
      app,
      expiresAtSec: Math.floor(nowMs / 1000) + expiresSec,
      ...(as === null ? {} : { name: as }),
      ...(persona === null ? {} : { persona }),
      ...(params.for === undefined ? {} : { for: parseHex(params.for)! }),
    }
    const id = this.#means.newId()
    // Before anything is kept: a page of another form is refused.
    const format = params.with === undefined ? formatInvite : formatChatKey
    const [line, link] = [
      format(invite),
      page === undefined || params.with !== undefined ? null : formatInviteLink(page, invite),
    ]
    const name = params.name ?? `guest-${id.slice(0, 4)}`
    const host = openInvite(invite)
    const stored: StoredInvite = {
      store,
      place,
      name,
      shows,
      isDirect: direct,
      offer: note === null ? 'none' : 'asleep',
      over,
      cursors: new Map(),
      channels: new Map(),
      host,
    }
    await keeper.change(() => {
      sealed.inChange(INVITE).put(id, stored)
      note?.(id, line)
    })
    this.#add(id, stored)
    const where = place.address.where.map(({ url }) => url)
    return { id, app, invite: line, link, expiresAtSec: invite.expiresAtSec, where }
  }

  /** The own persona as an invite names it; its card is made now, since a guest may come while the key is locked. */
  async #persona(app: string): Promise<InvitePersona | null> {
    const identity = await this.#means.cards.identity(app)
    if (identity === null) return null
    const { personaId, epoch } = this.#means.keeper.table()
    return { personaId: parseHex(personaId)!, epoch }
  }

  #add(id: string, stored: StoredInvite): HostInvite {
    const invite = new HostInvite(id, stored, { means: this.#means, ends: this.#ends })
    this.#invites.set(id, invite)
    this.#due.set(id, stored.host.invite.expiresAtSec * 1000)
    this.#means.linesChanged()
    return invite
  }

  get(id: string): HostInvite | undefined {
    return this.#invites.get(id)
  }

  /** The invite from which a channel was made; null for another one's. */
  ofChannel(channelId: string): string | null {
    for (const [id, { stored }] of this.#invites) if ([...stored.channels.values()].includes(channelId)) return id
    return null
  }

  /** Those that were given by hand, and that nobody has used. */
  *[Symbol.iterator](): IterableIterator<HostInvite> {
    for (const invite of this.unused()) if (invite.stored.offer === 'none') yield invite
  }

  /** Those that nobody has used, with offers. */
  *unused(): IterableIterator<HostInvite> {
    for (const invite of this.#invites.values()) if (invite.stored.host.claim === null) yield invite
  }

  /** The invite of a candidate; undefined once it has ended. */
  withCandidate(channelId: string): HostInvite | undefined {
    return [...this.#invites.values()].find((invite) => invite.candidateHash(channelId) !== null)
  }

  /** Ends an invite: its time is over, or the owner withdraws it. The one-time key is erased, and the channels of candidates. */
  async end(id: string): Promise<void> {
    const invite = this.#invites.get(id)
    if (invite === undefined) return await this.#endDamaged(id)
    this.#invites.delete(id)
    this.#due.set(id, null)
    await invite.close()
    const candidates = invite.candidates()
    await this.#means.keeper.change(() => {
      this.#means.sealed.inChange(INVITE).delete(id)
      for (const each of candidates) invite.dropInChange(each)
    })
    for (const each of candidates) {
      await this.#ends.remove(each)
      await eraseRemains(each, this.#means)
    }
    this.#means.linesChanged()
    await invite.forget()
  }

  /** Nothing is known of such an invite but its id. */
  async #endDamaged(id: string): Promise<void> {
    if (this.damaged.get(id) === null) return
    await this.#means.keeper.change(() => this.#means.sealed.inChange(INVITE).delete(id))
    this.damaged.forget(id)
  }

  watched(): Watched[] {
    return [...this.#invites.values()].flatMap((invite) => invite.watched())
  }

  news(lineId: string): boolean {
    const invite = this.#invites.get(lineId)
    invite?.wake()
    return invite !== undefined
  }

  async idle(): Promise<void> {
    for (const invite of this.#invites.values()) await invite.idle()
  }

  async close(): Promise<void> {
    this.#due.close()
    await Promise.all([...this.#invites.values()].map((invite) => invite.close()))
    this.#invites.clear()
  }
}
