/** The custom packet with which companions announce a change at once (docs/tox.md, The packet). */
import { concatBytes, decodeUtf8, encodeUtf8 } from '../core/encoding/bytes.ts'

/**
 * `support`: this side reads packets. `status`: the current status message; it means exactly what a status message
 * means.
 */
export type Packet = { readonly kind: 'support' } | { readonly kind: 'status'; readonly text: string }

export const PACKET_ID = 185 // format: one of toxcore's lossless custom packets, 160..191
const MAGIC = encodeUtf8('persona') // format: other programs may use the same packet id
const VERSION = 1
const KIND = { support: 0, status: 1 } as const
const HEAD: Uint8Array = concatBytes(Uint8Array.of(PACKET_ID), MAGIC, Uint8Array.of(VERSION))
const MAX_TEXT_BYTES = 1007 // toxcore: TOX_MAX_STATUS_MESSAGE_LENGTH; a text that does not fit a status message is refused here too

/** Encodes a packet, starting with its packet id; at most 1017 bytes. */
export function encodePacket(packet: Packet): Uint8Array {
  const text = packet.kind === 'status' ? encodeUtf8(packet.text) : new Uint8Array()
  return concatBytes(HEAD, Uint8Array.of(KIND[packet.kind]), text)
}

/** Decodes a packet; null for a packet of another program, of a later version, or a malformed one. */
export function decodePacket(bytes: Uint8Array): Packet | null {
  if (bytes.length <= HEAD.length || HEAD.some((byte, i) => bytes[i] !== byte)) return null
  const [kind, body] = [bytes[HEAD.length], bytes.subarray(HEAD.length + 1)]
  if (kind === KIND.support) return body.length === 0 ? { kind: 'support' } : null
  if (kind !== KIND.status || body.length > MAX_TEXT_BYTES) return null
  const text = decodeUtf8(body)
  return text === null ? null : { kind: 'status', text }
}
