/** The cards that are known of a persona, verified, and the standing of its devices (docs/card.md, section 4). Pure: it reads records. */
import { judgeCard, type CardVerdict } from '../../../card/order.ts'
import type { VerifiedCard } from '../../../card/verify.ts'
import { equalBytes, formatHex } from '../../../core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../../core/limits.ts'
import { storedBytes, type Records } from '../../state/records.ts'
import { currentId } from '../../state/view.ts'
import type { CardReader } from './read-card.ts'
import { CARDS, type CardsRecord } from './records.ts'

/**
 * The place of a peer's device by the newest card of the highest epoch that is known of its persona.
 * - `listed`: the card lists the device.
 * - `unlisted`: it does not. Nothing is sent to the device, and nothing of it is taken.
 * - `unconfirmed`: the persona has rotated, and no card of the new epoch came yet; or the device showed a card of its own beside the newest one,
 *   which need not know of it. It lasts 7 days at most.
 * - `unknown`: no card of this persona for this app is kept.
 */
export type Standing = 'listed' | 'unlisted' | 'unconfirmed' | 'unknown'

/** Above every epoch: a persona with a successor signs no card that counts. */
const ENDED: number = MAX_EPOCH + 1

const GRACE_SEC = 7 * 86_400 // format: the other devices of a persona that rotated get the new key within a week, or their channels wait

/** All that is known of a persona before a card of it comes in. */
export interface KnownCards {
  readonly personaId: string
  /** undefined if no card is kept. */
  readonly record: CardsRecord | undefined
  /** The pinned c_0; null if nothing of the persona was verified before. */
  readonly root: Uint8Array | null
  /** The highest epoch seen: in its table, in a contact link, or in a card of whatever app. Above the last one if it has a successor. */
  readonly epoch: number
  /** The cards that count, by app. Their epoch may be over. */
  readonly cards: ReadonlyMap<string, VerifiedCard>
}

export function knownCards(personaId: string, records: Records, reader: CardReader): KnownCards {
  const record = records.of(CARDS).get(personaId)
  const persona = records.personas.get(personaId) ?? records.forgotten.get(personaId)
  const pinned = persona?.root ?? record?.root
  const root = pinned === undefined ? null : storedBytes(pinned)
  const read = (text: string): VerifiedCard[] => {
    const card = reader.read(text)
    // The owner may have pinned another chain since.
    return card !== null && root !== null && equalBytes(card.root, root) ? [card] : []
  }
  const cards = (record?.cards ?? []).flatMap(({ text }) => read(text))
  const proof = record?.proof === undefined ? [] : read(record.proof)
  const seen = [...cards, ...proof].map(({ chain }) => chain.epoch)
  const epoch = Math.max(
    persona?.minEpoch ?? 0,
    persona?.epoch ?? 0,
    persona?.replacedBy === undefined ? 0 : ENDED,
    ...seen,
  )
  return { personaId, record, root, epoch, cards: new Map(cards.map((card) => [card.app, card])) }
}

/** The card of a persona for an app, unless its epoch is over. */
export function countingCard(
  personaId: string,
  app: string,
  records: Records,
  reader: CardReader,
): VerifiedCard | null {
  const { cards, epoch } = knownCards(personaId, records, reader)
  const card = cards.get(app)
  return card?.chain.epoch === epoch ? card : null
}

/** The verdict on a card of the persona that `known` is about. */
export function verdictOn(card: VerifiedCard, { root, epoch, cards }: KnownCards): CardVerdict {
  return judgeCard(card, { root, minEpoch: epoch, head: cards.get(card.app) ?? null })
}

export function personaOf({ chain }: VerifiedCard): string {
  return formatHex(chain.personaId)
}

export function listsKey({ devices }: Pick<VerifiedCard, 'devices'>, deviceKey: Uint8Array): boolean {
  return devices.some(({ sig }) => equalBytes(sig, deviceKey))
}

/** See {@link Standing}. A contact whose persona was succeeded stands by the cards of the successor. */
export function standingIn(
  personaId: string,
  app: string,
  deviceKey: Uint8Array,
  { records, reader, nowSec }: { readonly records: Records; readonly reader: CardReader; readonly nowSec: number },
): Standing {
  const successorId = currentId(personaId, records)
  const later = successorId === personaId ? undefined : knownCards(successorId, records, reader).cards.get(app)
  if (later !== undefined) return listsKey(later, deviceKey) ? 'listed' : 'unlisted'
  const { cards, epoch, record } = knownCards(personaId, records, reader)
  const card = cards.get(app)
  if (card === undefined) return 'unknown'
  if (!listsKey(card, deviceKey)) {
    const isBeside = (record?.beside ?? []).some(({ app: other, text, sinceSec }) => {
      const beside = other === app && nowSec - sinceSec < GRACE_SEC ? reader.read(text) : null
      return beside !== null && beside.chain.epoch === epoch && listsKey(beside, deviceKey)
    })
    return isBeside ? 'unconfirmed' : 'unlisted'
  }
  if (card.chain.epoch === epoch) return 'listed'
  const sinceSec = record?.raised?.epoch === epoch ? record.raised.sinceSec : nowSec
  return nowSec - sinceSec < GRACE_SEC ? 'unconfirmed' : 'unlisted'
}
