/** The judgement of a status message and the outcome of an observation, on the socket (docs/ipc.md, section 3). */
import * as z from '../../schema/zod.ts'
import { count, keyHex, seconds } from './scalars.ts'
import { freshness, tableDevice, type Freshness, type PairState, type TableDevice } from './contact.ts'

/** A blob with a valid signature and chain, in words and hex. */
export interface BlobView {
  version: number
  personaId: string
  epoch: number
  seq: number
  timeSec: number
  freshness: Freshness
  /** Dated more than two hours ahead of this clock. */
  clockAhead: boolean
  /** c_0, the commitment that a reader pins with the PersonaID at first sight. */
  chainRoot: string
  prev: string
  tableHash: string
  devices: TableDevice[]
  /** Why the names could not be read, although everything else is valid; else null. */
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

/** A blob against the stored head of its persona (docs/format.md, section 8). */
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
  /** null if valid. */
  code: string | null
  message: string
  blob: BlobView | null
  /** The text without the token. */
  words: string
  bytes: number
  /** More than 1006 bytes: judged all the same, but a client must not show it. */
  overLimit: boolean
  /** Against the stored head; null without a daemon or for an invalid text. */
  verdict: OrderVerdict | null
  /** Whether the table lists the device that shows it; null if `from` was not given. */
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

/** In the order in which an event lists them. */
const CHANGE_KINDS = [
  'created', // first seen
  'upgraded', // a provisional entry became a persona
  'rotated', // a higher epoch
  'removed',
  'added', // the table lists a new device
  'renamed',
  'activated', // another active device
  'confirmed',
  'unconfirmed',
  'repinned', // the owner chose another key chain as the right one
  'called', // the owner renamed the contact
  'blocked',
  'unblocked',
  'joined', // the owner joined a friend without a persona with it
  'split', // the owner split a device from it
  'verified', // the owner compared the safety number
  'succeeded', // the persona that its recovery words name as successor took its place
  'policy', // the owner changed the policy; `name` says to which
] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]
export const changeKind: z.ZodType<ChangeKind> = z.enum(CHANGE_KINDS)

/** One observation: a device showed a status message. */
export interface ObservationParams {
  from: string
  text: string
  /** The friend's name in the client; it becomes the contact's name at first sight. */
  name?: string
  /** When it was shown; now if absent. A time in the future counts as now. */
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
  /**
   * The contents of the text. `empty` counts for nothing: Tox sends such a text at each connect. `short`: a short status of a persona that is
   * not known here; of a known one it is `valid`, and the device counts as showing the head.
   */
  shown: 'valid' | 'none' | 'empty' | 'short' | 'damaged' | 'invalid'
  code: string | null
  personaId: string | null
  verdict: OrderVerdict | null
  /** State of the pair (persona, device) after the observation. */
  state: PairState | 'provisional' | null
  contact: string | null
  /** The changes to this contact, and to the one that the device left. */
  changes: ChangeKind[]
}

export const observeResult: z.ZodType<ObserveResult> = z.strictObject({
  from: keyHex,
  shown: z.enum(['valid', 'none', 'empty', 'short', 'damaged', 'invalid']),
  code: z.string().nullable(),
  personaId: keyHex.nullable(),
  verdict: orderVerdict.nullable(),
  state: z.enum(['claimed', 'confirmed', 'former', 'asserted', 'provisional']).nullable(),
  contact: z.string().nullable(),
  changes: z.array(z.enum(CHANGE_KINDS)),
})
