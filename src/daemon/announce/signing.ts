/** Signs the items of the own table, and forwards from keys that are about to be erased. Inside of a change (docs/announce.md, sections 3 and 6). */
import { signForwards, signItems, type AnnounceDraft, type SignItem } from '../../core/announce/items.ts'
import { itemSeq } from '../../core/announce/place.ts'
import { formatRead, readSettings } from '../../core/announce/settings.ts'
import { formatHex, parseBase64url, parseHex } from '../../core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { State } from '../state/state.ts'
import { EPOCHS, epochId, epochOf, newest, recordOf, type EpochRecord } from './items.ts'

const REMOVED_SEC = 60 * 86_400 // format: a friend who knows only a device that was removed lately still finds the table (section 4)

/**
 * Notes how the epoch of the head is announced, for the forward that its key signs at its end. Needs no key. Items of earlier settings are
 * forgotten, and all of the persona before.
 */
export function noteHead(blob: VerifiedBlob, state: State): void {
  forgetOthers(blob, state)
  const known = epochOf(blob.epoch, formatHex(blob.personaId), state)
  const noted = notedWith(known, blob)
  if (noted !== known) stage(noted, state)
}

/** Once this persona has a successor, or the owner has left it for another one, its items lead to nobody who answers. */
function forgetOthers(blob: VerifiedBlob, state: State): void {
  const personaId = formatHex(blob.personaId)
  for (let epoch = 0; epoch <= MAX_EPOCH; epoch++) {
    const known = state.of(EPOCHS).get(epochId(epoch))
    if (known === undefined || known.personaId === personaId) continue
    if (known.personaId === undefined) stage({ ...known, personaId }, state)
    else state.stage(state.of(EPOCHS).remove(epochId(epoch)))
  }
}

/** Signs the items of the head. @param sign by K_e */
export function signHead(blob: VerifiedBlob, own: OwnRecord, state: State, engine: CryptoEngine, sign: SignItem): void {
  if (!blob.content.ok) return
  const { read, kind } = readSettings(blob.content.document)
  if (kind === null) return
  const known = notedWith(epochOf(blob.epoch, formatHex(blob.personaId), state), blob)
  const forwards = known.items.filter(({ isForward }) => isForward)
  const removed = own.notes.filter(({ goneSec }) => goneSec !== null && state.nowSec - goneSec < REMOVED_SEC)
  const removedKeys = removed.map(({ key }) => parseHex(key)!)
  const { items } = signItems({ blob, read, kind, removedKeys }, engine, sign)
  const records = items.map((item) => recordOf(item, false))
  stage({ ...known, items: newest(records, forwards) }, state)
}

/** Whether the items of this head are signed, or it has none. */
export function isSigned(blob: VerifiedBlob, state: Pick<State, 'of'>): boolean {
  if (!blob.content.ok) return true
  const { kind } = readSettings(blob.content.document)
  const seq = itemSeq(blob)
  if (kind === null || seq === null) return true
  const known = epochOf(blob.epoch, formatHex(blob.personaId), state)
  const own = notedWith(known, blob).items.filter(({ isForward }) => !isForward)
  return own.length === (kind === 'contacts' ? 1 : 2) && own.every((item) => item.seq === String(seq))
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

/** Signs what leads from an earlier epoch to the head, unless that epoch has its forward. */
export function signForward(
  epoch: number,
  publicKey: Uint8Array,
  blob: VerifiedBlob,
  state: State,
  engine: CryptoEngine,
  sign: SignItem,
): void {
  if (blob.epoch <= epoch) return
  const known = epochOf(epoch, formatHex(blob.personaId), state)
  if (known.items.some(({ isForward }) => isForward)) return
  const read = known.read === null ? null : parseBase64url(known.read)
  const draft: AnnounceDraft = { blob, read, kind: known.kind ?? 'contacts', removedKeys: [] }
  const forwards = signForwards(draft, publicKey, engine, sign).items.map((item) => recordOf(item, true))
  // The items of the table of that epoch are over: a forward replaces each.
  stage({ ...known, items: forwards }, state)
}

function stage(record: EpochRecord, state: State): void {
  state.stage(state.of(EPOCHS).put(epochId(record.epoch), record))
}
