import { describe, expect, test } from 'vitest'
import { concatBytes, encodeUtf8 } from '../../../../src/core/encoding/bytes.ts'
import { MAX_CONFERENCES, decodeConferences, type Conference } from '../../../../src/tox/save/conferences.ts'
import { MAX_GROUPS, decodeGroups, type Group } from '../../../../src/tox/save/groups.ts'
import { MAX_NODES, decodeDht, decodeNodes } from '../../../../src/tox/save/nodes.ts'
import { SECTION_DHT, SECTION_PATH_NODES, decodeSave, sectionData, toxText } from '../../../../src/tox/save/savefile.ts'
import { fixturesAbsence, plainFixtures, readFixture } from '../../../support/tox-fixtures.ts'
import { codeOf } from '../../../support/tox-people.ts'
import { packConferences, packDht, packGroups, packNodes, u32, type PackedNode } from '../../../support/tox-sections.ts'

const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill)
const text = (value: string): ReturnType<typeof toxText> => toxText(encodeUtf8(value))

const udp4: PackedNode = { family: 2, ip: Uint8Array.of(127, 0, 0, 1), port: 33445, key: bytes(32, 1) }
const tcp6: PackedNode = {
  family: 138,
  ip: Uint8Array.of(32, 1, 13, 184, ...bytes(11, 0), 5),
  port: 443,
  key: bytes(32, 2),
}

describe('nodes', () => {
  const told = [
    { transport: 'udp', ip: '127.0.0.1', port: 33445, publicKey: bytes(32, 1) },
    { transport: 'tcp', ip: '2001:db8::5', port: 443, publicKey: bytes(32, 2) },
  ]

  test('of relays and paths are simply concatenated', () => {
    expect(decodeNodes(packNodes([udp4, tcp6]))).toEqual(told)
    expect(decodeNodes(new Uint8Array(0))).toEqual([])
  })

  test('of the DHT come in parts after a head', () => {
    expect(decodeDht(packDht([udp4], [], [tcp6]))).toEqual(told)
    expect(decodeDht(packDht())).toEqual([])
  })

  test('are refused when cut or of an unknown family', () => {
    const good = packNodes([udp4, tcp6])
    let ran = 0
    for (let length = 1; length < good.length; length++, ran++) {
      expect(codeOf(() => decodeNodes(good.subarray(0, length)))).toBe(length === 39 ? 'none' : 'TOX_BAD_NODES')
    }
    expect(ran).toBe(39 + 51 - 1)
    expect(codeOf(() => decodeNodes(good.with(0, 3)))).toBe('TOX_BAD_NODES')
    expect(codeOf(() => decodeDht(packDht([udp4]).with(0, 0)))).toBe('TOX_BAD_NODES')
    expect(codeOf(() => decodeDht(packDht([udp4]).with(8, 5)))).toBe('TOX_BAD_NODES')
    expect(codeOf(() => decodeDht(packDht([udp4]).with(10, 0)))).toBe('TOX_BAD_NODES')
    expect(codeOf(() => decodeDht(concatBytes(u32(0x0159000d, true), u32(0xffffffff, true))))).toBe('TOX_BAD_NODES')
    expect(codeOf(() => decodeDht(new Uint8Array(0)))).toBe('TOX_BAD_NODES')
  })

  test.each([
    [MAX_NODES, 'none'],
    [MAX_NODES + 1, 'TOX_BAD_NODES'],
  ] as const)('are limited: a list of %i', (count, code) => {
    const nodes = Array.from({ length: count }, () => udp4)
    expect(codeOf(() => decodeNodes(packNodes(nodes)))).toBe(code)
    expect(codeOf(() => decodeDht(packDht(nodes.slice(0, 9), nodes.slice(9))))).toBe(code)
  })

  test.skipIf(fixturesAbsence !== null)(`of real profiles are all local ${fixturesAbsence ?? ''}`, () => {
    let ran = 0
    for (const fixture of plainFixtures) {
      const save = decodeSave(readFixture(fixture))
      const dht = decodeDht(sectionData(save, SECTION_DHT)!)
      const path = decodeNodes(sectionData(save, SECTION_PATH_NODES)!)
      expect([...dht, ...path].every(({ ip }) => ip === '127.0.0.1')).toBe(true)
      ran++
    }
    expect(ran).toBe(10)
  })
})

const conference: Conference = {
  kind: 'audio',
  id: bytes(32, 7),
  title: text('Сад ☕'),
  messageNumber: 65_600,
  lossyMessageNumber: 8200,
  ownNumber: 3,
  peers: [
    { publicKey: bytes(32, 1), dhtKey: bytes(32, 2), number: 1, lastActiveSec: 1_700_000_000, nick: text('Bob') },
    { publicKey: bytes(32, 3), dhtKey: bytes(32, 4), number: 2, lastActiveSec: 0, nick: text('') },
  ],
}

describe('conferences', () => {
  test('decode to what was encoded', () => {
    const list: Conference[] = [conference, { ...conference, kind: 'text', title: text(''), peers: [] }]
    expect(decodeConferences(packConferences(list))).toEqual(list)
    expect(decodeConferences(new Uint8Array(0))).toEqual([])
  })

  test('are refused when cut anywhere within one', () => {
    const good = packConferences([conference])
    let ran = 0
    for (let length = 1; length < good.length; length++, ran++)
      expect(codeOf(() => decodeConferences(good.subarray(0, length)))).toBe('TOX_BAD_CONFERENCES')
    expect(ran).toBeGreaterThan(100)
  })

  test('are refused before allocation when the number of peers is impossible', () => {
    const good = packConferences([conference])
    for (const count of [3, 0xffffffff]) {
      const bad = concatBytes(good.subarray(0, 41), u32(count, true), good.subarray(45))
      expect(() => decodeConferences(bad)).toThrow(`${count} peers do not fit into the`)
    }
    expect(codeOf(() => decodeConferences(good.with(0, 2)))).toBe('TOX_BAD_CONFERENCES')
  })

  test.each([
    [128, 'none'],
    [129, 'TOX_BAD_CONFERENCES'],
  ] as const)('with titles and nicks of %i bytes: %s', (length, code) => {
    const long = toxText(bytes(length, 97))
    expect(codeOf(() => decodeConferences(packConferences([{ ...conference, title: long }])))).toBe(code)
    const peers = [{ ...conference.peers[0]!, nick: long }]
    expect(codeOf(() => decodeConferences(packConferences([{ ...conference, peers }])))).toBe(code)
  })

  test.each([
    [MAX_CONFERENCES, 'none'],
    [MAX_CONFERENCES + 1, 'TOX_BAD_CONFERENCES'],
  ] as const)('are limited: a list of %i: %s', (count, code) => {
    const list = Array.from({ length: count }, () => ({ ...conference, peers: [] }))
    expect(codeOf(() => decodeConferences(packConferences(list)))).toBe(code)
  })
})

const group: Group = {
  chatId: bytes(32, 9),
  name: text('Gärtner'),
  topic: text('rain'.repeat(100)),
  isDisconnected: true,
  privacyState: 1,
  voiceState: 2,
  topicLock: 0xffffffff,
  maxPeers: 100,
  version: 300,
  founderKey: bytes(64, 8),
  moderators: [bytes(32, 1), bytes(32, 2)],
  self: { publicKey: bytes(64, 5), nick: text('Nine'), role: 0, userStatus: 2 },
  savedPeers: bytes(300, 4),
  secrets: { chatSecretKey: bytes(96, 6), selfSecretKey: bytes(96, 7), password: encodeUtf8('pass') },
}
const bare: Group = {
  ...group,
  isDisconnected: false,
  name: text(''),
  topic: text(''),
  moderators: [],
  savedPeers: new Uint8Array(0),
  secrets: { ...group.secrets, password: new Uint8Array(0) },
}

describe('groups', () => {
  test.each([false, true])('decode to what was encoded, with wide numbers: %s', (isWide) => {
    expect(decodeGroups(packGroups([group, bare], isWide))).toEqual([group, bare])
    expect(decodeGroups(packGroups([], isWide))).toEqual([])
    const many = Array.from({ length: 20 }, () => bare)
    expect(decodeGroups(packGroups(many, isWide))).toEqual(many)
  })

  test('are refused when cut anywhere or one byte too long', () => {
    const good = packGroups([group])
    let ran = 0
    for (let length = 0; length < good.length; length++, ran++)
      expect(codeOf(() => decodeGroups(good.subarray(0, length)))).toBe('TOX_BAD_GROUPS')
    expect(ran).toBe(good.length)
    expect(codeOf(() => decodeGroups(concatBytes(good, bytes(1, 0))))).toBe('TOX_BAD_GROUPS')
  })

  test('are refused at the first nested or huge header that does not fit', () => {
    const nested = concatBytes(...Array.from({ length: 10_000 }, () => Uint8Array.of(0xdd, 0, 0, 0xff, 0xff)))
    let ran = 0
    for (const bad of [
      nested,
      bytes(100_000, 0x91),
      Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0x80),
    ]) {
      expect(codeOf(() => decodeGroups(bad))).toBe('TOX_BAD_GROUPS')
      ran++
    }
    expect(ran).toBe(4)
  })

  test('are refused when longer than their fields', () => {
    const overlong: Group[] = [
      { ...group, name: toxText(bytes(49, 97)) },
      { ...group, topic: toxText(bytes(513, 97)) },
      { ...group, self: { ...group.self, nick: toxText(bytes(129, 97)) } },
      { ...group, secrets: { ...group.secrets, password: bytes(33, 97) } },
      { ...group, founderKey: bytes(63, 8) },
    ]
    for (const one of overlong) expect(codeOf(() => decodeGroups(packGroups([one])))).toBe('TOX_BAD_GROUPS')
    expect(overlong).toHaveLength(5)
    // The signature is the first binary. It claims one byte less than it has; nothing else moves.
    const good = packGroups([group])
    const head = good.findIndex((byte, i) => byte === 0xc4 && good[i + 1] === 64)
    expect(() => decodeGroups(good.with(head + 1, 63))).toThrow(/63 bytes instead of 64/)
  })

  test.each([
    [MAX_GROUPS, 'none'],
    [MAX_GROUPS + 1, 'TOX_BAD_GROUPS'],
  ] as const)('are limited: a list of %i: %s', (count, code) => {
    expect(codeOf(() => decodeGroups(packGroups(Array.from({ length: count }, () => bare))))).toBe(code)
  })
})
