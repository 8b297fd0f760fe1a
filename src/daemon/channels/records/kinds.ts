/** The sealed records of channels. None of them travels: a restored state must not send (docs/channel.md, section 10). */
import { BYTES, sealedKind, type SealedKind } from '../../sealed/sealed-kind.ts'
import { decodeOut, decodePart, encodeOut, encodePart, type InPart, type OutRecord } from './contents.ts'
import { decodeEnd, encodeEnd, type StoredEnd } from './stored-end.ts'
import {
  decodeInvite,
  decodeJoin,
  encodeInvite,
  encodeJoin,
  type StoredInvite,
  type StoredJoin,
} from './stored-meeting.ts'

/** By the id of the channel. */
export const END: SealedKind<StoredEnd> = sealedKind('channelend', { encode: encodeEnd, decode: decodeEnd })
/** Frames in flight as they are posted, by channel and counter. */
export const FRAME: SealedKind<Uint8Array> = sealedKind('channelframe', BYTES)
/** Frames of the peer that wait for their turn, by channel and counter. */
export const EARLY: SealedKind<Uint8Array> = sealedKind('channelearly', BYTES)
/** Contents for the peer, by channel and number. */
export const OUT: SealedKind<OutRecord> = sealedKind('channelout', { encode: encodeOut, decode: decodeOut })
/** Pieces of large contents for the peer, by channel, name of the upload and offset. */
export const PIECE: SealedKind<Uint8Array> = sealedKind('channelpiece', BYTES)
/** Parts of contents of the peer, by channel, number and offset. */
export const IN: SealedKind<InPart> = sealedKind('channelin', { encode: encodePart, decode: decodePart })
/** By the id of the invite. */
export const INVITE: SealedKind<StoredInvite> = sealedKind('channelinvite', {
  encode: encodeInvite,
  decode: decodeInvite,
})
/** By the id of the channel that is to be. */
export const JOIN: SealedKind<StoredJoin> = sealedKind('channeljoin', { encode: encodeJoin, decode: decodeJoin })
/** The own key for invites between two keys, 32 bytes, under one id. */
export const PAIR_KEY: SealedKind<Uint8Array> = sealedKind('channelkey', BYTES)

export const SEALED_KINDS: readonly SealedKind<unknown>[] = [END, FRAME, EARLY, OUT, PIECE, IN, INVITE, JOIN, PAIR_KEY]
