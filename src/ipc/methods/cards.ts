/** The methods of the own cards (docs/ipc.md, section 3, card). */
import * as z from '../../schema/zod.ts'
import { isAppName } from '../../core/encoding/app-name.ts'
import { isWebAddress, withSlash } from '../../core/encoding/web-address.ts'
import { count, seconds } from '../shapes/scalars.ts'
import type { MethodSpec } from './method.ts'
import { method, noParams, type Empty } from './params.ts'

export const CARD_STATES = [
  'listed', // this device stands in the card
  'waits', // it is due to be signed, and cannot be signed now
  'taken-out', // somebody took this device out: `card.rejoin` puts it back
  'full', // it has no room for this device
  'elsewhere', // only other devices of the owner use the app
] as const
export type CardState = (typeof CARD_STATES)[number]

/** A device in an own card. */
export interface CardDevice {
  /** Nickname of the device in the table; null for a device that no table here lists. */
  device: string | null
  /** It is the device of this daemon. */
  here: boolean
  /** A rotation on this device would take it along. */
  approved: boolean
}

/** The card of the own persona for an app. */
export interface CardView {
  app: string
  state: CardState
  epoch: number
  seq: number
  expiresAtSec: number
  devices: CardDevice[]
  /** Relays where the card lies, the preferred first. */
  stores: string[]
  /** Relays where others leave messages for the app, the preferred first. */
  inboxes: string[]
}

const cardView: z.ZodType<CardView> = z.strictObject({
  app: z.string(),
  state: z.enum(CARD_STATES),
  epoch: count,
  seq: count,
  expiresAtSec: seconds,
  devices: z.array(z.strictObject({ device: z.string().nullable(), here: z.boolean(), approved: z.boolean() })),
  stores: z.array(z.string()),
  inboxes: z.array(z.string()),
})

const MAX_ADDRESSES = 4 // format: a card names at most 4 stores, and as many inboxes
const app: z.ZodType<string> = z.string().max(100).refine(isAppName, 'must be the name of an app, such as chat')
const relay = z
  .string()
  .overwrite(withSlash)
  .max(255)
  .refine(isWebAddress, 'must be the address of a relay, such as https://relay.example/')
/** Relays for an app, the preferred first. */
export const relays: z.ZodType<string[]> = z.array(relay).max(MAX_ADDRESSES)

export interface CardsMethods {
  'card.list': MethodSpec<Empty, { cards: CardView[] }>
  'card.rejoin': MethodSpec<{ app: string }, CardView>
  'card.stores': MethodSpec<{ app: string; stores: string[] }, CardView>
  'card.inboxes': MethodSpec<{ app: string; inboxes: string[] }, CardView>
}

export const CARDS_METHODS: CardsMethods = {
  'card.list': method(
    'admin',
    'List the cards of your persona: for each app the devices in it, and where it lies',
    noParams,
    z.strictObject({ cards: z.array(cardView) }),
  ),
  'card.rejoin': method(
    'admin',
    'Put this device back into the card of an app, from which somebody took it out',
    z.strictObject({ app }),
    cardView,
  ),
  'card.stores': method(
    'admin',
    'Say at which relays the card of an app lies; none takes it to no relay any more',
    z.strictObject({ app, stores: relays }),
    cardView,
  ),
  'card.inboxes': method(
    'admin',
    'Say at which relays others leave messages for an app; none lets them leave none',
    z.strictObject({ app, inboxes: relays }),
    cardView,
  ),
}
