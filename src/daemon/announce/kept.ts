/**
 * Which kept items this persona made. A record may be of a former persona of this daemon, or come from a sibling in the hands of a thief, so
 * only what an item brings counts, as for a friend.
 */
import { judgeItem, type ChainPlace } from '../../core/announce/judge.ts'
import { readingKey } from '../../core/announce/place.ts'
import type { AnnounceKind } from '../../core/announce/settings.ts'
import { formatHex, parseBase64url } from '../../core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { State } from '../state/state.ts'
import { EPOCHS, epochId, newest, signedOf, type EpochRecord, type ItemRecord } from './items.ts'

/** Where contacts look for this item of the own persona. */
export function placeIn(
  { epoch, read }: EpochRecord,
  item: ItemRecord,
  { personaId, root }: VerifiedBlob,
  engine: CryptoEngine,
): ChainPlace {
  const reading = readingKey(root, read === null ? null : parseBase64url(read), engine)
  return { personaId, root, epoch, signingKey: signedOf(item).publicKey, readingKey: reading }
}

/** The blob that contacts get by this item; null if they would refuse it. @param head of the own persona */
export function blobIn(
  record: EpochRecord,
  item: ItemRecord,
  head: VerifiedBlob,
  engine: CryptoEngine,
): VerifiedBlob | null {
  const place = placeIn(record, item, head, engine)
  const judged = judgeItem(signedOf(item), place, { engine, deviceKeys: [] })
  return judged.verdict === 'blob' && !judged.provesTheft ? judged.blob : null
}

/** The best item for each place of those that contacts would take. */
export function goodItems(record: EpochRecord, head: VerifiedBlob, engine: CryptoEngine): readonly ItemRecord[] {
  const good = record.items.filter((item) => blobIn(record, item, head, engine) !== null)
  return good.length === record.items.length ? record.items : newest(good, [])
}

/** How many places a table of this kind is at. */
export function placesOf(kind: AnnounceKind): number {
  return kind === 'contacts' ? 1 : 2
}

/** Drops records of other personas, and items that contacts would refuse. Inside of a change. @param head null without a persona */
export function tidy(head: VerifiedBlob | null, state: State): void {
  const records = state.of(EPOCHS)
  const personaId = head === null ? null : formatHex(head.personaId)
  for (let epoch = 0; epoch <= MAX_EPOCH; epoch++) {
    const id = epochId(epoch)
    const known = records.get(id)
    if (known === undefined) continue
    if (head === null || personaId === null || (known.personaId ?? personaId) !== personaId) {
      state.stage(records.remove(id))
      continue
    }
    const items = goodItems(known, head, state.engine)
    if (items !== known.items || known.personaId === undefined)
      state.stage(records.put(id, { ...known, personaId, items }))
  }
}
