/**
 * New group chats, the section GROUPS of libtoxcore 0.2.19 and later (c-toxcore group_pack.c): MessagePack of one
 * fixed shape.
 */
import { SectionReader } from './reader.ts'
import { toxText, type ToxText } from './savefile.ts'

const SIGNATURE_BYTES = 64
const EXTENDED_KEY_BYTES = 64 // X25519 key || Ed25519 key
const EXTENDED_SECRET_BYTES = 96 // X25519 secret || Ed25519 secret
const SIGN_KEY_BYTES = 32
const HASH_BYTES = 32
const MAX_GROUP_NAME_BYTES = 48 // toxcore: MAX_GC_GROUP_NAME_SIZE
const MAX_PASSWORD_BYTES = 32 // toxcore: MAX_GC_PASSWORD_SIZE
const MAX_TOPIC_BYTES = 512 // toxcore: MAX_GC_TOPIC_SIZE
const MAX_NICK_BYTES = 128 // toxcore: MAX_GC_NICK_SIZE
const MAX_SAVED_PEERS_BYTES = 65_535 // toxcore: its length field is a u16
export const MAX_GROUPS = 1024 // sanity: nobody joins so many, and each becomes an object

export interface Group {
  /** 32 bytes, the public chat id: the Ed25519 half of the group's key */
  readonly chatId: Uint8Array
  readonly name: ToxText
  readonly topic: ToxText
  readonly isDisconnected: boolean
  /** 0 public, 1 private; other values unchanged */
  readonly privacyState: number
  /** 0 all, 1 moderators, 2 founder; other values unchanged */
  readonly voiceState: number
  readonly topicLock: number
  readonly maxPeers: number
  readonly version: number
  /** 64 bytes */
  readonly founderKey: Uint8Array
  /** 32 bytes each */
  readonly moderators: readonly Uint8Array[]
  readonly self: {
    /** 64 bytes: the owner's key in this group, used nowhere else */
    readonly publicKey: Uint8Array
    readonly nick: ToxText
    /** 0 founder, 1 moderator, 2 user, 3 observer; other values unchanged */
    readonly role: number
    readonly userStatus: number
  }
  /** Addresses of other peers, in toxcore's packed form */
  readonly savedPeers: Uint8Array
  readonly secrets: {
    /** 96 bytes; zeros for everyone except the founder */
    readonly chatSecretKey: Uint8Array
    /** 96 bytes */
    readonly selfSecretKey: Uint8Array
    /** Empty when there is no password */
    readonly password: Uint8Array
  }
}

/**
 * Decodes every group of the section. The shape fixes or bounds each length, so a header's claim alone never
 * allocates memory.
 * @param bytes the section's data; not copied
 * @throws {ToxError} TOX_BAD_GROUPS
 */
export function decodeGroups(bytes: Uint8Array): Group[] {
  const reader = new GroupReader(bytes)
  const count = reader.arrayLength()
  if (count > MAX_GROUPS) throw reader.refuse(`more than ${MAX_GROUPS} groups`)
  const groups: Group[] = []
  for (let i = 0; i < count; i++) groups.push(readGroup(reader))
  if (reader.left > 0) throw reader.refuse(`${reader.left} bytes follow the last group`)
  return groups
}

function readGroup(reader: GroupReader): Group {
  reader.array(7)
  const state = readState(reader)
  const info = readInfo(reader, state.nameBytes, state.passwordBytes)
  const topic = readTopic(reader)
  const moderators = readModerators(reader)
  reader.array(4)
  const chatKey = reader.bin(EXTENDED_KEY_BYTES)
  const chatSecretKey = reader.bin(EXTENDED_SECRET_BYTES)
  const publicKey = reader.bin(EXTENDED_KEY_BYTES)
  const selfSecretKey = reader.bin(EXTENDED_SECRET_BYTES)
  const self = { publicKey, ...readSelf(reader) }
  const savedPeers = readSavedPeers(reader)
  const { isDisconnected, privacyState, voiceState, topicLock, maxPeers, version } = state
  return {
    chatId: chatKey.subarray(EXTENDED_KEY_BYTES - SIGN_KEY_BYTES),
    name: info.name,
    topic,
    isDisconnected,
    privacyState,
    voiceState,
    topicLock,
    maxPeers,
    version,
    founderKey: info.founderKey,
    moderators,
    self,
    savedPeers,
    secrets: { chatSecretKey, selfSecretKey, password: info.password },
  }
}

interface GroupState {
  readonly isDisconnected: boolean
  readonly nameBytes: number
  readonly privacyState: number
  readonly maxPeers: number
  readonly passwordBytes: number
  readonly version: number
  readonly topicLock: number
  readonly voiceState: number
}

function readState(reader: GroupReader): GroupState {
  reader.array(8)
  const isDisconnected = reader.bool()
  const nameBytes = reader.uint(MAX_GROUP_NAME_BYTES)
  const privacyState = reader.uint(0xff)
  const maxPeers = reader.uint(0xffff)
  const passwordBytes = reader.uint(MAX_PASSWORD_BYTES)
  const version = reader.uint(0xffffffff)
  const topicLock = reader.uint(0xffffffff)
  const voiceState = reader.uint(0xff)
  return { isDisconnected, nameBytes, privacyState, maxPeers, passwordBytes, version, topicLock, voiceState }
}

function readInfo(
  reader: GroupReader,
  nameBytes: number,
  passwordBytes: number,
): { founderKey: Uint8Array; name: ToxText; password: Uint8Array } {
  reader.array(5)
  reader.bin(SIGNATURE_BYTES)
  const founderKey = reader.bin(EXTENDED_KEY_BYTES)
  const name = toxText(reader.bin(nameBytes))
  const password = reader.bin(passwordBytes)
  reader.bin(HASH_BYTES)
  return { founderKey, name, password }
}

function readTopic(reader: GroupReader): ToxText {
  reader.array(6)
  reader.uint(0xffffffff) // version
  const length = reader.uint(MAX_TOPIC_BYTES)
  reader.uint(0xffff) // checksum
  const topic = toxText(reader.bin(length))
  reader.bin(SIGN_KEY_BYTES)
  reader.bin(SIGNATURE_BYTES)
  return topic
}

function readModerators(reader: GroupReader): Uint8Array[] {
  reader.array(2)
  const count = reader.uint(0xffff)
  const packed = readOrNil(reader, count * SIGN_KEY_BYTES)
  return Array.from({ length: count }, (_, i) => packed.subarray(i * SIGN_KEY_BYTES, (i + 1) * SIGN_KEY_BYTES))
}

function readSelf(reader: GroupReader): { nick: ToxText; role: number; userStatus: number } {
  reader.array(4)
  const length = reader.uint(MAX_NICK_BYTES)
  const role = reader.uint(0xff)
  const userStatus = reader.uint(0xff)
  return { nick: toxText(reader.bin(length)), role, userStatus }
}

function readSavedPeers(reader: GroupReader): Uint8Array {
  reader.array(2)
  return readOrNil(reader, reader.uint(MAX_SAVED_PEERS_BYTES))
}

function readOrNil(reader: GroupReader, length: number): Uint8Array {
  if (length > 0) return reader.bin(length)
  reader.nil()
  return new Uint8Array(0)
}

/**
 * Reads the five MessagePack types that libtoxcore uses, in every width that libtoxcore accepts. A general decoder is
 * unsafe here: a common one allocates arrays as long as their headers claim, and turned 10 000 bytes of nested
 * headers into 1 GB (measured).
 */
class GroupReader extends SectionReader {
  constructor(bytes: Uint8Array) {
    super(bytes, 'TOX_BAD_GROUPS')
  }

  /** Reads the header of an array of any length. @throws {ToxError} TOX_BAD_GROUPS, like every read */
  arrayLength(): number {
    const type = this.u8()
    if (type >> 4 === 0x9) return type & 0x0f
    if (type === 0xdc) return this.u16be()
    if (type === 0xdd) return this.u32be()
    throw this.#unexpected(type, 'an array')
  }

  /** Reads the header of an array that must have this length. */
  array(length: number): void {
    const found = this.arrayLength()
    if (found !== length) throw this.refuse(`an array has ${found} elements instead of ${length}`)
  }

  /** Reads an unsigned number of at most `max`. */
  uint(max: number): number {
    const type = this.u8()
    const value = type < 0x80 ? type : this.#wideUint(type)
    if (value > max) throw this.refuse(`the number ${value} is greater than ${max}`)
    return value
  }

  bool(): boolean {
    const type = this.u8()
    if (type !== 0xc2 && type !== 0xc3) throw this.#unexpected(type, 'true or false')
    return type === 0xc3
  }

  nil(): void {
    const type = this.u8()
    if (type !== 0xc0) throw this.#unexpected(type, 'nil')
  }

  /** Reads binary data of exactly this length. */
  bin(length: number): Uint8Array {
    const type = this.u8()
    const found = type === 0xc4 ? this.u8() : type === 0xc5 ? this.u16be() : type === 0xc6 ? this.u32be() : null
    if (found === null) throw this.#unexpected(type, 'bytes')
    if (found !== length) throw this.refuse(`there are ${found} bytes instead of ${length}`)
    return this.bytes(length)
  }

  #wideUint(type: number): number {
    if (type === 0xcc) return this.u8()
    if (type === 0xcd) return this.u16be()
    if (type === 0xce) return this.u32be()
    throw this.#unexpected(type, 'a number')
  }

  #unexpected(type: number, wanted: string): Error {
    return this.refuse(`found type 0x${type.toString(16)} instead of ${wanted}`)
  }
}
