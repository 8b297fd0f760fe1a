/** The records of cards: for each persona the cards that count, by app. They are no secret to those who keep them. */
import * as z from '../../../schema/zod.ts'
import { MAX_CARD_CHARS } from '../../../card/card.ts'
import type { CardPosition } from '../../../card/edit.ts'
import { isAppName } from '../../../core/encoding/app-name.ts'
import { kind, type Kind } from '../../state/kind.ts'

/** The card of a persona for an app. */
export interface AppCard {
  readonly app: string
  /** A compact JWS. */
  readonly text: string
  /** When it came to count here. */
  readonly sinceSec: number
}

/** The cards of a persona. The id is the PersonaID. */
export interface CardsRecord {
  /** c_0 that the first card pinned, 64 hex digits. A chain that the persona's own record pins goes before it. */
  readonly root: string
  /** At most {@link MAX_APPS}. */
  readonly cards: readonly AppCard[]
  /** A card of an app that is not kept, and of a higher epoch than all cards that are: it ends the epochs below its own. */
  readonly proof?: string
  /** The first card of a second chain that was seen. It proves that somebody else has K_0. */
  readonly rival?: string
  /** When it was seen. Absent in records from before this field. */
  readonly rivalSec?: number
  /** When the highest epoch was first seen here. Absent until one follows that of the first card. */
  readonly raised?: { readonly epoch: number; readonly sinceSec: number }
  /** At most {@link MAX_BESIDE}, the last one last. */
  readonly beside?: readonly AppCard[]
  /** Cards of a snapshot, which nobody has verified yet. */
  readonly arrived?: readonly string[]
}

/** Cards beside those that count: of the same epoch, and the one that counts need not know of them, since siblings may have no store in common. */
export const MAX_BESIDE = 4 // sanity: a persona has few devices; a record stays below 256 KiB

export const MAX_APPS = 16 // sanity: as many as a relay keeps cards of one persona; a record then stays below 256 KiB

const cardText = z
  .string()
  .max(MAX_CARD_CHARS)
  .regex(/^[A-Za-z0-9_.-]+$/)

const shape = z.object({
  root: z.string().regex(/^[0-9A-F]{64}$/),
  cards: z.array(z.object({ app: z.string().refine(isAppName), text: cardText })).max(MAX_APPS),
  rival: cardText.optional(),
})

const ID = /^[0-9A-F]{64}$/

/** Travels always: a restored or joined device must not take an older card for the newest. */
export const CARDS: Kind<CardsRecord> = kind('cards', {
  travels: 'always',
  isCached: true,
  arrival: {
    read: (id, value) => {
      const read = shape.safeParse(value)
      if (!read.success || !ID.test(id)) return null
      // Nothing here can verify them. They are judged like any card once the snapshot is in.
      const { root, cards, rival } = read.data
      return { root, cards: [], arrived: [...cards.map(({ text }) => text), ...(rival === undefined ? [] : [rival])] }
    },
    merge: (came, here) => ({ ...(here ?? came), arrived: came.arrived ?? [] }),
  },
})

/** Personas of which a card is kept, and who are no contacts. The id is {@link STRANGERS}. */
export interface StrangersRecord {
  /** PersonaIDs; the one whose card came last is last. */
  readonly ids: readonly string[]
}

export const STRANGERS = 'all'
export const MAX_STRANGERS = 1024 // sanity: peers of channels who are no contacts; the one of whom nothing came for longest is forgotten first

export const CARD_STRANGERS: Kind<StrangersRecord> = kind('cardstrangers', { travels: 'never' })

/** A card of this device. */
export interface SaidIn {
  readonly epoch: number
  readonly seq: number
  /** SHA-256 of the card, 64 hex digits. */
  readonly hash: string
}

/** How this device stands in the card of an app. Its secret keys are elsewhere. */
export interface OwnApp {
  readonly app: string
  /** The keys of this device, 64 hex digits each. */
  readonly sig: string
  readonly enc: string
  /** When `enc` was drawn. */
  readonly encSec: number
  /** The latest card with an entry of this device that was read back as the one that counts. */
  readonly listedAt: CardPosition | null
  /** Where the owner wants the card to lie: addresses of relays, the preferred first. Null where they said nothing here. */
  readonly stores: readonly string[] | null
  /** The same for the inboxes of the app. Absent in records from before this field. */
  readonly inboxes?: readonly string[] | null
  /** The own cards that first had these words of the owner. Absent for words that no card has yet, and in records from before this field. */
  readonly saidIn?: { readonly inboxes?: SaidIn; readonly stores?: SaidIn }
}

/** The keys of another device of the owner, which the owner approved here. */
export interface ApprovedEntry {
  readonly app: string
  /** Key of the device in the table, 64 hex digits. */
  readonly device: string
  readonly sig: string
  readonly enc: string
}

/** This device in the cards of the own persona. The id is {@link OWN_APPS_ID}. */
export interface OwnAppsRecord {
  readonly personaId: string
  /** The epoch of the key that signed the last cards. */
  readonly epoch: number
  /** The last two values of the document key `read`, the present one first; null stands for none. Tags of siblings are by one of them. */
  readonly reads: readonly (string | null)[]
  readonly apps: readonly OwnApp[]
  readonly approved: readonly ApprovedEntry[]
  /** The state was restored or copied since the keys were drawn: another daemon may have them too, so the next card has new ones. */
  readonly isOld: boolean
}

export const OWN_APPS_ID = 'own'

/** Never travels: a restored device draws new keys, and a joined one has its own. */
export const OWN_APPS: Kind<OwnAppsRecord> = kind('cardown', { travels: 'never', isCached: true })

/** The kinds of records about cards. */
export const CARD_KINDS: readonly Kind<unknown>[] = [CARDS, CARD_STRANGERS, OWN_APPS]
