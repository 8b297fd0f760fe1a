/** Errors of the DHT client: a packet that is not well-formed, or an order that the client does not carry out. */
import { PersonadError } from '../errors/personad-error.ts'

/** Why a packet is refused. The client counts these and goes on. */
export type PacketErrorCode =
  | 'BENCODE_TRUNCATED' // the bytes end in the middle of a value
  | 'BENCODE_SYNTAX' // a byte that no value begins with or goes on with
  | 'BENCODE_NOT_CANONICAL' // another encoding of the same value exists: a leading zero, minus zero, keys out of order or twice
  | 'BENCODE_RANGE' // an integer outside of 64 bits
  | 'BENCODE_TOO_DEEP'
  | 'BENCODE_TOO_LARGE'
  | 'BENCODE_TRAILING_BYTES'
  | 'MESSAGE_SHAPE' // bencode, but not a message that a node answers with

/** Why the client refuses an order. Nothing was sent. */
export type OrderErrorCode =
  | 'DHT_VALUE_INVALID' // too long, or its signature is bad
  | 'DHT_NO_NODES' // no node to begin with
  | 'DHT_BUSY' // too many orders at once
  | 'DHT_CLOSED'

export class PacketError extends PersonadError<PacketErrorCode> {
  override readonly name = 'PacketError'
}

export class DhtError extends PersonadError<OrderErrorCode> {
  override readonly name = 'DhtError'
}
