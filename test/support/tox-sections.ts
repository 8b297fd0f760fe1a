/**
 * Writes the sections that our program only reads, modelled on c-toxcore's own writers: the opposite of each decoder.
 */
import { concatBytes } from '../../src/core/encoding/bytes.ts'
import type { Conference } from '../../src/tox/save/conferences.ts'
import type { Group } from '../../src/tox/save/groups.ts'

export function u16(value: number, littleEndian = false): Uint8Array {
  const bytes = new Uint8Array(2)
  new DataView(bytes.buffer).setUint16(0, value, littleEndian)
  return bytes
}

export function u32(value: number, littleEndian = false): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, littleEndian)
  return bytes
}

export interface PackedNode {
  readonly family: 2 | 10 | 130 | 138
  /** 4 or 16 bytes, depending on the address family */
  readonly ip: Uint8Array
  readonly port: number
  readonly key: Uint8Array
}

export function packNodes(nodes: readonly PackedNode[]): Uint8Array {
  return concatBytes(...nodes.flatMap(({ family, ip, port, key }) => [Uint8Array.of(family), ip, u16(port), key]))
}

/** Writes one part per list of nodes. */
export function packDht(...lists: readonly (readonly PackedNode[])[]): Uint8Array {
  const parts = lists.flatMap((nodes) => {
    const packed = packNodes(nodes)
    return [u32(packed.length, true), u16(4, true), u16(0x11ce, true), packed]
  })
  return concatBytes(u32(0x0159000d, true), ...parts)
}

export function packConferences(conferences: readonly Conference[]): Uint8Array {
  return concatBytes(...conferences.flatMap(packConference))
}

function packConference({ kind, id, title, peers, ...rest }: Conference): Uint8Array[] {
  return [
    Uint8Array.of(kind === 'text' ? 0 : 1),
    id,
    u32(rest.messageNumber, true),
    u16(rest.lossyMessageNumber, true),
    u16(rest.ownNumber, true),
    u32(peers.length, true),
    Uint8Array.of(title.bytes.length),
    title.bytes,
    ...peers.flatMap(({ publicKey, dhtKey, number, lastActiveSec, nick }) => {
      const time = new Uint8Array(8)
      new DataView(time.buffer).setBigUint64(0, BigInt(lastActiveSec), true)
      return [publicKey, dhtKey, u16(number, true), time, Uint8Array.of(nick.bytes.length), nick.bytes]
    }),
  ]
}

/**
 * Writes numbers and headers in their smallest form, as cmp does, or all in their widest form, which its reader also
 * accepts.
 */
export function packGroups(groups: readonly Group[], isWide = false): Uint8Array {
  const array = (length: number): Uint8Array =>
    isWide
      ? concatBytes(Uint8Array.of(0xdd), u32(length))
      : length < 16
        ? Uint8Array.of(0x90 + length)
        : concatBytes(Uint8Array.of(0xdc), u16(length))
  const uint = (value: number): Uint8Array => {
    if (isWide || value > 0xffff) return concatBytes(Uint8Array.of(0xce), u32(value))
    if (value > 0xff) return concatBytes(Uint8Array.of(0xcd), u16(value))
    return value < 0x80 ? Uint8Array.of(value) : Uint8Array.of(0xcc, value)
  }
  const bin = (bytes: Uint8Array): Uint8Array => {
    if (isWide) return concatBytes(Uint8Array.of(0xc6), u32(bytes.length), bytes)
    const head =
      bytes.length < 256 ? Uint8Array.of(0xc4, bytes.length) : concatBytes(Uint8Array.of(0xc5), u16(bytes.length))
    return concatBytes(head, bytes)
  }
  const zeros = (length: number): Uint8Array => bin(new Uint8Array(length))
  const some = (bytes: Uint8Array): Uint8Array => (bytes.length === 0 ? Uint8Array.of(0xc0) : bin(bytes))
  const packed = groups.flatMap(({ name, topic, self, secrets, moderators, ...group }) => [
    array(7),
    array(8),
    Uint8Array.of(group.isDisconnected ? 0xc3 : 0xc2),
    uint(name.bytes.length),
    ...[group.privacyState, group.maxPeers, secrets.password.length, group.version, group.topicLock].map(uint),
    uint(group.voiceState),
    array(5),
    zeros(64),
    bin(group.founderKey),
    bin(name.bytes),
    bin(secrets.password),
    zeros(32),
    array(6),
    uint(1),
    uint(topic.bytes.length),
    uint(9),
    bin(topic.bytes),
    zeros(32),
    zeros(64),
    array(2),
    uint(moderators.length),
    some(concatBytes(...moderators)),
    array(4),
    bin(concatBytes(new Uint8Array(32), group.chatId)),
    bin(secrets.chatSecretKey),
    bin(self.publicKey),
    bin(secrets.selfSecretKey),
    array(4),
    uint(self.nick.bytes.length),
    uint(self.role),
    uint(self.userStatus),
    bin(self.nick.bytes),
    array(2),
    uint(group.savedPeers.length),
    some(group.savedPeers),
  ])
  return concatBytes(array(groups.length), ...packed)
}
