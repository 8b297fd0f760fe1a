/** Signs the items of the own table, and forwards from keys that are about to be erased. Inside of a change (docs/announce.md, sections 3 and 6). */
import { signForwards, signItems, type AnnounceDraft, type SignItem } from '../../core/announce/items.ts'
import { itemSeq } from '../../core/announce/place.ts'
import { formatRead, readSettings } from '../../core/announce/settings.ts'
import { equalBytes, formatHex, parseBase64url, parseHex } from '../../core/encoding/bytes.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { SpentKey } from '../keeper/held-keys.ts'
import { headOf } from '../personas/heads.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { State } from '../state/state.ts'
import { ownOf } from '../state/view.ts'
import { EPOCHS, epochId, epochOf, newest, placeOf, recordOf, type EpochRecord } from './items.ts'
import { blobIn, placesOf, tidy } from './kept.ts'

const REMOVED_SEC = 60 * 86_400 // format: a friend who knows only a device that was removed lately still finds the table (section 4)

/**
 * Notes how the epoch of the head is announced, for the forward that its key signs at its end. Needs no key. Items of earlier settings are
 * forgotten, and all of the persona before.
 */
export function noteHead(blob: VerifiedBlob, state: State): void {
  tidy(blob, state)
  const known = knownOf(blob, state)
  const noted = notedWith(known, blob)
  if (noted !== known) stage(noted, state)
}

/** Signs the items of the head. @param sign by K_e */
export function signHead(blob: VerifiedBlob, own: OwnRecord, state: State, engine: CryptoEngine, sign: SignItem): void {
  if (!blob.content.ok) return
  const { read, kind } = readSettings(blob.content.document)
  if (kind === null) return
  const known = notedWith(knownOf(blob, state), blob)
  const forwards = known.items.filter(({ isForward }) => isForward)
  const removed = own.notes.filter(({ goneSec }) => goneSec !== null && state.nowSec - goneSec < REMOVED_SEC)
  const removedKeys = removed.map(({ key }) => parseHex(key)!)
  const { items } = signItems({ blob, read, kind, removedKeys }, engine, sign)
  const records = items.map((item) => recordOf(item, false))
  stage({ ...known, items: newest(records, forwards) }, state)
}

/** Whether the items of this head are signed, or it has none. */
export function isSigned(blob: VerifiedBlob, state: Pick<State, 'of'>, engine: CryptoEngine): boolean {
  if (!blob.content.ok) return true
  const { kind } = readSettings(blob.content.document)
  if (kind === null || itemSeq(blob) === null) return true
  const noted = notedWith(knownOf(blob, state), blob)
  const own = noted.items.filter((item) => {
    const brought = blobIn(noted, item, blob, engine)
    return brought !== null && equalBytes(brought.bytes, blob.bytes)
  })
  return new Set(own.map(placeOf)).size === placesOf(kind)
}

function knownOf({ personaId, epoch }: VerifiedBlob, state: Pick<State, 'of'>): EpochRecord {
  return epochOf(epoch, formatHex(personaId), state)
}

/** The record as the settings of the head ask for; the same object if it is so already. */
function notedWith(known: EpochRecord, { content }: VerifiedBlob): EpochRecord {
  if (!content.ok) return known
  const settings = readSettings(content.document)
  const read = settings.read === null ? null : formatRead(settings.read)
  // After `announce off` friends still look where they looked before, so the kind stays for the forward.
  const kind = settings.kind ?? known.kind
  const isSame = read === known.read && kind === known.kind
  const items = isSame && settings.kind !== null ? known.items : known.items.filter(({ isForward }) => isForward)
  if (isSame && items.length === known.items.length) return known
  return { ...known, read, kind, items }
}

/**
 * A key that is about to be erased signs what leads from its epoch to the head, unless that epoch has its forwards. Without the key they can
 * never be made again.
 */
export function signForward({ epoch, publicKey, sign }: SpentKey, state: State): void {
  const { engine } = state
  const own = ownOf(state.records)
  const head = own === null ? null : headOf(own.persona, state)
  if (head === null || head.epoch <= epoch) return
  // A second rotation may come before anything else notes the epoch of this one.
  noteHead(head, state)
  const known = lastKnown(epochOf(epoch, formatHex(head.personaId), state), head)
  const kind = known.kind ?? 'contacts'
  const key = formatHex(publicKey)
  const made = known.items.filter(
    (item) => item.isForward && item.publicKey === key && leadsOn(blobIn(known, item, head, engine), epoch),
  )
  if (new Set(made.map(placeOf)).size === placesOf(kind)) return
  const read = known.read === null ? null : parseBase64url(known.read)
  const draft: AnnounceDraft = { blob: head, read, kind, removedKeys: [] }
  const forwards = signForwards(draft, publicKey, engine, sign).items.map((item) => recordOf(item, true))
  // The items of the table of that epoch are over: a forward replaces each.
  stage({ ...known, items: forwards }, state)
}

/** After a recovery from the words nothing is known of earlier epochs. Then `read` is that of the head, because a rotation keeps it. */
function lastKnown(known: EpochRecord, { content }: VerifiedBlob): EpochRecord {
  if (known.read !== null || known.kind !== null || known.items.length > 0 || !content.ok) return known
  const { read } = readSettings(content.document)
  return read === null ? known : { ...known, read: formatRead(read) }
}

function leadsOn(blob: VerifiedBlob | null, epoch: number): boolean {
  return blob !== null && blob.epoch > epoch
}

function stage(record: EpochRecord, state: State): void {
  state.stage(state.of(EPOCHS).put(epochId(record.epoch), record))
}
