/** The messages of the DHT, by strict shapes: the queries that we send, and what a node may answer (BEP 5, BEP 43, BEP 44). */
import type { SignedValue } from '../core/announce/signed-value.ts'
import { encodeUtf8 } from '../core/encoding/bytes.ts'
import { NODE_ID_BYTES, parseNodes, type ListedNode } from './address.ts'
import { decodeBencode, encodeBencode, latin1, type Bencode, type BencodeDictionary } from './bencode.ts'
import { PacketError } from './errors.ts'

export const MAX_PACKET_BYTES = 2048 // sanity: a value of 1000 bytes, 32 nodes of 26, key, signature and token are below it
export const TRANSACTION_BYTES = 4 // sanity: BEP 5 advises two; with four, a node that does not see our packets guesses one in 2^32
const AFTER_TRANSACTION_BYTES = 7 // format: "1:y1:qe" follows it in a query
const MAX_TOKEN_BYTES = 128 // sanity: real nodes send 4 to 20
const MAX_NODES = 32 // sanity: libtorrent sends 8, others up to 20
const MAX_ERROR_CHARS = 200 // sanity: a sentence
const SIGNATURE_BYTES = 64
const KEY_BYTES = 32

/** A query to one node. */
export type Query =
  | { readonly kind: 'get'; readonly target: Uint8Array }
  | { readonly kind: 'find_node'; readonly target: Uint8Array }
  | { readonly kind: 'put'; readonly token: Uint8Array; readonly signed: SignedValue }

/** The value in an answer. Its signature and its key are not yet checked. */
export type ValueInAnswer = Omit<SignedValue, 'salt'>

/** One message of a node. */
export type Message =
  | {
      readonly kind: 'answer'
      readonly transaction: Uint8Array
      readonly nodeId: Uint8Array
      /** Null when the answer has no list. */
      readonly nodes: readonly ListedNode[] | null
      readonly token: Uint8Array | null
      readonly value: ValueInAnswer | null
    }
  | { readonly kind: 'error'; readonly transaction: Uint8Array; readonly code: number; readonly text: string }
  /** A read-only node answers no query (BEP 43). */
  | { readonly kind: 'query' }

/**
 * Encodes a query.
 * @param transaction TRANSACTION_BYTES bytes
 * @param ownId 20 bytes
 */
export function encodeQuery(query: Query, transaction: Uint8Array, ownId: Uint8Array): Uint8Array {
  return encodeBencode(
    new Map<string, Bencode>([
      ['a', new Map([['id', ownId], ...argumentsOf(query)])],
      ['q', encodeUtf8(query.kind)],
      ['ro', 1n], // BEP 43: we answer nothing, so nobody should list us
      ['t', transaction],
      ['y', encodeUtf8('q')],
    ]),
    (depth, key) => depth === 2 && key === 'v',
  )
}

/** The same query with another transaction. */
export function withTransaction(packet: Uint8Array, transaction: Uint8Array): Uint8Array {
  const copy = packet.slice()
  copy.set(transaction, packet.length - AFTER_TRANSACTION_BYTES - TRANSACTION_BYTES)
  return copy
}

function argumentsOf(query: Query): [string, Bencode][] {
  if (query.kind !== 'put') return [['target', query.target]]
  const { publicKey, salt, seq, bencoded, signature } = query.signed
  return [
    ['k', publicKey],
    ...(salt.length === 0 ? [] : [['salt', salt] as [string, Bencode]]),
    ['seq', seq],
    ['sig', signature],
    ['token', query.token],
    ['v', bencoded],
  ]
}

/**
 * Decodes a packet of a node. Keys that this client does not use are ignored.
 * @throws {PacketError}
 */
export function decodeMessage(packet: Uint8Array): Message {
  if (packet.length > MAX_PACKET_BYTES)
    throw new PacketError(
      'BENCODE_TOO_LARGE',
      `the packet has ${packet.length} bytes; the limit is ${MAX_PACKET_BYTES}`,
    )
  const message = decodeBencode(packet, (depth, key) => depth === 2 && key === 'v')
  if (!(message instanceof Map)) throw shape('it is not a dictionary')
  const kind = textOf(message.get('y'))
  if (kind === 'q') return { kind: 'query' }
  const transaction = bytesOf(message.get('t'), TRANSACTION_BYTES, TRANSACTION_BYTES)
  if (transaction === null) throw shape('its transaction is not one of ours')
  if (kind === 'r') return answerOf(transaction, message.get('r'))
  if (kind === 'e') return errorOf(transaction, message.get('e'))
  throw shape('it is neither a query, an answer nor an error')
}

function answerOf(transaction: Uint8Array, body: Bencode | undefined): Message {
  if (!(body instanceof Map)) throw shape('its answer is not a dictionary')
  const nodeId = bytesOf(body.get('id'), NODE_ID_BYTES, NODE_ID_BYTES)
  if (nodeId === null) throw shape('its node has no id')
  return {
    kind: 'answer',
    transaction,
    nodeId,
    nodes: nodesOf(body.get('nodes')),
    token: bytesOf(body.get('token'), 1, MAX_TOKEN_BYTES),
    value: valueIn(body),
  }
}

function nodesOf(value: Bencode | undefined): readonly ListedNode[] | null {
  if (value === undefined) return null
  const nodes = value instanceof Uint8Array ? parseNodes(value) : null
  if (nodes === null) throw shape('its list of nodes has a wrong length')
  return nodes.slice(0, MAX_NODES)
}

/** Null also for a value that is not mutable or lacks a part: nothing in it can be checked. */
function valueIn(body: BencodeDictionary): ValueInAnswer | null {
  const publicKey = bytesOf(body.get('k'), KEY_BYTES, KEY_BYTES)
  const signature = bytesOf(body.get('sig'), SIGNATURE_BYTES, SIGNATURE_BYTES)
  const [seq, bencoded] = [body.get('seq'), body.get('v')]
  if (publicKey === null || signature === null || typeof seq !== 'bigint' || !(bencoded instanceof Uint8Array))
    return null
  return { publicKey, signature, seq, bencoded }
}

function errorOf(transaction: Uint8Array, body: Bencode | undefined): Message {
  const [code, text] = Array.isArray(body) ? (body as readonly Bencode[]) : []
  if (typeof code !== 'bigint' || !(text instanceof Uint8Array)) throw shape('its error is not a number and a text')
  const printable = latin1(text.subarray(0, MAX_ERROR_CHARS)).replaceAll(/[^ -~]/g, '?')
  return { kind: 'error', transaction, code: Number(code), text: printable }
}

function bytesOf(value: Bencode | undefined, minBytes: number, maxBytes: number): Uint8Array | null {
  return value instanceof Uint8Array && value.length >= minBytes && value.length <= maxBytes ? value : null
}

function textOf(value: Bencode | undefined): string | null {
  return value instanceof Uint8Array ? latin1(value) : null
}

function shape(why: string): PacketError {
  return new PacketError('MESSAGE_SHAPE', `the message is refused: ${why}`)
}
