/** A pairing on the socket (docs/ipc.md, section 3, pairing). */
import * as z from '../../schema/zod.ts'
import { keyHex } from './scalars.ts'
import { ownTable, type OwnTable } from './own.ts'
import { tableDevice, type TableDevice } from './contact.ts'

/** How the messages travel: over a connection, or in files that a person carries. */
export type Carrier = 'connection' | 'files'
export const carrier: z.ZodType<Carrier> = z.enum(['connection', 'files'])

const MAX_MESSAGE_CHARS = 87_380 // format: 65 535 bytes in base64url
/** One message of the other side, base64url. */
export const pairingMessage: z.ZodType<string> = z.string().max(MAX_MESSAGE_CHARS)

export interface PairingOffer {
  /** The code, twelve words. */
  words: string[]
  /** How long the code is valid, and then each further step. */
  seconds: number
}

export const pairingOffer: z.ZodType<PairingOffer> = z.strictObject({ words: z.array(z.string()), seconds: z.int() })

/** `waiting` for the other side, `compare` the words, `moving` the persona, `done`. */
export type PairingState = 'waiting' | 'compare' | 'moving' | 'done'

export interface PairingStep {
  state: PairingState
  /** The message to bring to the other side now, base64url; null if it is the other side's turn. */
  send: string | null
  /** The next call goes on without a message of the other side. */
  more: boolean
  /** While comparing: the six words that both screens must show. */
  compare: string[] | null
  /** While comparing, on the device that has the persona: the device that asks to be listed. */
  device: TableDevice | null
  /** While comparing, on the device that joins: the persona. */
  persona: { personaId: string; epoch: number } | null
  /** The table, once a side is done. */
  table: OwnTable | null
}

export const pairingStep: z.ZodType<PairingStep> = z.strictObject({
  state: z.enum(['waiting', 'compare', 'moving', 'done']),
  send: pairingMessage.nullable(),
  more: z.boolean(),
  compare: z.array(z.string()).nullable(),
  device: tableDevice.nullable(),
  persona: z.strictObject({ personaId: keyHex, epoch: z.int() }).nullable(),
  table: ownTable.nullable(),
})
