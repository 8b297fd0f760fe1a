/** Takes a card into the state: the record, the pin, the alarm of a second chain. Inside of a change (docs/card.md, section 4). */
import type { CardVerdict } from '../../../card/order.ts'
import type { VerifiedCard } from '../../../card/verify.ts'
import { equalBytes, formatHex } from '../../../core/encoding/bytes.ts'
import { alarmDisputed } from '../../personas/alarms.ts'
import { OWN } from '../../state/own-record.ts'
import type { Records } from '../../state/records.ts'
import type { State } from '../../state/state.ts'
import { knownCards, listsKey, personaOf, verdictOn, type KnownCards } from './known.ts'
import type { CardReader } from './read-card.ts'
import {
  CARDS,
  CARD_STRANGERS,
  MAX_APPS,
  MAX_BESIDE,
  MAX_STRANGERS,
  OWN_APPS,
  OWN_APPS_ID,
  STRANGERS,
  type AppCard,
  type CardsRecord,
} from './records.ts'

/** The outcome for a card. `ignored`: nobody here asked for cards of this persona and app. */
export type Taken = CardVerdict['verdict'] | 'ignored'

/**
 * @param isMet the card comes with a handshake that is good, or is the own one; otherwise only a card that replaces another is taken
 * @returns the verdict, and whether the record changed
 */
export function takeCard(
  card: VerifiedCard,
  isMet: boolean,
  state: State,
  reader: CardReader,
): { readonly taken: Taken; readonly isNews: boolean } {
  const known = knownCards(personaOf(card), state.records, reader)
  const verdict = verdictOn(card, known)
  const head = known.cards.get(card.app)
  const isKept =
    isMet || known.cards.has(card.app) || hasRoomFor(known, state) || followsKept(known, card.app, state, reader)
  switch (verdict.verdict) {
    case 'disputed':
      return { taken: 'disputed', isNews: dispute(card, known, state) }
    case 'accept':
      if (!isKept) return { taken: 'ignored', isNews: raise(card, known, state) }
      put(card, known, state)
      // A card that a channel brings is of a device that is known. A device that is met for the first time may not know of the others.
      if (isMet && head !== undefined) noteBeside(head, card, state)
      return { taken: 'accept', isNews: true }
    case 'fork': {
      if (!isKept || head === undefined) return { taken: 'ignored', isNews: false }
      if (verdict.wins) put(card, known, state)
      const isBeside = verdict.wins ? noteBeside(head, card, state) : noteBeside(card, head, state)
      return { taken: 'fork', isNews: verdict.wins || isBeside }
    }
    case 'stale':
      return {
        taken: isKept ? 'stale' : 'ignored',
        isNews: isMet && head !== undefined && noteBeside(card, head, state),
      }
    case 'same':
    case 'ended':
    case 'held':
      return { taken: isKept ? verdict.verdict : 'ignored', isNews: false }
  }
}

/**
 * Keeps a card of a peer, or of a sibling, whose devices the one that counts need not know of. They are unconfirmed for a while, and are sent the other card.
 * @returns whether it is new
 */
function noteBeside(card: VerifiedCard, counts: VerifiedCard, state: State): boolean {
  const personaId = personaOf(card)
  const record = state.of(CARDS).get(personaId)
  if (record === undefined) return false
  const { beside = [] } = record
  const isKnown =
    beside.some(({ text }) => text === card.text) || card.devices.every(({ sig }) => listsKey(counts, sig))
  const isFollowed = counts.prev !== null && equalBytes(counts.prev, card.hash)
  if (isKnown || isFollowed || card.chain.epoch !== counts.chain.epoch) return false
  const kept = [...beside, { app: card.app, text: card.text, sinceSec: state.nowSec }].slice(-MAX_BESIDE)
  store(personaId, { ...record, beside: kept }, state)
  return true
}

/** Whether the owner has the persona as a contact. */
function isContact(personaId: string, records: Pick<Records, 'personas'>): boolean {
  return (records.personas.get(personaId)?.entry ?? null) !== null
}

/** Whether a card of this persona for the app would be taken that somebody here asked for. */
export function mayAskFor(personaId: string, app: string, records: Records, reader: CardReader): boolean {
  if (personaId === records.own.get(OWN)?.personaId || isContact(personaId, records)) return true
  return knownCards(personaId, records, reader).cards.has(app)
}

/** Takes a card that somebody here asked for: the first one of a contact is as good as one of a handshake. */
export function takeAsked(card: VerifiedCard, state: State, reader: CardReader): ReturnType<typeof takeCard> {
  const personaId = personaOf(card)
  const isFirst = !knownCards(personaId, state.records, reader).cards.has(card.app)
  return takeCard(card, isFirst && isContact(personaId, state.records), state, reader)
}

/** Cards of the own persona for apps that only siblings use: a rotation here signs new ones. */
function hasRoomFor({ personaId, cards }: KnownCards, state: State): boolean {
  return personaId === state.own()?.personaId && cards.size < MAX_APPS
}

/** The persona follows one whose card for the app is kept. */
function followsKept({ personaId }: KnownCards, app: string, state: State, reader: CardReader): boolean {
  const before = state.persona(personaId)?.replaces?.personaId
  return before !== undefined && knownCards(before, state.records, reader).cards.has(app)
}

function put(card: VerifiedCard, known: KnownCards, state: State): void {
  const { nowSec } = state
  // Cards of a chain that is not the pinned one any more are gone with the first card of the right one.
  const others = (known.record?.cards ?? []).filter(({ app }) => app !== card.app && known.cards.has(app))
  const isUsed = (app: string): boolean =>
    state
      .of(OWN_APPS)
      .get(OWN_APPS_ID)
      ?.apps.some((used) => used.app === app) === true
  const spare = known.personaId === state.own()?.personaId ? (app: string): boolean => !isUsed(app) : () => true
  const cards = [...bounded(others, spare), { app: card.app, text: card.text, sinceSec: nowSec }]
  const root = formatHex(card.root)
  const kept = known.record?.root === root ? known.record : undefined
  store(known.personaId, { ...raised(kept ?? { root, cards }, card, known, nowSec), cards }, state)
}

/** Makes room for one more card: the oldest of those that can be spared goes. */
function bounded(cards: readonly AppCard[], canSpare: (app: string) => boolean): readonly AppCard[] {
  if (cards.length < MAX_APPS) return cards
  const oldest = cards.filter(({ app }) => canSpare(app)).toSorted((a, b) => a.sinceSec - b.sinceSec)[0]
  return cards.filter((card) => card !== oldest)
}

/** A card of an app that is not kept ends the earlier epochs all the same. */
function raise(card: VerifiedCard, known: KnownCards, state: State): boolean {
  if (known.record === undefined || card.chain.epoch <= known.epoch) return false
  store(known.personaId, { ...raised(known.record, card, known, state.nowSec), proof: card.text }, state)
  return true
}

function raised(
  record: CardsRecord,
  { chain }: VerifiedCard,
  { epoch, root }: KnownCards,
  nowSec: number,
): CardsRecord {
  return root === null || chain.epoch <= epoch
    ? record
    : { ...record, raised: { epoch: chain.epoch, sinceSec: nowSec } }
}

/** Notes that the table or a contact link of a persona ended the epoch of its cards. @returns whether that is new */
export function noteEpoch(personaId: string, state: State, reader: CardReader): boolean {
  const { record, epoch, cards } = knownCards(personaId, state.records, reader)
  if (record === undefined || record.raised?.epoch === epoch) return false
  if (![...cards.values()].some(({ chain }) => chain.epoch < epoch)) return false
  store(personaId, { ...record, raised: { epoch, sinceSec: state.nowSec } }, state)
  return true
}

/** Keeps the first card of a second chain as evidence, and raises the alarm of the core where the persona is known. */
function dispute(card: VerifiedCard, { personaId, record, root }: KnownCards, state: State): boolean {
  const persona = state.persona(personaId)
  if (persona !== undefined) alarmDisputed(persona, state)
  if (record?.rival !== undefined || (record === undefined && persona === undefined)) return false
  const kept = record ?? { root: formatHex(root!), cards: [] }
  store(personaId, { ...kept, rival: card.text, rivalSec: state.nowSec }, state)
  return false
}

/** Judges the cards that a snapshot brought. @returns whether there were any */
export function settleArrived(personaId: string, state: State, reader: CardReader): boolean {
  const record = state.of(CARDS).get(personaId)
  if (record?.arrived === undefined) return false
  const { arrived, ...rest } = record
  store(personaId, rest, state)
  for (const text of arrived) {
    const card = reader.read(text)
    if (card !== null && personaOf(card) === personaId) takeCard(card, true, state, reader)
  }
  return true
}

function store(personaId: string, record: CardsRecord, state: State): void {
  state.stage(state.of(CARDS).put(personaId, record))
  if (personaId !== state.own()?.personaId && !isContact(personaId, state.records)) noteStranger(personaId, state)
}

function noteStranger(personaId: string, state: State): void {
  const strangers = state.of(CARD_STRANGERS)
  const ids = [...(strangers.get(STRANGERS)?.ids ?? []).filter((id) => id !== personaId), personaId]
  const [oldest] = ids
  const kept = ids.slice(-MAX_STRANGERS)
  state.stage(strangers.put(STRANGERS, { ids: kept }))
  if (kept.length === ids.length || oldest === undefined) return
  // Some have become contacts since.
  const isKept = oldest === state.own()?.personaId || isContact(oldest, state.records)
  if (!isKept) state.stage(state.of(CARDS).remove(oldest))
}
