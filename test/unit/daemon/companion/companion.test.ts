import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Device } from '../../../../src/core/table.ts'
import { companionToxId } from '../../../../src/daemon/companion/key.ts'
import { parseHex } from '../../../../src/core/encoding/bytes.ts'
import { MAX_BOOTSTRAP_NODES } from '../../../../src/toxnode/protocol.ts'
import { TestLive } from '../../../support/fake-node.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, engine, person, type Person } from '../../../support/person.ts'
import { withWords } from '../../../support/rotation.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const STRANGER = deviceKey('stranger')
const aside = (of: Person, name = 'aside'): Device => ({ ...of.device(name), companion: true })

async function withZoe(
  story: Parameters<typeof TestLive.up>[1] = {},
): Promise<{ live: TestLive; zoe: Person; keeper: TestKeeper }> {
  const keeper = await TestKeeper.withPersona()
  const zoe = person('Zoe')
  await keeper.sees(zoe.key('desk'), zoe.table(['desk', 'phone']), { name: 'Zoe' })
  return { live: await TestLive.up(keeper, story), zoe, keeper }
}

function added(live: TestLive): [key: string, request: boolean][] {
  return live.node.sent('add').map(({ key, request }) => [key, request !== null])
}

describe('the companion', () => {
  test('is created and listed as a companion by the first "up", and stays the same after that', async () => {
    const keeper = await TestKeeper.withPersona()
    const live = await TestLive.open(keeper)
    expect([live.live.status().state, live.nodes.length]).toEqual(['none', 0])
    const status = await live.live.up('aside')
    expect(status).toMatchObject({ device: 'aside', state: 'starting' })
    const { devices } = await keeper.call('device.list')
    expect(devices).toEqual([
      { name: 'laptop', key: OWN_LAPTOP },
      { name: 'aside', key: status.key, companion: true },
    ])
    const { seq } = await keeper.call('device.list')
    expect((await live.live.up('other')).key).toBe(status.key)
    expect((await keeper.call('device.list')).seq).toBe(seq)
    await live.live.stop()
    const again = await TestLive.open(await keeper.reopened())
    await again.runs()
    expect([again.key, again.nodes.length]).toEqual([status.key, 1])
    expect(engine.boxPublicKey(again.node.secretKey)).toEqual(parseHex(status.key!))
    expect(statSync(join(keeper.stateDir, 'companion')).mode & 0o777).toBe(0o600)
  })

  test('does not count as another device: it proves no copy of the table, and it leaves together with this device', async () => {
    const { laptop: keeper } = await withWords()
    const live = await TestLive.up(keeper)
    await keeper.call('device.add', { name: 'phone', key: OWN_PHONE })
    const text = await ownText(keeper)
    const profile = `profile:${OWN_LAPTOP}`
    await keeper.reports(profile, live.key, text)
    await expect(keeper.call('rotation.plan', {})).rejects.toMatchObject({ code: 'EPOCH_UNSURE' })
    await keeper.reports(profile, OWN_PHONE, text)
    expect(await keeper.call('rotation.plan', {})).toMatchObject({ epoch: 1 })
    const { local, remaining } = await keeper.call('persona.leave')
    expect(local.map(({ key }) => key)).toEqual([OWN_LAPTOP, live.key])
    expect(remaining).toEqual([{ name: 'phone', key: OWN_PHONE }])
    await live.live.idle()
    expect(live.live.status().state).not.toBe('running')
  })

  test('stops when this device leaves and cannot sign a table, and apps see the former persona as a contact', async () => {
    const { laptop: keeper } = await withWords()
    const live = await TestLive.up(keeper)
    const { personaId } = await keeper.call('device.list')
    await keeper.keeper.change(() => keeper.keeper.own.wasCopied())
    await live.idle()
    expect(live.live.status().state).toBe('running')
    expect(await keeper.call('persona.leave')).toMatchObject({ status: null })
    await live.live.idle()
    expect(live.node.stdin.writableEnded).toBe(true)
    expect(keeper.told('contact.changed').at(-1)).toMatchObject({
      contact: { kind: 'persona', personaId, name: 'my former persona' },
      changes: [{ kind: 'created' }],
    })
  })

  test('is created only if there is a persona', async () => {
    const live = await TestLive.open(await TestKeeper.open())
    await expect(live.live.up(undefined)).rejects.toMatchObject({ code: 'NO_PERSONA' })
    expect(live.live.status().state).toBe('none')
  })

  test('of another machine does not run from a copy of the directory', async () => {
    const keeper = await TestKeeper.withPersona()
    const live = await TestLive.up(keeper)
    const copy = await keeper.copied()
    copyFileSync(join(keeper.stateDir, 'companion'), join(copy.stateDir, 'companion'))
    const there = await TestLive.open(copy, { machineId: 'another machine' })
    expect(there.live.status()).toMatchObject({ state: 'none', key: null })
    await there.live.up(undefined)
    expect(there.key).not.toBe(live.key)
  })

  test('shows the own table and words, each newer table at once, and sends packets to friends that read them', async () => {
    const { live, zoe, keeper } = await withZoe({ config: '  words: at home\n' })
    expect(live.node.options.text).toBe((await keeper.call('blob.get', { words: 'at home' })).text)
    await live.says(
      { type: 'friend', key: zoe.key('desk'), connection: 'udp' },
      { type: 'friend', key: zoe.key('phone'), connection: 'udp' },
      { type: 'packet', key: zoe.key('desk'), packet: 'support', text: '' },
    )
    expect(live.node.sent('send').map(({ key, packet }) => [key, packet])).toEqual([
      [zoe.key('desk'), 'support'],
      [zoe.key('phone'), 'support'],
    ])
    await keeper.call('device.add', { name: 'phone', key: OWN_PHONE })
    await live.idle()
    const { text } = await keeper.call('blob.get', { words: 'at home' })
    expect(live.node.sent('show')).toEqual([{ type: 'show', text }])
    expect(live.node.sent('send').slice(2)).toEqual([{ type: 'send', key: zoe.key('desk'), packet: 'status', text }])
  })

  test('uses the bootstrap nodes of the configuration first, then those of the file, up to the limit', async () => {
    const nodes = Array.from({ length: MAX_BOOTSTRAP_NODES }, (_, i) => `127.0.0.1:${40_000 + i} ${STRANGER}\n`)
    const file = join(tempDir(), 'nodes')
    writeFileSync(file, nodes.join(''))
    const config = `  bootstrap_file: ${file}\n  bootstrap: ["127.0.0.1:33445 ${STRANGER}"]\n`
    const live = await TestLive.up(await TestKeeper.withPersona(), { config })
    const ports = live.node.options.bootstrap.map(({ port }) => port)
    expect([ports.length, ports[0], ports[1], ports.at(-1)]).toEqual([MAX_BOOTSTRAP_NODES, 33_445, 40_000, 40_062])
  })

  test('leaves out words that do not fit', async () => {
    const keeper = await TestKeeper.withPersona()
    const live = await TestLive.up(keeper, { config: `  words: "${'x'.repeat(256)}"\n` })
    for (let i = 0; i < 13; i++) await keeper.call('device.add', { name: `device ${i}`, key: deviceKey(`own ${i}`) })
    await live.idle()
    expect(live.node.sent('show').at(-1)!.text).toBe(await ownText(keeper))
  })

  test('stops when a table no longer lists it, and starts again by "up"', async () => {
    const keeper = await TestKeeper.withPersona()
    const live = await TestLive.up(keeper)
    await keeper.call('device.remove', { device: 'companion' })
    await live.idle()
    expect(live.live.status()).toMatchObject({ state: 'unlisted', device: null })
    expect(live.live.findings()).toMatchObject([{ code: 'COMPANION_UNLISTED' }])
    await live.live.up(undefined)
    await live.runs()
    expect(live.live.status()).toMatchObject({ state: 'running', device: 'companion' })
  })

  test('stays down after "down" until the owner starts it', async () => {
    const { live, keeper } = await withZoe()
    expect(await live.live.down()).toMatchObject({ state: 'down' })
    await keeper.call('device.rename', { device: 'laptop', name: 'Laptop' })
    await live.idle()
    expect([live.live.status().state, live.nodes.length]).toEqual(['down', 1])
    await live.live.up(undefined)
    await live.runs()
    expect(live.node.options.text).toBe(await ownText(keeper))
  })

  test('works while the signing key is locked', async () => {
    const keeper = await TestKeeper.open()
    await keeper.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP }, passphrase: 'correct horse' })
    const live = await TestLive.up(keeper)
    await live.live.stop()
    const locked = await TestLive.open(await keeper.reopened())
    await locked.runs()
    expect(locked.keeper.custody.isLocked).toBe(true)
    expect(locked.live.status().state).toBe('running')
  })
})

describe('a status message of a friend', () => {
  test('is an observation with the present time, the source "live" and the name of the friend', async () => {
    const { live, zoe, keeper } = await withZoe()
    keeper.later(1000)
    const table = zoe.table(['desk', 'phone', 'tablet'])
    await live.says({ type: 'name', key: zoe.key('phone'), text: 'Zoe (phone)' })
    await live.sees(zoe.key('phone'), table.text())
    const { device } = await keeper.call('lookup', { query: zoe.key('phone') })
    expect(device).toMatchObject({ state: 'confirmed', seenAtSec: keeper.nowSec, sources: ['live'] })
    expect(keeper.told('device.added')).toMatchObject([{ device: { name: 'tablet' } }])
  })

  test('is judged alike if it arrives in a packet', async () => {
    const { live, zoe, keeper } = await withZoe()
    const copy = zoe.table(['desk', 'phone']).text()
    await live.says({ type: 'packet', key: zoe.key('phone'), packet: 'status', text: copy })
    expect((await keeper.call('lookup', { query: zoe.key('phone') })).device?.state).toBe('confirmed')
    await live.says({
      type: 'packet',
      key: zoe.key('phone'),
      packet: 'status',
      text: person('Mallory').table(['x']).text(),
    })
    expect(keeper.told('alarm')).toMatchObject([{ code: 'PERSONA_SWITCHED', key: zoe.key('phone') }])
  })

  test('is ignored if it is empty, as Tox sends it at each connect', async () => {
    const { live, zoe, keeper } = await withZoe()
    const before = keeper.store.commits.length
    await live.sees(zoe.key('phone'), '')
    expect((await keeper.call('lookup', { query: zoe.key('phone') })).device).toBeNull()
    expect(
      keeper.store.commits
        .slice(before)
        .flat()
        .filter(({ key }) => key.includes(zoe.key('phone'))),
    ).toEqual([])
  })

  test('is ignored if the key is not a friend, which only a broken node would report', async () => {
    const { live, keeper } = await withZoe()
    await live.sees(
      STRANGER,
      person('Mallory')
        .table([{ name: 'x', key: STRANGER }])
        .text(),
    )
    expect(await keeper.call('lookup', { query: STRANGER })).toMatchObject({ by: 'none' })
  })

  test('is one of many from a friend who has taken over the node: only so many count, the last one does, and other friends do not wait', async () => {
    let nowMs = 0
    const { live, zoe, keeper } = await withZoe({ nowMs: () => nowMs })
    const begin = (await keeper.call('log.verify')).newest
    const sets = [0, 1].map((set) =>
      Array.from({ length: 12 }, (_, i) => ({ name: `n${i}`, key: deviceKey(`${set} ${i}`) })),
    )
    const tables = Array.from({ length: 600 }, (_, i) =>
      zoe.table(['desk', 'phone', ...sets[i % 2]!], { named: false }).text(),
    )
    const before = keeper.store.commits.length
    await live.says(
      ...tables.map((text) => ({ type: 'packet', key: zoe.key('desk'), packet: 'status', text }) as const),
    )
    await live.sees(zoe.key('phone'), 'brb')
    expect((await keeper.call('lookup', { query: zoe.key('phone') })).device?.seenAtSec).toBe(keeper.nowSec)
    const { newest } = await keeper.call('log.verify')
    expect(newest - begin).toBeLessThanOrEqual(8)
    expect(keeper.store.commits.length - before).toBeLessThan(32)
    expect((await keeper.call('contact.show', { contact: 'Zoe' })).seq).toBeLessThan(zoe.last!.seq)
    nowMs += 1000
    await live.says()
    expect((await keeper.call('contact.show', { contact: 'Zoe' })).seq).toBe(zoe.last!.seq)
  })

  test('is imported if it is a table that a sibling signed', async () => {
    const keeper = await TestKeeper.withPersona()
    await keeper.call('device.add', { name: 'phone', key: OWN_PHONE })
    const live = await TestLive.up(keeper)
    const sibling = await keeper.copied()
    await sibling.call('device.rename', { device: 'phone', name: 'new name' })
    await live.sees(OWN_PHONE, await ownText(sibling))
    expect((await keeper.call('device.list')).devices[1]!.name).toBe('new name')
    expect(live.node.sent('show').at(-1)!.text).toBe(await ownText(keeper))
  })
})

describe('automatic friends', () => {
  test('are the own devices and all devices of contacts, and a companion gets a request with the table', async () => {
    const { live, zoe, keeper } = await withZoe()
    expect(new Map(added(live))).toEqual(
      new Map([
        [OWN_LAPTOP, false],
        [zoe.key('desk'), false],
        [zoe.key('phone'), false],
      ]),
    )
    await keeper.sees(zoe.key('desk'), zoe.table(['desk', 'phone', aside(zoe)]))
    await live.idle()
    const request = live.node.sent('add').at(-1)!
    expect(request.key).toBe(zoe.key('aside'))
    expect(request.request).toEqual({
      toxId: companionToxId(parseHex(zoe.key('aside'))!, engine),
      text: await ownText(keeper),
    })
    expect(keeper.told('tox.peer').at(-1)).toEqual({ key: zoe.key('aside'), contact: null, change: 'added' })
  })

  test('return after a restart', async () => {
    const { live, keeper } = await withZoe()
    const before = new Map(added(live))
    await live.live.stop()
    const again = await TestLive.open(await keeper.reopened())
    await again.runs()
    expect(new Map(added(again))).toEqual(before)
  })

  test.each(['ask', 'pin'] as const)('exclude the devices of a contact with policy %s', async (policy) => {
    const keeper = await TestKeeper.withPersona()
    const zoe = person('Zoe')
    await keeper.sees(zoe.key('desk'), zoe.table(['desk']), { name: 'Zoe' })
    await keeper.call('contact.policy', { contact: 'Zoe', policy })
    expect(added(await TestLive.up(keeper)).map(([key]) => key)).toEqual([OWN_LAPTOP])
  })

  test('exclude devices that are known as somebody else’s', async () => {
    const { live, zoe, keeper } = await withZoe()
    await keeper.sees(STRANGER, 'hello', { name: 'Stranger' })
    await keeper.sees(zoe.key('desk'), zoe.table(['desk', { name: 'not mine', key: STRANGER }]))
    await live.idle()
    expect(added(live).map(([key]) => key)).not.toContain(STRANGER)
  })

  test('are at most 40 of one contact, even if new tables list ever more devices', async () => {
    const { live, zoe, keeper } = await withZoe()
    for (let round = 0; round < 4; round++) {
      const many = Array.from({ length: 13 }, (_, i) => zoe.device(`device ${round}-${i}`))
      await keeper.later(100).sees(zoe.key('desk'), zoe.table(['desk', ...many], { named: false }))
      await live.idle()
    }
    const { peers } = live.live.peers()
    expect(peers.filter(({ how }) => how === 'contact')).toHaveLength(40)
  })

  test('with "friends: named" are only devices of contacts of which the owner named a device', async () => {
    const { live, zoe } = await withZoe({ config: '  friends: named\n' })
    expect(added(live).map(([key]) => key)).toEqual([OWN_LAPTOP])
    await live.live.add(zoe.key('desk'))
    await live.keeper.sees(zoe.key('desk'), zoe.table(['desk', 'phone', 'tablet']))
    await live.idle()
    const keys = added(live).map(([key]) => key)
    expect(keys).toEqual([OWN_LAPTOP, zoe.key('desk'), zoe.key('phone'), zoe.key('tablet')])
  })

  test('stay after they have left the table, with one event', async () => {
    const { live, zoe, keeper } = await withZoe()
    await live.sees(zoe.key('phone'), zoe.table(['desk', 'phone']).text())
    keeper.told('tox.peer')
    await keeper.later(100).sees(zoe.key('desk'), zoe.table(['desk']))
    await live.idle()
    await keeper.later(100).sees(zoe.key('desk'), zoe.table(['desk', 'tablet']))
    await live.idle()
    const left = keeper.told('tox.peer').filter(({ change }) => change === 'left')
    expect(left).toEqual([{ key: zoe.key('phone'), contact: 'Zoe', change: 'left' }])
    expect(live.live.peers().peers.find(({ key }) => key === zoe.key('phone'))).toMatchObject({
      left: true,
      connection: 'udp',
    })
    await live.live.stop()
    const again = await TestLive.open(await keeper.reopened())
    await again.runs()
    expect(added(again).map(([key]) => key)).toContain(zoe.key('phone'))
  })
})

describe('a friend request', () => {
  const ask = (key: string, text: string): { type: 'request'; key: string; text: string } => ({
    type: 'request',
    key,
    text,
  })

  test('with an own table that lists the sender adds a sibling, and the table is imported', async () => {
    const keeper = await TestKeeper.withPersona()
    const live = await TestLive.up(keeper)
    const sibling = await TestLive.up(await keeper.copied(), { machineId: 'another machine' })
    await live.says(ask(sibling.key, sibling.node.options.text))
    expect((await keeper.call('device.list')).devices.map(({ key }) => key)).toContain(sibling.key)
    expect(live.live.peers().peers.find(({ key }) => key === sibling.key)?.how).toBe('sibling')
    expect(live.live.peers().requests).toEqual([])
  })

  test('with the table of a contact that lists the sender adds a device of the contact', async () => {
    const { live, zoe } = await withZoe()
    await live.says(ask(zoe.key('new'), zoe.table(['desk', 'phone', 'new']).text()))
    expect(live.live.peers().peers.find(({ key }) => key === zoe.key('new'))).toMatchObject({
      how: 'contact',
      contact: 'Zoe',
    })
  })

  test.each<[string, (zoe: Person) => [string, string]]>([
    ['only words', () => [STRANGER, 'let me in']],
    ['a copied table of a contact', (zoe) => [STRANGER, zoe.last!.text()]],
    [
      'the table of an unknown persona',
      () => [
        STRANGER,
        person('Mallory')
          .table([{ name: 'x', key: STRANGER }])
          .text(),
      ],
    ],
  ])('with %s waits for the owner and changes nothing', async (_, asking) => {
    const { live, zoe, keeper } = await withZoe()
    const [key, text] = asking(zoe)
    const before = live.live.peers().peers.length
    await live.says(ask(key, text), ask(key, text))
    expect([live.live.peers().peers.length, live.live.peers().requests.length]).toEqual([before, 1])
    expect(keeper.told('tox.request')).toMatchObject([{ key }])
    expect(await keeper.call('lookup', { query: key })).toMatchObject({ by: 'none' })
    // The owner accepts the request. Then its text counts as an observation.
    expect(await live.live.add(key)).toBe(key)
    await live.idle()
    expect(live.live.peers().requests).toEqual([])
    expect(added(live).at(-1)).toEqual([key, false])
    expect((await keeper.call('lookup', { query: key })).contact).not.toBeNull()
  })

  test('of a removed device with an older table waits for the owner', async () => {
    const { live, zoe, keeper } = await withZoe()
    const old = zoe.table(['desk', 'stolen'])
    await keeper.sees(zoe.key('desk'), zoe.table(['desk']))
    await live.says(ask(zoe.key('stolen'), old.text()))
    expect(live.live.peers().requests).toMatchObject([{ key: zoe.key('stolen'), personaId: zoe.id }])
  })

  test('of a contact that already has 40 devices waits for the owner, so that requests cannot fill the list', async () => {
    const { live, zoe } = await withZoe()
    for (let i = 0; i < 45; i++) {
      await live.says(ask(zoe.key(`new ${i}`), zoe.table(['desk', 'phone', `new ${i}`], { named: false }).text()))
    }
    const { peers, requests } = live.live.peers()
    expect(peers.filter(({ how }) => how === 'contact')).toHaveLength(40)
    expect(requests).toHaveLength(45 + 2 - 40)
  })

  test('in a flood replaces the oldest, and only the first 32 make an event', async () => {
    const { live, keeper } = await withZoe()
    for (let i = 0; i < 50; i++) await live.says(ask(deviceKey(`asker ${i}`), `let me in, ${i}`))
    const { requests } = live.live.peers()
    expect(requests.map(({ key }) => key)).toEqual(Array.from({ length: 32 }, (_, i) => deviceKey(`asker ${i + 18}`)))
    expect(keeper.told('tox.request')).toHaveLength(32)
  })
})

describe('an ID that the owner gives', () => {
  test('gets a friend request', async () => {
    const { live, keeper } = await withZoe()
    const toxId = companionToxId(parseHex(STRANGER)!, engine)
    expect(await live.live.add(toxId.toLowerCase())).toBe(STRANGER)
    await live.idle()
    expect(live.node.sent('add').at(-1)).toEqual({
      type: 'add',
      key: STRANGER,
      request: { toxId, text: await ownText(keeper) },
    })
  })

  test.each([
    ['00'.repeat(32), 'DEVICE_KEY_LOW_ORDER'],
    [`${STRANGER}000000000001`, 'TOX_BAD_ID'],
    ['xyz', 'TOX_BAD_ID'],
  ])('is refused if it is malformed: %s', async (id, code) => {
    const { live } = await withZoe()
    await expect(live.live.add(id)).rejects.toMatchObject({ code })
  })

  test('is refused if it is that of the companion, and before there is a companion', async () => {
    const { live } = await withZoe()
    await expect(live.live.add(live.key)).rejects.toMatchObject({ code: 'TOX_FRIEND_OWN_KEY' })
    const none = await TestLive.open(await TestKeeper.withPersona())
    await expect(none.live.add(STRANGER)).rejects.toMatchObject({ code: 'NO_COMPANION' })
  })
})

test('the secret key is in the file and the pipe, and nowhere in the store, the events or the status', async () => {
  const { live, keeper } = await withZoe()
  const secret = live.node.secretKey
  expect(engine.boxPublicKey(secret)).toEqual(parseHex(live.key))
  expect(readFileSync(join(keeper.stateDir, 'companion')).includes(secret)).toBe(true)
  const told = JSON.stringify([keeper.events, live.live.peers(), live.node.orders]).toUpperCase()
  expect(told).not.toContain(secret.toString('hex').toUpperCase())
  const stored = Buffer.concat(keeper.store.commits.flat().map(({ value }) => value ?? new Uint8Array()))
  expect(
    stored.includes(secret) || stored.toString().toUpperCase().includes(secret.toString('hex').toUpperCase()),
  ).toBe(false)
})
