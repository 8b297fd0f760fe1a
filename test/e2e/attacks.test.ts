/** The identity attacks of docs/threat-model.md by their numbers, against a real daemon: an app reports what devices show, another app asks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import { DOCUMENT_DICTIONARY } from '../../src/core/encoding/dictionary.ts'
import { MAX_SEQ, MAX_SEQ_STEP } from '../../src/core/limits.ts'
import { compress } from '../../src/daemon/own/compress.ts'
import { connect, type Client, type DaemonEvent, type ObserveResult } from '../../src/ipc/client.ts'
import { deviceKey, Person, person, type Table } from '../support/person.ts'
import { SharedDaemon } from '../support/shared-daemon.ts'

const DAY_SEC = 86_400
const NOW_SEC = Math.floor(Date.now() / 1000)

let daemon: SharedDaemon
let owner: Client
let reporter: Client
let reader: Client
let token = ''
const events: DaemonEvent[] = []

beforeAll(async () => {
  daemon = await SharedDaemon.start()
  await open()
  await owner.call('persona.init', { device: { name: 'laptop', key: deviceKey('the owner') } })
  ;({ token } = await owner.call('app.allow', { name: 'messenger', can: ['observe'] }))
  await reporter.call('app.hello', { token })
})

afterAll(async () => {
  await daemon.stop()
})

async function open(): Promise<void> {
  owner = await connect({ socketPath: daemon.adminSocket })
  ;[reporter, reader] = [
    await connect({ socketPath: daemon.appSocket }),
    await connect({ socketPath: daemon.appSocket }),
  ]
  await owner.subscribe(null, (event) => events.push(event as DaemonEvent))
}

/** A person for one test only, because all tests share one daemon. */
function someone(name: string): Person {
  return person(`${name} ${++people}`)
}
let people = 0

async function sees(
  from: string,
  shown: Table | string,
  more: { name?: string; seenAtSec?: number } = {},
): Promise<ObserveResult> {
  return await reporter.call('observe', { from, text: typeof shown === 'string' ? shown : shown.text(), ...more })
}

function fresh(
  of: Person,
  devices: Parameters<Person['table']>[0],
  options: Parameters<Person['table']>[1] = {},
): Table {
  return of.table(devices, { timeSec: NOW_SEC, ...options })
}

async function keysOf(of: Person): Promise<string[]> {
  return (await reader.call('contact.show', { contact: of.id })).devices.map(({ key }) => key)
}

/** The codes of all alarm events about a persona. */
async function alarms(of: Person): Promise<string[]> {
  // Once this answer has come, all earlier events have arrived.
  await owner.call('status')
  return events.flatMap((event) => (event.event === 'alarm' && event.data.personaId === of.id ? [event.data.code] : []))
}

describe('an attack on a contact', () => {
  test("14: showing a copy of another persona's table gives nothing, and takes nothing from them", async () => {
    const bob = someone('bob')
    const table = fresh(bob, ['phone'])
    await sees(bob.key('phone'), table, { name: 'Bob 14' })
    const copier = deviceKey('copier 14')
    expect(await sees(copier, table, { name: 'Bob 14' })).toMatchObject({ state: 'asserted', contact: 'Bob 14#2' })
    expect(await keysOf(bob)).toEqual([bob.key('phone')])
    expect(await reader.call('lookup', { query: copier })).toMatchObject({ contact: { kind: 'provisional' } })
  })

  test("15: listing another persona's device causes a claim and an alarm, and does not change their view", async () => {
    const [bob, mallory] = [someone('bob'), someone('mallory')]
    await sees(bob.key('phone'), fresh(bob, ['phone']), { name: 'Bob 15' })
    const before = await reader.call('contact.show', { contact: bob.id })
    await sees(mallory.key('pc'), fresh(mallory, ['pc', { name: 'mine', key: bob.key('phone') }]), { name: 'M 15' })
    expect(await reader.call('contact.show', { contact: bob.id })).toEqual(before)
    expect(await keysOf(mallory)).toEqual([mallory.key('pc')])
    expect(await alarms(mallory)).toEqual(['DEVICE_CONTESTED'])
    expect(await reader.call('lookup', { query: bob.key('phone') })).toMatchObject({ contact: { personaId: bob.id } })
  })

  test('16: showing another persona on a known device leaves it confirmed for neither', async () => {
    const [bob, mallory] = [someone('bob'), someone('mallory')]
    const phone = bob.key('phone')
    await sees(phone, fresh(bob, ['phone']), { name: 'Bob 16' })
    await sees(mallory.key('pc'), fresh(mallory, ['pc', { name: 'x', key: phone }]), { name: 'M 16' })
    await sees(phone, mallory.last!)
    expect(await reader.call('lookup', { query: phone })).toMatchObject({ contact: null })
    expect(await keysOf(mallory)).toEqual([mallory.key('pc')])
    expect(await alarms(bob)).toEqual(['PERSONA_SWITCHED'])
  })

  test('44: quoting a token in the status words, or listing a stranger, changes nobody else', async () => {
    const [bob, mallory] = [someone('bob'), someone('mallory')]
    const carol = deviceKey('carol 44')
    const quoted = fresh(bob, ['phone']).text()
    await sees(carol, 'hi', { name: 'Carol 44' })
    await sees(carol, `see what bob has: ${quoted}`)
    await sees(mallory.key('pc'), fresh(mallory, ['pc', { name: 'x', key: carol }]), { name: 'M 44' })
    await sees(mallory.key('pc'), fresh(mallory, ['pc']))
    const contact = await reader.call('contact.show', { contact: 'Carol 44' })
    expect(contact).toMatchObject({ kind: 'provisional', active: carol })
    expect(await reader.call('lookup', { query: bob.id })).toMatchObject({ by: 'none' })
  })
})

describe('a thief with a device of Bob’s', () => {
  test('17: is noticed when they remove the other devices, and shut out by one rotation', async () => {
    const bob = someone('bob')
    const [phone, laptop, stolen] = [bob.key('phone'), bob.key('laptop'), deviceKey('thief 17')]
    const first = fresh(bob, ['phone', 'laptop'])
    for (const key of [phone, laptop]) await sees(key, first, { name: 'Bob 17' })
    const thief = bob.sibling()
    await sees(phone, fresh(thief, ['phone', { name: 'new', key: stolen }]))
    await sees(stolen, thief.last!)
    expect(events.filter((event) => event.event === 'device.added').at(-1)).toMatchObject({
      data: { device: { key: stolen } },
    })
    await sees(laptop, fresh(bob.rotate(), ['laptop']))
    expect(await keysOf(bob)).toEqual([laptop])
    for (const seq of [3, 100, MAX_SEQ]) {
      const later = fresh(thief, ['phone', { name: 'new', key: stolen }], { seq })
      expect(await sees(stolen, later)).toMatchObject({ verdict: 'stale', state: 'former' })
    }
    expect(await keysOf(bob)).toEqual([laptop])
  })

  test('18: causes a violation with another next key, and nothing of it is accepted', async () => {
    const bob = someone('bob')
    await sees(bob.key('phone'), fresh(bob, ['phone']), { name: 'Bob 18' })
    const thief = bob.thief('another chain 18')
    for (const epoch of [0, 1, 16]) {
      thief.epoch = epoch
      const table = fresh(thief, ['phone', { name: 'x', key: deviceKey('thief 18') }])
      expect(await sees(bob.key('phone'), table)).toMatchObject({ verdict: 'violation' })
    }
    expect(await reader.call('contact.show', { contact: bob.id })).toMatchObject({ epoch: 0, seq: 1, claims: [] })
    expect(new Set(await alarms(bob))).toEqual(new Set(['CHAIN_DISPUTED']))
  })

  test('19: is held or followed up to the last seq, and shut out with the epoch', async () => {
    const bob = someone('bob')
    await sees(bob.key('phone'), fresh(bob, ['phone', 'laptop']), { name: 'Bob 19' })
    const thief = bob.sibling()
    // On another device: a table that moves no head is recorded only once a minute for each device.
    expect(await sees(bob.key('tablet'), fresh(thief, ['phone'], { seq: MAX_SEQ }))).toMatchObject({ verdict: 'held' })
    expect((await owner.call('pending.list')).pending).toMatchObject([{ kind: 'held', contact: 'Bob 19' }])
    const step = fresh(thief, ['phone'], { seq: 1 + MAX_SEQ_STEP })
    expect(await sees(bob.key('phone'), step)).toMatchObject({ verdict: 'accept' })
    await sees(bob.key('laptop'), fresh(bob.rotate(), ['laptop']))
    expect(await reader.call('contact.show', { contact: bob.id })).toMatchObject({ epoch: 1, seq: 1 })
    expect((await owner.call('pending.list')).pending).toEqual([])
  })

  test('41: cannot carry an added device through the rotation', async () => {
    const bob = someone('bob')
    const stolen = deviceKey('thief 41')
    await sees(bob.key('laptop'), fresh(bob, ['phone', 'laptop']), { name: 'Bob 41' })
    const thief = bob.sibling()
    await sees(stolen, fresh(thief, ['phone', 'laptop', { name: 'x', key: stolen }]))
    await sees(bob.key('laptop'), fresh(bob.rotate(), ['laptop']))
    expect(await reader.call('lookup', { query: stolen })).toMatchObject({ device: { state: 'former' } })
    expect((await reader.call('contact.show', { contact: bob.id })).claims).toEqual([])
  })

  test.each(['ask', 'pin'] as const)('43: stays confirmed under no policy after the rotation (%s)', async (policy) => {
    const bob = someone('bob')
    const first = fresh(bob, ['phone', 'laptop'])
    for (const device of ['phone', 'laptop']) await sees(bob.key(device), first, { name: `Bob 43 ${policy}` })
    await owner.call('contact.policy', { contact: bob.id, policy })
    await sees(bob.key('laptop'), fresh(bob.rotate(), ['laptop', 'tablet']))
    expect(await keysOf(bob)).toEqual([bob.key('laptop')])
    expect((await owner.call('pending.list')).pending).toMatchObject([{ kind: 'update', personaId: bob.id }])
    await owner.call('pending.accept', { contact: bob.id })
    expect(await keysOf(bob)).toEqual([bob.key('laptop')])
  })
})

describe('an old table', () => {
  test('21: grows stale and expires if nobody signs it again, and is never deleted', async () => {
    for (const [days, freshness] of [
      [13, 'fresh'],
      [15, 'stale'],
      [59, 'stale'],
      [61, 'expired'],
    ] as const) {
      const bob = someone('bob')
      await sees(bob.key('phone'), bob.table(['phone'], { timeSec: NOW_SEC - days * DAY_SEC }), {
        name: `Bob 21 ${days}`,
      })
      expect(await reader.call('contact.show', { contact: bob.id })).toMatchObject({
        freshness,
        active: bob.key('phone'),
      })
    }
  })

  test('45: in a backup of a profile, scanned today, neither brings a device back nor removes one', async () => {
    const bob = someone('bob')
    const [phone, laptop] = [bob.key('phone'), bob.key('laptop')]
    const old = fresh(bob, ['phone', 'laptop'])
    for (const key of [phone, laptop]) await sees(key, old, { name: 'Bob 45' })
    await sees(laptop, fresh(bob, ['laptop']))
    const seenAtSec = NOW_SEC - 300 * DAY_SEC
    const observations = [phone, laptop].map((from) => ({ from, text: old.text(), name: 'Robert', seenAtSec }))
    await owner.call('observe.batch', { source: 'profile:backup', observations })
    expect(await keysOf(bob)).toEqual([laptop])
    await sees(phone, 'hello, I am new here', { name: 'New friend 45' })
    expect(await reader.call('lookup', { query: phone })).toMatchObject({ device: { state: 'former' } })
    expect(await reader.call('lookup', { query: 'New friend 45' })).toMatchObject({ by: 'none' })
  })

  test('46: in a flood of others leaves bounded evidence, and moves nothing', async () => {
    const bob = someone('bob')
    const tables = Array.from({ length: 40 }, () => fresh(bob, ['phone']))
    await sees(bob.key('phone'), tables.at(-1)!, { name: 'Bob 46' })
    for (const table of tables) await sees(bob.key('phone'), table)
    const { blobs } = await owner.call('evidence.get', { contact: bob.id })
    expect(blobs.length).toBeLessThanOrEqual(17)
    expect(await reader.call('contact.show', { contact: bob.id })).toMatchObject({ seq: 40 })
  })
})

describe('the texts that people read', () => {
  test('26: hold no hostile nickname of a table, and a client’s hostile name as one line', async () => {
    for (const name of ['ph\u200Bone', 'ph\u202Eone', 'phone\u0007', ' phone']) {
      const bob = someone('bob')
      const deflated = compress(encodeUtf8(`names: ["${name}"]\n`), DOCUMENT_DICTIONARY)
      expect(await sees(bob.key('phone'), fresh(bob, ['phone'], { deflated }))).toMatchObject({ shown: 'invalid' })
      expect(await reader.call('lookup', { query: bob.id })).toMatchObject({ by: 'none' })
    }
    const key = deviceKey('hostile 26')
    await sees(key, 'hi', { name: 'x\u001b[2J\r\nroot\u2028' })
    const { contact } = await reader.call('lookup', { query: key })
    expect(contact!.name).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u)
  })

  test('27: name the excess bytes of a table that is too large, before it is signed; removing still works', async () => {
    const code = async (): Promise<{ code: string; details: { bytesOver?: number } }> => {
      for (let i = 0; ; i++) {
        const name = `a rather long nickname ${i}`
        try {
          await owner.call('device.add', { name, key: deviceKey(`many 27 ${i}`) })
        } catch (error) {
          return error as { code: string; details: { bytesOver?: number } }
        }
      }
    }
    const refused = await code()
    expect(refused.code).toBe('TABLE_TOO_LARGE')
    expect(refused.details.bytesOver).toBeGreaterThan(0)
    const { devices } = await owner.call('device.list')
    await owner.call('device.remove', { device: devices.at(-1)!.key })
    expect((await owner.call('device.list')).devices).toHaveLength(devices.length - 1)
  })
})

describe('after a restart', () => {
  test('20: an older table is still stale, and 22: two tables with the same seq are both kept', async () => {
    const bob = someone('bob')
    const first = fresh(bob, ['phone', 'laptop'])
    await sees(bob.key('phone'), first, { name: 'Bob 20' })
    const [mine, thiefs] = [fresh(bob, ['phone'], { after: first }), fresh(bob.sibling(), ['laptop'], { after: first })]
    await sees(bob.key('phone'), mine)
    await sees(bob.key('laptop'), thiefs)
    const before = await reader.call('contact.show', { contact: bob.id })
    await daemon.restart()
    await open()
    await reporter.call('app.hello', { token })
    expect(await sees(bob.key('tablet'), first)).toMatchObject({ verdict: 'stale' })
    expect(await reader.call('contact.show', { contact: bob.id })).toMatchObject({ seq: 2, devices: before.devices })
    const { blobs } = await owner.call('evidence.get', { contact: bob.id })
    expect(blobs.filter(({ kind }) => kind === 'fork')).toHaveLength(2)
  })
})
