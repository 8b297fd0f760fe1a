/** Two machines of one proposal over a link that loses, repeats and delays texts, and a handshake as two ends of channels make it. */
import { formatInvite } from '../../src/channel/invite/invite-text.ts'
import type { Invite } from '../../src/channel/invite/invite.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { readOffer, type Offer } from '../../src/link/offer.ts'
import {
  answered,
  claimed,
  failed,
  joined,
  lacksOwn,
  needsOf,
  NO_PROPOSAL,
  offered,
  opened,
  provided,
  stateOf,
  tell,
  textOf,
  took,
  type Answer,
  type Proposal,
  type ProposalState,
} from '../../src/link/proposal.ts'
import { formatText, parseText, type TextBetween } from '../../src/link/text.ts'
import { FULL_INVITE } from '../generate/invite-vectors.ts'
import { makePersona, NOW_SEC, sodium } from './made-persona.ts'

export const TARGET_APP = 'org.example.talk'
const LIFE_SEC = 7 * 86_400

export const LEO: Uint8Array = makePersona(1).positions[0]!.personaId
export const KIM: Uint8Array = makePersona(2).positions[0]!.personaId

/** An invite that `by` has made for `reader`. @param number makes it another one */
export function inviteFor(by: Uint8Array, reader: Uint8Array, number: number, more: Partial<Invite> = {}): string {
  const k = new Uint8Array(16)
  new DataView(k.buffer).setUint32(0, number)
  const { address } = FULL_INVITE
  // `k` is not in the hash.
  const pub = sodium.boxPublicKey(sodium.sha256(k))
  return formatInvite({
    address: { ...address, pub },
    k,
    app: TARGET_APP,
    expiresAtSec: NOW_SEC + LIFE_SEC,
    persona: { personaId: by, epoch: 0 },
    for: reader,
    ...more,
  })
}

export function offerFor(by: Uint8Array, reader: Uint8Array, number: number, more: Partial<Invite> = {}): Offer {
  const of = { app: TARGET_APP, by: formatHex(by), for: formatHex(reader) }
  return readOffer(inviteFor(by, reader, number, more), of, sodium)
}

/** A channel of the target app, as one end sees it. */
interface End {
  /** Names the handshake: what the hash of M2 does. */
  readonly name: string
  isOpen: boolean
}

/** An own invite that is kept. */
interface OpenInvite {
  readonly offer: Offer
  isAwake: boolean
  /** The end of the guest who has used it. */
  claim: string | null
}

type Parcel =
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  | { readonly kind: 'm1'; readonly invite: string; readonly guest: string }
  | { readonly kind: 'm2'; readonly guest: string; readonly name: string }
  | { readonly kind: 'm3'; readonly name: string }

export class Side {
  proposal: Proposal = NO_PROPOSAL
  /** The texts on their way to this side. */
  readonly mail: Parcel[] = []
  readonly ends: End[] = []
  /** Open invites of this side, by their hash. */
  readonly invites: Map<string, OpenInvite> = new Map()
  join: { readonly invite: string; readonly guest: string; readonly expiresAtSec: number } | null = null
  readonly #world: ProposalWorld
  readonly #self: Uint8Array
  readonly #peer: Uint8Array
  other!: Side

  constructor(world: ProposalWorld, self: Uint8Array, peer: Uint8Array) {
    this.#world = world
    this.#self = self
    this.#peer = peer
  }

  get state(): ProposalState {
    return stateOf(this.proposal, this.#world.nowSec)
  }

  provide(is: boolean): void {
    this.change(provided(this.proposal, is))
  }

  answer(answer: Answer): void {
    this.change(answered(this.proposal, answer))
  }

  /** Takes a proposal, and does what it needs, as a daemon does. */
  change(next: Proposal): void {
    this.proposal = next
    this.#reconcile()
    const told = tell(this.proposal, TARGET_APP, this.#world.nowSec)
    if (told === null) return
    this.proposal = told[0]
    this.#say()
  }

  /** The channel between the source apps was opened anew, or the daemon has started. */
  restart(): void {
    this.proposal = JSON.parse(JSON.stringify(this.proposal)) as Proposal
    this.change(this.proposal)
    if (this.proposal.own.n > 0) this.#say()
  }

  /** Time has passed: what is over ends, and handshakes repeat their messages. */
  tick(): void {
    for (const [hash, { offer, claim }] of this.invites) {
      const isOver = offer.expiresAtSec <= this.#world.nowSec
      if (isOver && claim === null) this.invites.delete(hash)
    }
    if (this.join !== null && this.join.expiresAtSec <= this.#world.nowSec) {
      this.join = null
      this.change(failed(this.proposal))
    }
    this.change(this.proposal)
    if (this.join !== null) this.other.mail.push({ kind: 'm1', invite: this.join.invite, guest: this.join.guest })
    for (const { isOpen, name } of this.ends) if (isOpen) this.other.mail.push({ kind: 'm3', name })
  }

  /** Takes one parcel of the mail. */
  take(parcel: Parcel): void {
    switch (parcel.kind) {
      case 'text':
        return this.#takeText(parcel.bytes)
      case 'm1':
        return this.#takeFirst(parcel)
      case 'm2':
        if (this.join?.guest !== parcel.guest) return
        this.join = null
        return this.#open(parcel.name)
      case 'm3':
        if (this.ends.some(({ name, isOpen }) => name === parcel.name && !isOpen)) this.#open(parcel.name)
    }
  }

  #takeText(bytes: Uint8Array): void {
    const between: TextBetween = { writer: formatHex(this.#peer), reader: formatHex(this.#self) }
    const text = parseText(bytes, between, sodium)
    const isBehind = lacksOwn(this.proposal, text)
    const before = this.proposal.own.n
    this.change(took(this.proposal, text))
    if (isBehind && this.proposal.own.n === before) this.#say()
  }

  #takeFirst({ invite, guest }: Extract<Parcel, { kind: 'm1' }>): void {
    const found = this.invites.get(invite)
    if (found === undefined || !found.isAwake) return
    const name = `${invite}/${guest}`
    if (found.claim === null) {
      found.claim = name
      this.ends.push({ name, isOpen: false })
      this.change(claimed(this.proposal))
    }
    if (found.claim === name) this.other.mail.push({ kind: 'm2', guest, name })
  }

  #open(name: string): void {
    const end = this.ends.find((each) => each.name === name)
    if (end === undefined) this.ends.push({ name, isOpen: true })
    else end.isOpen = true
    this.invites.clear()
    this.change(opened(this.proposal, formatHex(sodium.sha256(new TextEncoder().encode(name)))))
  }

  #say(): void {
    this.other.mail.push({ kind: 'text', bytes: formatText(textOf(this.proposal, TARGET_APP)) })
  }

  #reconcile(): void {
    const { own } = this.proposal
    if (own.joining === null) this.join = null
    const needs = needsOf(this.proposal, this.#world.nowSec)
    for (const [hash, { claim }] of this.invites)
      if (needs.invite === 'none' || needs.invite === 'new' || hash !== own.offer?.hash) {
        this.invites.delete(hash)
        // A channel that nobody has opened here goes with its invite.
        const at = this.ends.findIndex(({ name, isOpen }) => name === claim && !isOpen)
        if (at >= 0) this.ends.splice(at, 1)
      }
    if (needs.invite === 'new') {
      const expiresAtSec = this.#world.nowSec + LIFE_SEC
      const offer = offerFor(this.#self, this.#peer, this.#world.nextNumber(), { expiresAtSec })
      this.invites.set(offer.hash, { offer, isAwake: false, claim: null })
      this.proposal = offered(this.proposal, offer)
      return this.#reconcile()
    }
    const mine = own.offer === null ? undefined : this.invites.get(own.offer.hash)
    if (mine !== undefined) mine.isAwake = needs.invite === 'open'
    if (needs.join === null) return
    const { hash, expiresAtSec } = needs.join
    this.join = { invite: hash, guest: String(this.#world.nextNumber()), expiresAtSec }
    this.proposal = joined(this.proposal)
  }
}

export class ProposalWorld {
  nowSec: number = NOW_SEC
  readonly leo: Side = new Side(this, LEO, KIM)
  readonly kim: Side = new Side(this, KIM, LEO)
  #numbers = 0

  constructor() {
    this.leo.other = this.kim
    this.kim.other = this.leo
  }

  get sides(): readonly [leo: Side, kim: Side] {
    return [this.leo, this.kim]
  }

  nextNumber(): number {
    return ++this.#numbers
  }

  /** Everything that is on its way arrives, in its order, until nothing is. */
  settle(): void {
    for (let turn = 0; this.sides.some(({ mail }) => mail.length > 0); turn++) {
      if (turn > 200) throw new Error('the two sides do not come to an end')
      for (const side of this.sides) for (const parcel of side.mail.splice(0)) side.take(parcel)
    }
  }

  /** Time passes, and nothing is lost. */
  rest(sec: number): void {
    this.nowSec += sec
    for (const side of this.sides) side.tick()
    this.settle()
  }
}
