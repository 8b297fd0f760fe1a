/**
 * Signs the cards of the own persona that are due, in the change that made them due: a rotation and the cards of its epoch go to disk
 * together (docs/card.md, section 5). Inside of a change.
 */
import { signCard, type CardEntry } from '../../card/card.ts'
import { nextCard } from '../../card/edit.ts'
import type { VerifiedCard } from '../../card/verify.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import { MAX_DEVICES } from '../../core/limits.ts'
import type { Custody } from '../custody/custody.ts'
import { isUnlisted } from '../own/notes.ts'
import { positionOf } from '../own/own-records.ts'
import { storedBytes } from '../state/records.ts'
import type { State } from '../state/state.ts'
import { ownOf } from '../state/view.ts'
import { knownCards } from './kept/known.ts'
import { dueOf } from './own-due.ts'
import { isUnsaid, placesOf, PLACES, saidBy, type Places } from './own-places.ts'
import { appOf, ownAppsNow, putOwnApps, withApp, type OwnState } from './own-record.ts'
import type { CardReader } from './kept/read-card.ts'
import { CARDS, OWN_APPS, OWN_APPS_ID, type OwnApp, type OwnAppsRecord } from './kept/records.ts'
import { takeCard } from './kept/take-card.ts'
import { ownKey, storesIn, tagsOf, tagUnder } from './tags.ts'

/** The means inside of a change. */
export interface SigningMeans {
  readonly state: State
  readonly custody: Custody
  readonly reader: CardReader
}

/**
 * Called at the end of each change of the owner's record or table.
 * @param before both records before the change; null if there was no persona
 */
export function settleCards(before: OwnState | null, means: SigningMeans): void {
  const { state } = means
  const after = ownOf(state.records)
  if (before !== null && after === null) return leaveCards(before, means)
  if (after === null) return
  if (before !== null && before.own.personaId !== after.own.personaId) succeedCards(before, after, state)
  const record = ownAppsNow(after, state.records, state)
  // Most owners use no app, and then nothing is written.
  if (record.apps.length === 0 && state.of(CARDS).get(after.own.personaId) === undefined) return
  putOwnApps(record, state)
  const isSamePersona = before?.own.personaId === after.own.personaId
  const removed = isSamePersona ? removedKeys(before.persona, after.persona) : []
  signDue(after, record, removed, means)
}

function removedKeys(before: OwnState['persona'], after: OwnState['persona']): string[] {
  const listed = new Set(after.devices.map(({ key }) => key))
  return before.devices.map(({ key }) => key).filter((key) => !listed.has(key))
}

/** The last cards of this device: without it. The persona is given up in this change, or with all else that is erased. */
export function leaveCards(before: OwnState, means: SigningMeans): void {
  const { state } = means
  const record = ownAppsNow(before, state.records, state)
  if (record.apps.length === 0) return
  for (const { app } of record.apps) {
    const head = knownCards(record.personaId, state.records, means.reader).cards.get(app)
    if (head !== undefined && head.chain.epoch === before.own.epoch && maySign(before, means))
      sign(before, { ...record, isOld: true }, app, head, new Set(), means)
  }
  state.stage(state.of(OWN_APPS).remove(OWN_APPS_ID))
}

/** The keys of this device go on in the cards of the new persona. */
function succeedCards(before: OwnState, after: OwnState, state: State): void {
  const record = ownAppsNow(before, state.records, state)
  if (record.apps.length === 0) return
  const { personaId, epoch } = after.own
  const apps = record.apps.map((app) => ({ ...app, listedAt: null, saidIn: {} }))
  putOwnApps({ ...record, personaId, epoch, apps, reads: [], approved: [] }, state)
}

/** Signs every card that this device must sign and can sign without another key. @param removed keys that the table has just dropped */
export function signDue(now: OwnState, record: OwnAppsRecord, removed: readonly string[], means: SigningMeans): void {
  if (!maySign(now, means)) return
  const { state, reader } = means
  const { engine, nowSec } = state
  const known = knownCards(record.personaId, state.records, reader)
  const gone = new Set(removed.flatMap((key) => [...tagsOf(key, record.reads, now.persona.root, engine)]))
  for (const name of new Set([...record.apps.map(({ app }) => app), ...known.cards.keys()])) {
    const head = known.cards.get(name) ?? null
    const app = record.isOld ? undefined : appOf(record, name)
    const entry = app === undefined ? null : ownEntry(app, now, record, engine)
    const due = entry === null ? 'no' : dueOf(head, entry, app!, now.own.epoch, nowSec)
    const isEnded = head !== null && head.chain.epoch < now.own.epoch
    const hasGone = head?.devices.some(({ tag }) => gone.has(formatHex(tag))) === true
    if (due === 'epoch' || due === 'entry' || due === 'places' || isEnded || (hasGone && due !== 'asks'))
      sign(now, record, name, head, gone, means)
  }
}

/** Whether the table lets this device sign, and it holds the key unlocked. */
export function maySign({ own, persona }: OwnState, { custody }: SigningMeans): boolean {
  if (own.restoredSec !== null || (own.succeededBy ?? null) !== null || own.epoch !== persona.epoch) return false
  return !isUnlisted(own, persona.devices) && (isOfSuccessor(own, custody) || isHeld(own, custody))
}

type Position = Pick<OwnState['own'], 'personaId' | 'epoch' | 'signingKey'>

function isHeld({ epoch, signingKey }: Position, custody: Custody): boolean {
  const held = custody.publicKey(epoch)
  return held !== null && formatHex(held) === signingKey
}

/** During a succession custody holds the key of the new persona beside those of the old one. */
function isOfSuccessor({ personaId }: Position, custody: Custody): boolean {
  const successor = custody.successor.position()
  return successor !== null && formatHex(successor.personaId) === personaId
}

/** Signs the next card of an app. A card that has no room for this device is left as it is: see {@link hasRoom}. */
export function sign(
  now: OwnState,
  record: OwnAppsRecord,
  name: string,
  head: VerifiedCard | null,
  gone: ReadonlySet<string>,
  { state, custody, reader }: SigningMeans,
): void {
  const { own } = now
  const { engine, nowSec } = state
  const app = appOf(record, name)
  // Keys that a copy of this state may have too are in no new card: see renewKeys().
  const here = app === undefined ? null : ownEntry(app, now, record, engine)
  const entry = record.isOld ? null : here
  const isRotated = head !== null && head.chain.epoch < own.epoch
  const others = isRotated ? approvedOf(now, record, head, engine) : othersOf(now, record, head, gone, engine)
  if (others.length + (entry === null ? 0 : 1) > MAX_DEVICES) return
  // Whoever had the old key may have written any address into its cards.
  const base = isRotated || head === null ? { inboxes: [], stores: storesIn(now.persona, state) } : head
  const said = here === null ? [] : PLACES.filter((places) => isUnsaid(app!, places, here, isRotated ? null : head))
  const card = nextCard({
    head: head === null ? null : { ...head, devices: others },
    chain: positionOf(own),
    app: name,
    own: entry,
    ownTag: entry?.tag ?? new Uint8Array(0),
    ...placesOf(app, said, base),
    nowSec,
  })
  const byKey = isOfSuccessor(own, custody)
    ? (message: Uint8Array): Uint8Array => custody.successor.sign(message)
    : custody.signer(own.epoch)
  const signed = reader.read(signCard(card, byKey))
  if (signed === null) throw new Error('the card just signed is not valid')
  takeCard(signed, true, state, reader)
  if (app !== undefined && said.length > 0) noteSaid(app, said, signed, state)
}

function noteSaid({ app }: OwnApp, said: readonly Places[], card: VerifiedCard, state: State): void {
  const record = state.of(OWN_APPS).get(OWN_APPS_ID)
  const known = record === undefined ? undefined : appOf(record, app)
  if (record !== undefined && known !== undefined) putOwnApps(withApp(record, saidBy(known, said, card)), state)
}

/** The entry of this device. */
export function ownEntry(
  { sig, enc }: OwnApp,
  { own, persona }: OwnState,
  { reads }: OwnAppsRecord,
  engine: State['engine'],
): CardEntry {
  const tag = tagUnder(reads[0] ?? null, persona.root, ownKey(own, persona, sig), engine)
  return { tag, sig: storedBytes(sig), enc: storedBytes(enc) }
}

/** Whether the card has room for this device. */
export function hasRoom(
  now: OwnState,
  record: OwnAppsRecord,
  head: VerifiedCard | null,
  engine: State['engine'],
): boolean {
  return othersOf(now, record, head, new Set(), engine).length < MAX_DEVICES
}

/** The entries of other devices in the card that counts. */
function othersOf(
  { own, persona }: OwnState,
  { reads, apps }: OwnAppsRecord,
  head: VerifiedCard | null,
  gone: ReadonlySet<string>,
  engine: State['engine'],
): CardEntry[] {
  const sigs = new Set(apps.map(({ sig }) => sig))
  const keys = [...own.localDevices, ...sigs]
  const mine = new Set(keys.flatMap((key) => [...tagsOf(key, reads, persona.root, engine)]))
  return (head?.devices ?? []).filter(({ tag, sig }) => {
    const digits = formatHex(tag)
    return !mine.has(digits) && !gone.has(digits) && !sigs.has(formatHex(sig))
  })
}

/**
 * The entries that a rotation takes along: of devices that stay in the table, with the keys that the owner approved here. Everybody who had
 * the old key could write other keys under the tag of such a device.
 */
function approvedOf(
  { own, persona }: OwnState,
  { reads, approved }: OwnAppsRecord,
  { app, devices }: VerifiedCard,
  engine: State['engine'],
): CardEntry[] {
  const tags = new Set(devices.map(({ tag }) => formatHex(tag)))
  return approved
    .filter((entry) => entry.app === app && !own.localDevices.includes(entry.device))
    .filter(({ device }) => persona.devices.some(({ key }) => key === device))
    .filter(({ device }) => [...tagsOf(device, reads, persona.root, engine)].some((tag) => tags.has(tag)))
    .map(({ device, sig, enc }) => ({
      tag: tagUnder(reads[0] ?? null, persona.root, device, engine),
      sig: storedBytes(sig),
      enc: storedBytes(enc),
    }))
    .slice(0, MAX_DEVICES - 1)
}
