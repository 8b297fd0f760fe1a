/** The methods of the owner's relays (docs/ipc.md, section 3, relay). */
import * as z from '../../schema/zod.ts'
import type { MethodSpec } from './method.ts'
import { method, noParams, type Empty } from './params.ts'

/** A relay where the owner receives. */
export interface RelayView {
  url: string
  /** The operator gave the owner a token, which others need a right of to send. */
  hasToken: boolean
  from: 'configuration' | 'added'
}

/** A relay gave these facts about itself when it was tried. */
export interface RelayAbout {
  /** Such as `persona-relay 0.2.0`; null if it does not tell. */
  software: string | null
  /** The name of its operator; empty if they gave none. */
  operator: string
  terms: string
  price: string
  /** Only those who have a right from the owner of a box may send. */
  needsToken: boolean
  /** How far its clock is ahead of this computer's; null if it does not tell. */
  aheadSec: number | null
}

export interface RelayAdded {
  relay: RelayView
  /** null if it did not work, and was added all the same. */
  about: RelayAbout | null
}

const url = z.string().min(1).max(512) // sanity: the rules of addresses decide; this only bounds the work
const token = z
  .string()
  .min(1)
  .max(256) // sanity: persona-relay makes tokens of 43 characters
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')

export const relayView: z.ZodType<RelayView> = z.strictObject({
  url: z.string(),
  hasToken: z.boolean(),
  from: z.enum(['configuration', 'added']),
})

export const relayAbout: z.ZodType<RelayAbout> = z.strictObject({
  software: z.string().nullable(),
  operator: z.string(),
  terms: z.string(),
  price: z.string(),
  needsToken: z.boolean(),
  aheadSec: z.int().nullable(),
})

export interface RelayMethods {
  'relay.list': MethodSpec<Empty, { relays: RelayView[] }>
  'relay.add': MethodSpec<{ url: string; token?: string; force?: true }, RelayAdded>
  'relay.remove': MethodSpec<{ url: string }, { relays: RelayView[] }>
}

export const RELAY_METHODS: RelayMethods = {
  'relay.list': method(
    'admin',
    'List the relays where the owner receives',
    noParams,
    z.strictObject({ relays: z.array(relayView) }),
  ),
  'relay.add': method(
    'admin',
    'Try a relay and receive there from now on; with force, also if it does not work now',
    z.strictObject({ url, token: token.exactOptional(), force: z.literal(true).exactOptional() }),
    z.strictObject({ relay: relayView, about: relayAbout.nullable() }),
  ),
  'relay.remove': method(
    'admin',
    'Receive at a relay no more, in channels that are made from now on',
    z.strictObject({ url }),
    z.strictObject({ relays: z.array(relayView) }),
  ),
}
