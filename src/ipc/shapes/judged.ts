/** What a status message is worth and what an observation changed, as it travels over the socket (docs/ipc.md, section 4). */
import { z } from 'zod'
import { count, keyHex, seconds } from './scalars.ts'
import { freshness, tableDevice, type Freshness, type PairState, type TableDevice } from './contact.ts'

/** A blob whose signature and chain are good, in words and hex. */
export interface BlobView {
  version: number
  personaId: string
  epoch: number
  seq: number
  timeSec: number
  freshness: Freshness
  /** Dated more than two hours ahead of this clock. */
  clockAhead: boolean
  /** c_0, the commitment that a newcomer pins beside the PersonaID. */
  chainRoot: string
  prev: string
  tableHash: string
  devices: TableDevice[]
  /** null, or why the names could not be read while everything else is good. */
  documentCode: string | null
  bytes: number
}

export const blobView: z.ZodType<BlobView> = z.strictObject({
  version: z.literal(1),
  personaId: keyHex,
  epoch: count,
  seq: count,
  timeSec: seconds,
  freshness,
  clockAhead: z.boolean(),
  chainRoot: keyHex,
  prev: z.string(),
  tableHash: keyHex,
  devices: z.array(tableDevice),
  documentCode: z.string().nullable(),
  bytes: count,
})

/** How a blob stands against the head that is kept of its persona (docs/format.md, section 8). */
export type OrderVerdict = 'new' | 'accept' | 'refresh' | 'fork' | 'stale' | 'held' | 'violation'
export const orderVerdict: z.ZodType<OrderVerdict> = z.enum([
  'new',
  'accept',
  'refresh',
  'fork',
  'stale',
  'held',
  'violation',
])

/** The judgement of one status message. */
export interface VerifyResult {
  valid: boolean
  /** null when valid. */
  code: string | null
  message: string
  blob: BlobView | null
  /** The text without the token. */
  words: string
  bytes: number
  /** More than 1006 bytes: judged all the same, but no client may show it. */
  overLimit: boolean
  /** Against the stored head; null without a daemon or for an invalid text. */
  verdict: OrderVerdict | null
  /** Whether the table lists the device that shows it; null when `from` was not given. */
  listsSender: boolean | null
}

export const verifyResult: z.ZodType<VerifyResult> = z.strictObject({
  valid: z.boolean(),
  code: z.string().nullable(),
  message: z.string(),
  blob: blobView.nullable(),
  words: z.string(),
  bytes: count,
  overLimit: z.boolean(),
  verdict: orderVerdict.nullable(),
  listsSender: z.boolean().nullable(),
})

/** In the order in which they are told. */
const CHANGE_KINDS = [
  'created', // first seen
  'upgraded', // a provisional entry became a persona
  'rotated', // a higher epoch
  'removed',
  'added', // the table lists a new device
  'renamed',
  'activated', // another first device
  'confirmed',
  'unconfirmed',
  'repinned', // the owner took another chain for the true one
  'called', // so by the owner from now on
  'blocked',
  'unblocked',
  'split', // the owner took a device from it
  'verified', // the owner compared the safety number
  'policy', // by the owner; `name` says which
] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]
export const changeKind: z.ZodType<ChangeKind> = z.enum(CHANGE_KINDS)

/** One thing a device showed. */
export interface ObservationParams {
  from: string
  text: string
  /** The friend's name in the client, kept as the contact's name at first sight. */
  name?: string
  /** When it was shown; now when absent. Never in the future: a later time is taken as now. */
  seenAtSec?: number
}

export const observationParams: z.ZodType<ObservationParams> = z.strictObject({
  from: keyHex,
  text: z.string().max(4096), // sanity: four times a status message; a text over 1006 bytes is judged and refused with its own code
  name: z.string().max(512).exactOptional(), // sanity: a Tox name has at most 128 bytes
  seenAtSec: seconds.exactOptional(),
})

export interface ObserveResult {
  from: string
  /** What the text held. `empty`: Tox sends one at each connect, it says nothing. */
  shown: 'valid' | 'none' | 'empty' | 'damaged' | 'invalid'
  code: string | null
  personaId: string | null
  verdict: OrderVerdict | null
  /** The pair's state after it. */
  state: PairState | 'provisional' | null
  contact: string | null
  /** What changed by it, for this contact and for one that the device left. */
  changes: ChangeKind[]
}

export const observeResult: z.ZodType<ObserveResult> = z.strictObject({
  from: keyHex,
  shown: z.enum(['valid', 'none', 'empty', 'damaged', 'invalid']),
  code: z.string().nullable(),
  personaId: keyHex.nullable(),
  verdict: orderVerdict.nullable(),
  state: z.enum(['claimed', 'confirmed', 'former', 'asserted', 'provisional']).nullable(),
  contact: z.string().nullable(),
  changes: z.array(z.enum(CHANGE_KINDS)),
})
