/**
 * Old group chats, the section CONFERENCES (c-toxcore group.c, save_conf): their members by key. Numbers are
 * little-endian.
 */
import { SectionReader } from './reader.ts'
import { toxText, type ToxText } from './savefile.ts'

const ID_BYTES = 32
const KEY_BYTES = 32
const MIN_PEER_BYTES: number = KEY_BYTES + KEY_BYTES + 2 + 8 + 1
const MAX_LABEL_BYTES = 128 // toxcore: MAX_NAME_LENGTH, for titles and nicks
export const MAX_CONFERENCES = 1024 // sanity: nobody joins so many, and each becomes an object
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

export interface ConferencePeer {
  /** 32 bytes: the peer's ToxPk */
  readonly publicKey: Uint8Array
  /** 32 bytes: its DHT key at that time */
  readonly dhtKey: Uint8Array
  readonly number: number
  /** Unix seconds; Number.MAX_SAFE_INTEGER if the value does not fit exactly */
  readonly lastActiveSec: number
  readonly nick: ToxText
}

export interface Conference {
  readonly kind: 'text' | 'audio'
  /** 32 bytes */
  readonly id: Uint8Array
  readonly title: ToxText
  readonly messageNumber: number
  readonly lossyMessageNumber: number
  /** Our own number in the conference: two devices that load it would both claim it */
  readonly ownNumber: number
  /** Every member seen, except the owner */
  readonly peers: readonly ConferencePeer[]
}

/**
 * Decodes every conference of the section.
 * @param bytes the section's data; not copied
 * @throws {ToxError} TOX_BAD_CONFERENCES
 */
export function decodeConferences(bytes: Uint8Array): Conference[] {
  const reader = new SectionReader(bytes, 'TOX_BAD_CONFERENCES')
  const conferences: Conference[] = []
  while (reader.left > 0) {
    if (conferences.length === MAX_CONFERENCES) throw reader.refuse(`more than ${MAX_CONFERENCES} conferences`)
    conferences.push(readConference(reader))
  }
  return conferences
}

function readConference(reader: SectionReader): Conference {
  const kind = reader.u8()
  if (kind > 1) throw reader.refuse(`conference type ${kind} is neither text nor audio`)
  const id = reader.bytes(ID_BYTES)
  const messageNumber = reader.u32le()
  const lossyMessageNumber = reader.u16le()
  const ownNumber = reader.u16le()
  const peerCount = reader.u32le()
  const title = readLabel(reader, 'title')
  if (peerCount > reader.left / MIN_PEER_BYTES)
    throw reader.refuse(`${peerCount} peers do not fit into the remaining ${reader.left} bytes`)
  const peers = Array.from({ length: peerCount }, () => readPeer(reader))
  return { kind: kind === 0 ? 'text' : 'audio', id, title, messageNumber, lossyMessageNumber, ownNumber, peers }
}

function readPeer(reader: SectionReader): ConferencePeer {
  const publicKey = reader.bytes(KEY_BYTES)
  const dhtKey = reader.bytes(KEY_BYTES)
  const number = reader.u16le()
  const lastActive = reader.u64le()
  const lastActiveSec = lastActive > MAX_SAFE ? Number.MAX_SAFE_INTEGER : Number(lastActive)
  return { publicKey, dhtKey, number, lastActiveSec, nick: readLabel(reader, 'nick') }
}

function readLabel(reader: SectionReader, what: string): ToxText {
  const length = reader.u8()
  if (length > MAX_LABEL_BYTES) throw reader.refuse(`a ${what} has ${length} bytes; the limit is ${MAX_LABEL_BYTES}`)
  return toxText(reader.bytes(length))
}
