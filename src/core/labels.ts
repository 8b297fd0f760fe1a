/** Domain labels (docs/format.md, section 1). They make a signature or hash for one purpose useless for another. No label is a prefix of another. */
import { concatBytes, encodeUtf8 } from './encoding/bytes.ts'

// Bundlers leave out the labels that nobody uses.
// @__NO_SIDE_EFFECTS__
function label(text: string): Uint8Array {
  return concatBytes(encodeUtf8(`personad/v1/${text}`), Uint8Array.of(0))
}

export const LABEL_APP: Uint8Array = label('app')
export const LABEL_BLOB: Uint8Array = label('blob')
export const LABEL_HISTORY: Uint8Array = label('history')
export const LABEL_COMPANION: Uint8Array = label('companion')
export const LABEL_INCEPTION: Uint8Array = label('inception')
export const LABEL_KEY: Uint8Array = label('key')
export const LABEL_NEXT: Uint8Array = label('next')
export const LABEL_TABLE: Uint8Array = label('table')
export const LABEL_LINK: Uint8Array = label('link')
export const LABEL_NUMBER: Uint8Array = label('number')
export const LABEL_SUCCESSOR: Uint8Array = label('successor')
/** Pairing (docs/pairing.md). These labels are never used with a persistent key. */
export const LABEL_PAIR_MEET: Uint8Array = label('pair-meet')
export const LABEL_PAIR_PSK: Uint8Array = label('pair-psk')
export const LABEL_PAIR_ANNOUNCE: Uint8Array = label('pair-announce')
export const LABEL_PAIR_WORDS: Uint8Array = label('pair-words')
/** Announcements (docs/announce.md). */
export const LABEL_ANNOUNCE_READ: Uint8Array = label('announce-read')
export const LABEL_ANNOUNCE_AT: Uint8Array = label('announce-at')
export const LABEL_ANNOUNCE_NONCE: Uint8Array = label('announce-nonce')
export const LABEL_ANNOUNCE_KEY: Uint8Array = label('announce-key')
export const LABEL_ANNOUNCE_SLOT: Uint8Array = label('announce-slot')
export const LABEL_ANNOUNCE_CEK: Uint8Array = label('announce-cek')
export const LABEL_SHORT: Uint8Array = label('short')
/** Boxes of a relay (docs/relay.md). */
export const LABEL_RELAY_QUESTION: Uint8Array = label('relay-question')
export const LABEL_RELAY_EXT: Uint8Array = label('relay-ext')
/** The first two messages of a channel, and secrets that they export. */
export const LABEL_CHANNEL_M1: Uint8Array = label('channel-m1')
export const LABEL_CHANNEL_M2: Uint8Array = label('channel-m2')
export const LABEL_CHANNEL_EXPORT: Uint8Array = label('channel-export')
/** Cards (docs/card.md). */
export const LABEL_CARD_AT: Uint8Array = label('card-at')
export const LABEL_CARD_DEVICE: Uint8Array = label('card-device')
/** Channels (docs/channel.md, section 4). */
export const LABEL_CHANNEL_USED: Uint8Array = label('channel-used')
export const LABEL_CHANNEL_PSK: Uint8Array = label('channel-psk')
export const LABEL_CHANNEL_SIG: Uint8Array = label('channel-sig')
export const LABEL_CHANNEL_ROOT: Uint8Array = label('channel-root')
export const LABEL_CHANNEL_COMMIT: Uint8Array = label('channel-commit')
export const LABEL_CHANNEL_WORDS: Uint8Array = label('channel-words')
export const LABEL_CHANNEL_STEP: Uint8Array = label('channel-step')
export const LABEL_CHANNEL_CHAIN: Uint8Array = label('channel-chain')
export const LABEL_CHANNEL_KEY: Uint8Array = label('channel-key')
export const LABEL_CHANNEL_FRAME: Uint8Array = label('channel-frame')
/** Invites between two people who know each other's keys (docs/channel.md, section 2). */
export const LABEL_CHAT_PSK: Uint8Array = label('chat-psk')
/** Messages (docs/messages.md). */
export const LABEL_CEK: Uint8Array = label('cek')
export const LABEL_MESSAGE_OBJECT: Uint8Array = label('message-object')
export const LABEL_MESSAGE_ENTRY: Uint8Array = label('message-entry')
export const LABEL_MESSAGE_SIG: Uint8Array = label('message-sig')
export const LABEL_MESSAGE_RECEIPT: Uint8Array = label('message-receipt')
/** Records as a carrier (docs/channel.md, section 13). */
export const LABEL_CHANNEL_RING: Uint8Array = label('channel-ring')
export const LABEL_CHANNEL_INTAKE: Uint8Array = label('channel-intake')
/** Records (docs/record.md). */
export const LABEL_RECORD_OWNER: Uint8Array = label('record-owner')
/** The hash that two ends tell each other of a channel that a proposal has opened (docs/links.md). */
export const LABEL_PROPOSAL_OPENED: Uint8Array = label('proposal-opened')
