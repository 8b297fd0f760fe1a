/** Answers the methods of the own cards (docs/ipc.md, section 3, card). */
import type { VerifiedCard } from '../../card/verify.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { CardState, CardsMethods, CardView } from '../../ipc/methods/cards.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { ownOf } from '../state/view.ts'
import { noneFor } from './errors.ts'
import { knownCards } from './kept/known.ts'
import type { OwnCards } from './own-cards.ts'
import { appOf, ownAppsNow, type OwnState } from './own-record.ts'
import type { CardReader } from './kept/read-card.ts'
import type { OwnAppsRecord } from './kept/records.ts'
import { tagsOf } from './tags.ts'

export interface CardMethodsMeans {
  readonly keeper: Keeper
  readonly reader: CardReader
  readonly own: OwnCards
}

export function cardHandlers(means: CardMethodsMeans): Handlers<CardsMethods> {
  const { own } = means
  const after = async (app: string, work: Promise<void>): Promise<CardView> => {
    await work
    const view = viewsOf(means).find((card) => card.app === app)
    if (view === undefined) throw noneFor(app)
    return view
  }
  return {
    'card.list': () => ({ cards: viewsOf(means) }),
    'card.rejoin': ({ app }) => after(app, own.rejoin(app)),
    'card.stores': ({ app, stores }) => after(app, own.setStores(app, stores)),
    'card.inboxes': ({ app, inboxes }) => after(app, own.setInboxes(app, inboxes)),
  }
}

function viewsOf({ keeper, reader, own }: CardMethodsMeans): CardView[] {
  const now = ownOf(keeper.onDisk)
  if (now === null) return []
  const record = ownAppsNow(now, keeper.onDisk, keeper)
  const { cards } = knownCards(record.personaId, keeper.onDisk, reader)
  const waiting = new Map(own.waiting.map(({ app, due }) => [app, due]))
  const stateOf = (app: string): CardState => {
    if (appOf(record, app) === undefined) return 'elsewhere'
    const due = waiting.get(app)
    if (due === undefined) return 'listed'
    if (due === 'asks') return 'taken-out'
    return own.isFull(app) ? 'full' : 'waits'
  }
  return [...cards.values()]
    .map((card) => ({
      app: card.app,
      state: stateOf(card.app),
      epoch: card.chain.epoch,
      seq: card.seq,
      expiresAtSec: card.expiresAtSec,
      devices: devicesOf(card, now, record, keeper),
      stores: [...card.stores],
      inboxes: [...card.inboxes],
    }))
    .toSorted((a, b) => (a.app < b.app ? -1 : 1))
}

function devicesOf(
  card: VerifiedCard,
  { persona }: OwnState,
  record: OwnAppsRecord,
  { engine }: Keeper,
): CardView['devices'] {
  const tagged = persona.devices.map(({ key, name }) => ({
    key,
    name,
    tags: tagsOf(key, record.reads, persona.root, engine),
  }))
  const mine = appOf(record, card.app)?.sig
  return card.devices.map(({ tag, sig }) => {
    const listed = tagged.find(({ tags }) => tags.has(formatHex(tag)))
    const here = formatHex(sig) === mine
    const isApproved = record.approved.some(
      (entry) => entry.app === card.app && entry.device === listed?.key && entry.sig === formatHex(sig),
    )
    return { device: listed?.name ?? null, here, approved: here || isApproved }
  })
}
