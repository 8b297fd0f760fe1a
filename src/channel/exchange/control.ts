/** Control texts: what one daemon tells the other beside the contents of the app (docs/channel.md, section 7). */
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { formatCanonicalJson, parseCanonicalJson } from '../../core/encoding/canonical-json.ts'
import { parseConnectoids } from '../invite/address.ts'
import type { Draft } from './channel.ts'
import { InviteError } from '../invite/errors.ts'

/** Types that the channel itself reads. It hands all others to its caller, who ignores those that it does not know. */
export const CONTROL = {
  /** nB of the handshake, 16 bytes: the first item of the guest's first frame. */
  nonce: 1,
  /** The addresses where the sender receives from now on: a list of connectoid values in canonical JSON. */
  next: 2,
  /** A new card of the sender. */
  card: 3,
  /** An offer of the direct way. */
  offer: 4,
  /** The answer to one. */
  answer: 5,
  /** The word of a daemon on a contact that is proposed in another app (docs/links.md, section 2). */
  proposal: 6,
} as const

export function formatNext(addresses: readonly string[]): Uint8Array {
  return encodeUtf8(formatCanonicalJson(addresses))
}

/** Reads a control text. One that is not as it must be is ignored: the frame that brought it counts. */
export function readControl(draft: Draft, type: number, bytes: Uint8Array): void {
  const { channel, events } = draft
  if (type === CONTROL.nonce) return
  if (type !== CONTROL.next) {
    events.push({ event: 'control', type, bytes })
    return
  }
  const peerAt = readNext(bytes)
  if (peerAt === null) return
  channel.peerAt = peerAt
  events.push({ event: 'peerMoved', peerAt })
}

function readNext(bytes: Uint8Array): readonly string[] | null {
  const value = parseCanonicalJson(decodeUtf8(bytes) ?? '')
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) return null
  try {
    parseConnectoids(value)
    return value
  } catch (error) {
    if (error instanceof InviteError) return null
    throw error
  }
}
