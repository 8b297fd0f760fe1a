/**
 * The records of a relay's store, and their keys:
 *
 *   box/ID            the box (box.ts)
 *   msg/ID/MOMENT     the data of one message
 *   due/MOMENT/ID     when to look at the box again; empty
 *   made/ADDRESS      number of boxes of this address that no owner has claimed
 *   persona/ID        the cards of one persona without their texts (kept-card.ts)
 *   card/AT           the text of one card, and its end
 *   pdue/MOMENT/ID    when to look at the persona again; empty
 *   guest/ADDRESS     number of cards of this address that were put without a right
 *   inbox/ID          an inbox (kept-inbox.ts); its ID is PERSONA/APP
 *   entry/ID/N        one entry of it; N is a moment
 *   sender/ID/FROM    a sender that it knows: allowed, blocked, or with entries that wait
 *   mark/ID/FROM/HASH the same body of the same sender is no new entry
 *   idue/MOMENT/ID    when to look at the inbox again; empty
 *   gone/MOMENT/MARK  when to delete a mark whose entry is deleted; empty
 *   object/ID/NAME    an object of a persona without its bytes (kept-object.ts)
 *   objectdue/MOMENT/ID/NAME  when the object has lived its time; empty
 *   arriving/ID/NAME  an object that its sender is sending: the moment at which it began
 *   owned/ID          bytes that the objects of a persona take
 *   total/all         numbers of boxes, messages, cards, inboxes, entries and objects, and their bytes
 *
 * Nothing at a start reads more than one record of them. A moment is 14 hexadecimal digits, so that keys are in the order of time.
 */
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { Collection, jsonCodec, type Codec, type Store } from '../../store/store.ts'
import { decodeBox, encodeBox, type Box } from './box.ts'
import { CARD_TEXT_CODEC, PERSONA_CODEC, type KeptPersona, type KeptText } from './kept-card.ts'
import { checkCount } from './checked-values.ts'
import type { InboxId } from '../store/inbox-store.ts'
import {
  ENTRY_CODEC,
  INBOX_CODEC,
  MARK_CODEC,
  SENDER_CODEC,
  type KeptEntry,
  type KeptInbox,
  type KeptMark,
  type KeptSender,
} from './kept-inbox.ts'
import { OBJECT_CODEC, type KeptObject } from './kept-object.ts'
import type { PersonaId } from '../store/persona-id.ts'
import type { BoxId } from '../store/relay-store.ts'

export interface Totals {
  readonly boxes: number
  readonly messages: number
  readonly cards: number
  readonly inboxes: number
  readonly entries: number
  readonly objects: number
  readonly bytes: number
}

/** The kinds of records. */
export interface Records {
  readonly boxes: Collection<Box>
  readonly data: Collection<string>
  readonly due: Collection<null>
  readonly made: Collection<number>
  readonly personas: Collection<KeptPersona>
  readonly cards: Collection<KeptText>
  readonly personaDue: Collection<null>
  readonly guests: Collection<number>
  readonly inboxes: Collection<KeptInbox>
  readonly entries: Collection<KeptEntry>
  readonly senders: Collection<KeptSender>
  readonly marks: Collection<KeptMark>
  readonly inboxDue: Collection<null>
  readonly gone: Collection<null>
  readonly objects: Collection<KeptObject>
  readonly objectDue: Collection<null>
  readonly unfinished: Collection<number>
  readonly owned: Collection<number>
  readonly totals: Collection<Totals>
}

const MESSAGE_KIND = 'msg'
/** The beginning of the keys of records that are read soon after they were written: an owner who waits fetches a message within a second. */
export const READ_SOON: string = `${MESSAGE_KIND}/`

/** @param totals how the totals become bytes, where they are no record of the store itself */
export function recordsOf(store: Store, totals: Codec<Totals> = TOTALS_CODEC): Records {
  return {
    boxes: new Collection(store, 'box', BOX_CODEC),
    data: new Collection(store, MESSAGE_KIND, DATA_CODEC),
    due: new Collection(store, 'due', EMPTY_CODEC),
    made: new Collection(store, 'made', COUNT_CODEC),
    personas: new Collection(store, 'persona', PERSONA_CODEC),
    cards: new Collection(store, 'card', CARD_TEXT_CODEC),
    personaDue: new Collection(store, 'pdue', EMPTY_CODEC),
    guests: new Collection(store, 'guest', COUNT_CODEC),
    inboxes: new Collection(store, 'inbox', INBOX_CODEC),
    entries: new Collection(store, 'entry', ENTRY_CODEC),
    senders: new Collection(store, 'sender', SENDER_CODEC),
    marks: new Collection(store, 'mark', MARK_CODEC),
    inboxDue: new Collection(store, 'idue', EMPTY_CODEC),
    gone: new Collection(store, 'gone', EMPTY_CODEC),
    objects: new Collection(store, 'object', OBJECT_CODEC),
    objectDue: new Collection(store, 'objectdue', EMPTY_CODEC),
    unfinished: new Collection(store, 'arriving', BEGUN_CODEC),
    owned: new Collection(store, 'owned', COUNT_CODEC),
    totals: new Collection(store, 'total', totals),
  }
}

const BOX_CODEC: Codec<Box> = { version: 1, encode: encodeBox, decode: decodeBox }
export const COUNT_CODEC: Codec<number> = jsonCodec(1, checkCount)
/** The first relays kept no moment. */
const BEGUN_CODEC: Codec<number> = {
  ...COUNT_CODEC,
  decode: (bytes) => (bytes.length === 0 ? 0 : COUNT_CODEC.decode(bytes)),
}
const TOTALS_CODEC: Codec<Totals> = jsonCodec(1, (value) => {
  // The first relays kept no cards, and the next ones no inboxes and no objects.
  const { boxes, messages, cards = 0, inboxes = 0, entries = 0, objects = 0, bytes } = value as Partial<Totals>
  return {
    boxes: checkCount(boxes),
    messages: checkCount(messages),
    cards: checkCount(cards),
    inboxes: checkCount(inboxes),
    entries: checkCount(entries),
    objects: checkCount(objects),
    bytes: checkCount(bytes),
  }
})
const DATA_CODEC: Codec<string> = {
  version: 1,
  encode: encodeUtf8,
  decode: (bytes) => {
    const text = decodeUtf8(bytes)
    if (text === null) throw new Error('not UTF-8')
    return text
  },
}
export const EMPTY_CODEC: Codec<null> = { version: 1, encode: () => new Uint8Array(0), decode: () => null }

/** The keys, none of them of a record, between which all records of personas lie. */
export const PERSONA_RANGE: { readonly from: string; readonly to: string } = { from: 'arriving/', to: 'sender/~' }

const MOMENT_DIGITS = 14 // 2^53 has 14 hexadecimal digits

export function messageId(box: BoxId, atUs: number): string {
  return `${box}/${formatMoment(atUs)}`
}

/** @param n number of the entry, which is a moment */
export function entryId(inbox: InboxId, n: number): string {
  return `${inbox}/${formatMoment(n)}`
}

export function numberOf(entry: string): number {
  return Number.parseInt(entry.slice(-MOMENT_DIGITS), 16)
}

export function senderId(inbox: InboxId, from: PersonaId): string {
  return `${inbox}/${from}`
}

export function markId(inbox: InboxId, { from, bodyHash }: Pick<KeptEntry, 'from' | 'bodyHash'>): string {
  return `${inbox}/${from}/${bodyHash}`
}

/** @param id of a box, a persona, an inbox, a mark or an object */
export function dueId(id: string, dueUs: number): string {
  return `${formatMoment(dueUs)}/${id}`
}

export function parseDueId(key: string): { readonly dueUs: number; readonly id: string } {
  return { dueUs: Number.parseInt(key.slice(0, MOMENT_DIGITS), 16), id: key.slice(MOMENT_DIGITS + 1) }
}

/** The keys of moments that have come: at most `limit`, the earliest first. */
export async function dueKeys(due: Collection<null>, nowUs: number, limit: number): Promise<string[]> {
  const keys: string[] = []
  if (limit === 0) return keys
  for await (const [key] of due.iterate({ limit })) {
    if (parseDueId(key).dueUs > nowUs) break
    keys.push(key)
  }
  return keys
}

export function formatMoment(us: number): string {
  return us.toString(16).padStart(MOMENT_DIGITS, '0')
}
