import { describe, expect, it } from 'vitest'
import type { TableError } from '../../../../src/core/errors.ts'
import type { Edit } from '../../../../src/core/edit.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, person, START_SEC } from '../../../support/person.ts'

const PHONE = { name: 'phone', key: OWN_PHONE }
const DAY_SEC = 86_400

/** Adds devices until the table refuses one. */
async function fill(test: TestKeeper): Promise<unknown> {
  const { devices } = await test.call('device.list')
  for (let n = devices.length + 1; n < 30; n++) {
    const key = deviceKey(String(n))
    try {
      await test.call('device.add', { name: `${n} ${key.slice(0, 20)}`, key })
    } catch (error) {
      return error
    }
  }
  throw new Error('thirty devices fit')
}

describe('an edit of the own table', () => {
  it('signs the next table: adds at the end, renames in place, activates at the front, removes', async () => {
    const test = await TestKeeper.withPersona()
    expect((await test.call('device.add', PHONE)).table).toMatchObject({
      seq: 2,
      devices: [{ name: 'laptop', key: OWN_LAPTOP }, PHONE],
    })
    expect((await test.call('device.rename', { device: 'phone', name: 'Handy' })).table.devices[1]!.name).toBe('Handy')
    expect((await test.call('device.activate', { device: 'HANDY' })).table.devices[0]!.name).toBe('Handy')
    const removed = await test.call('device.remove', { device: 'laptop' })
    expect(removed.table).toMatchObject({ seq: 5, devices: [{ name: 'Handy', key: OWN_PHONE }] })
    expect(removed.notices).toMatchObject(
      [/is not shut out/, /theft protection is off/].map((text) => expect.stringMatching(text)),
    )
    expect(await test.call('device.list')).toStrictEqual(removed.table)
    expect(test.told('own.changed').map(({ cause }) => cause)).toStrictEqual(['add', 'rename', 'activate', 'remove'])
  })

  it('reports that theft protection is off while this device has the seed', async () => {
    const test = await TestKeeper.withPersona()
    expect((await test.call('device.add', PHONE)).notices).toEqual([expect.stringContaining('theft protection is off')])
    const { words } = await test.call('recovery.show')
    const three = [0, 7, 23].map((i) => ({ position: i + 1, word: words[i]! }))
    await test.call('recovery.confirm', { words: three })
    expect((await test.call('device.rename', { device: 'phone', name: 'Handy' })).notices).toEqual([])
  })

  it('makes a table that strangers verify as the successor of the one before', async () => {
    const test = await TestKeeper.withPersona()
    const first = (await test.call('blob.get')).text
    await test.call('device.add', PHONE)
    const second = (await test.call('blob.get')).text
    const stranger = await TestKeeper.open()
    await stranger.sees(OWN_LAPTOP, first)
    expect(await stranger.sees(OWN_LAPTOP, second)).toMatchObject({ verdict: 'accept', state: 'confirmed' })
    expect(stranger.records.personas.get((await test.call('device.list')).personaId)!.evidence).toStrictEqual([])
  })

  it('survives the end of the process once it is acknowledged', async () => {
    const test = await TestKeeper.withPersona()
    const { table } = await test.call('device.add', PHONE)
    expect(await (await test.reopened()).call('device.list')).toStrictEqual(table)
  })

  it('needs a persona', async () => {
    const test = await TestKeeper.open()
    await expect(test.call('device.add', PHONE)).rejects.toMatchObject({ code: 'NO_PERSONA' })
    await expect(test.call('device.remove', { device: 'phone' })).rejects.toMatchObject({ code: 'NO_PERSONA' })
    await expect(test.call('blob.get')).rejects.toMatchObject({ code: 'NO_PERSONA' })
  })

  it('writes nothing and causes no event if it is refused', async () => {
    const test = await TestKeeper.withPersona()
    const commits = test.store.commits.length
    const refused = [
      [{ name: 'laptop', key: OWN_PHONE }, 'NICKNAME_TWICE'],
      [{ name: 'LAPTOP', key: OWN_PHONE }, 'NICKNAME_TWICE'],
      [{ name: '', key: OWN_PHONE }, 'NICKNAME_EMPTY'],
      [{ name: ' phone', key: OWN_PHONE }, 'NICKNAME_SPACES'],
      [{ name: 'ph\u202Eone', key: OWN_PHONE }, 'NICKNAME_CHARACTER'],
      [{ name: 'x'.repeat(33), key: OWN_PHONE }, 'NICKNAME_TOO_LONG'],
      [{ name: 'phone', key: OWN_LAPTOP }, 'DEVICE_LISTED'],
      [{ name: 'phone', key: 'FF'.repeat(32) }, 'DEVICE_KEY_NOT_CANONICAL'],
      [{ name: 'phone', key: '01' + '00'.repeat(31) }, 'DEVICE_KEY_LOW_ORDER'],
      [{ name: 'phone', key: (await test.call('device.list')).personaId }, expect.stringMatching(/^DEVICE_KEY_/)],
    ] as const
    let ran = 0
    for (const [device, code] of refused) {
      await expect(test.call('device.add', device)).rejects.toMatchObject({ code })
      ran++
    }
    expect(ran).toBe(10)
    await expect(test.call('device.rename', { device: 'phone', name: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(test.store.commits).toHaveLength(commits)
    expect(test.events).toStrictEqual([])
    expect((await test.call('device.add', PHONE)).table.seq).toBe(2)
  })

  it.each(['__proto__', 'constructor', 'toString', 'true', '1', '~', '2001-01-01'])(
    'takes %s for an ordinary nickname',
    async (name) => {
      const test = await TestKeeper.withPersona()
      expect((await test.call('device.add', { name, key: OWN_PHONE })).table.devices[1]).toStrictEqual({
        name,
        key: OWN_PHONE,
      })
      const { text } = await test.call('blob.get')
      expect((await test.call('verify', { text })).blob!.devices[1]!.name).toBe(name)
      expect((await test.call('device.remove', { device: name })).table.devices).toHaveLength(1)
    },
  )
})

describe('the device that an edit means', () => {
  it('is found by nickname in any case, and by four or more digits of its key', async () => {
    const test = await TestKeeper.withPersona()
    await test.call('device.add', PHONE)
    for (const device of ['PHONE', OWN_PHONE.slice(0, 4), OWN_PHONE.toLowerCase()]) {
      expect((await test.call('device.activate', { device })).table.devices[0]).toStrictEqual(PHONE)
    }
    for (const device of ['', OWN_PHONE.slice(0, 3), 'pho']) {
      await expect(test.call('device.activate', { device })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
  })

  it('is ambiguous if it may be two', async () => {
    const test = await TestKeeper.withPersona()
    await test.call('device.add', { name: OWN_LAPTOP.slice(0, 6), key: OWN_PHONE })
    const before = await test.call('device.list')
    await expect(test.call('device.remove', { device: OWN_LAPTOP.slice(0, 6) })).rejects.toMatchObject({
      code: 'AMBIGUOUS',
    })
    expect(await test.call('device.list')).toStrictEqual(before)
  })
})

describe('a removed device', () => {
  it('comes back only with "again"', async () => {
    const test = await TestKeeper.withPersona()
    await test.call('device.add', PHONE)
    await test.call('device.remove', { device: 'phone' })
    await expect(test.call('device.add', PHONE)).rejects.toMatchObject({ code: 'DEVICE_TOMBSTONED' })
    await expect((await test.reopened()).call('device.add', PHONE)).rejects.toMatchObject({ code: 'DEVICE_TOMBSTONED' })
    expect((await test.call('device.add', { ...PHONE, again: true })).table.devices).toHaveLength(2)
    await test.call('device.remove', { device: 'phone' })
    await expect(test.call('device.add', PHONE)).rejects.toMatchObject({ code: 'DEVICE_TOMBSTONED' })
  })

  it('is a former device of the owner, not a stranger', async () => {
    const test = await TestKeeper.withPersona()
    await test.call('device.add', PHONE)
    await test.call('device.remove', { device: 'phone' })
    await test.sees(OWN_PHONE, 'hello', { name: 'somebody' })
    expect(await test.call('lookup', { query: OWN_PHONE })).toMatchObject({
      contact: { kind: 'own' },
      device: { state: 'former' },
    })
    expect((await test.call('contact.list')).total).toBe(0)
  })
})

describe('a new key for a device', () => {
  const KEY = deviceKey('own phone, second key')

  it('replaces the old key, which becomes a former device of the owner', async () => {
    const test = await TestKeeper.withPersona()
    await test.call('device.add', PHONE)
    await test.call('device.activate', { device: 'phone' })
    const { table } = await test.call('device.rekey', { device: 'phone', key: KEY })
    expect(table.devices).toEqual([
      { name: 'phone', key: KEY },
      { name: 'laptop', key: OWN_LAPTOP },
    ])
    expect(test.told('own.changed').at(-1)).toMatchObject({ cause: 'rekey', unapproved: [] })
    expect(await test.call('lookup', { query: KEY })).toMatchObject({ contact: { kind: 'own', active: KEY } })
    expect(await test.call('lookup', { query: OWN_PHONE })).toMatchObject({ device: { state: 'former' } })
    expect(await (await test.reopened()).call('device.list')).toEqual(table)
  })

  it('still belongs to this machine, which goes on signing', async () => {
    const test = await TestKeeper.withPersona()
    await test.call('device.rekey', { device: 'laptop', key: KEY })
    expect((await test.call('device.add', PHONE)).table.devices).toHaveLength(2)
  })

  it('is refused if it is listed, impossible, or that of a contact', async () => {
    const test = await TestKeeper.withPersona()
    await test.call('device.add', PHONE)
    const bob = person('bob')
    await test.sees(bob.key('phone'), bob.table(['phone']), { name: 'Bob' })
    const { seq } = await test.call('device.list')
    for (const [key, code] of [
      [bob.key('phone'), 'DEVICE_OF_CONTACT'],
      [OWN_LAPTOP, 'DEVICE_LISTED'],
      ['0'.repeat(64), 'DEVICE_KEY_LOW_ORDER'],
    ] as const) {
      await expect(test.call('device.rekey', { device: 'phone', key }), code).rejects.toMatchObject({ code })
    }
    await expect(test.call('device.rekey', { device: 'tablet', key: KEY })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await test.call('device.list')).seq).toBe(seq)
  })
})

describe("a contact's device", () => {
  it('is refused as an own device', async () => {
    const test = await TestKeeper.withPersona()
    const bob = person('bob')
    await test.sees(bob.key('phone'), bob.table(['phone']), { name: 'Bob' })
    const device = { name: 'phone', key: bob.key('phone') }
    await expect(test.call('device.add', device)).rejects.toMatchObject({
      code: 'DEVICE_OF_CONTACT',
      message: expect.stringContaining('Bob') as string,
    })
  })

  it('becomes an own device if it was only a friend without a blob, and the friend leaves the list', async () => {
    const test = await TestKeeper.withPersona()
    await test.sees(OWN_PHONE, 'hello', { name: 'my other phone' })
    expect((await test.call('status')).counts).toMatchObject({ provisional: 1 })
    await test.call('device.add', PHONE)
    expect((await test.call('status')).counts).toMatchObject({ provisional: 0, contacts: 0 })
    expect(await test.call('contact.list')).toMatchObject({ contacts: [], total: 0 })
    expect(await test.call('lookup', { query: 'my other phone' })).toMatchObject({ by: 'none' })
    expect(await test.call('lookup', { query: OWN_PHONE })).toMatchObject({ contact: { kind: 'own' } })
  })
})

describe('a table that no longer fits', () => {
  it('is refused before it is signed, with the number of excess bytes', async () => {
    const test = await TestKeeper.withPersona()
    const refused = await fill(test)
    expect(refused).toMatchObject({ code: 'TABLE_TOO_LARGE' })
    expect((refused as TableError).bytesOver).toBeGreaterThan(0)
    expect((await test.call('blob.get')).bytes).toBeLessThanOrEqual(1006)
    expect((await test.call('device.remove', { device: 'laptop' })).gaveUp).toStrictEqual([])
  })

  it('gives up its names rather than refuse a removal, and reports that', async () => {
    const test = await TestKeeper.withPersona()
    await fill(test)
    const sibling = await test.copied()
    await sibling.store.commit([sibling.records.own.put('own', { ...sibling.records.own.get('own')!, named: false })])
    const unnamed = await sibling.reopened()
    await fill(unnamed)
    const { text, table } = await unnamed.call('blob.get')
    await test.sees(OWN_LAPTOP, text)
    expect(await test.call('device.list')).toMatchObject({ seq: table.seq, named: true })
    const removed = await test.call('device.remove', { device: 'laptop' })
    expect(removed.gaveUp).toStrictEqual(['names'])
    expect(removed.table).toMatchObject({ named: false, seq: table.seq + 1 })
    expect(removed.table.devices).toHaveLength(table.devices.length - 1)
  })
})

describe('the status message', () => {
  it('is the words, a space and the token, without an old token and without spaces at the ends', async () => {
    const test = await TestKeeper.withPersona()
    const { text: old } = await test.call('blob.get', { words: 'old words' })
    await test.call('device.add', PHONE)
    const shown = await test.call('blob.get', { words: `  hello ${old.slice('old words '.length)} world ` })
    expect(shown).toMatchObject({ words: 'hello world', text: `hello world ${shown.token}`, bytes: shown.text.length })
    expect(shown.token).not.toBe(old.slice('old words '.length))
    expect(await test.call('verify', { text: shown.text })).toMatchObject({ valid: true, words: 'hello world' })
  })

  it('may have 1006 bytes, and one more is refused with the number of excess bytes', async () => {
    const test = await TestKeeper.withPersona()
    const { table, token } = await test.call('blob.get')
    expect(table.bytesFree).toBe(1006 - token.length)
    const room = 1006 - token.length - 1
    expect((await test.call('blob.get', { words: 'x'.repeat(room) })).bytes).toBe(1006)
    await expect(test.call('blob.get', { words: 'x'.repeat(room + 1) })).rejects.toMatchObject({
      code: 'WORDS_TOO_LONG',
      details: { bytesOver: 1 },
    })
    await expect(test.call('blob.get', { words: 'ü'.repeat(room) })).rejects.toMatchObject({
      details: { bytesOver: room },
    })
  })
})

describe('signing again', () => {
  it('keeps the table, and friends see a fresh one', async () => {
    const [test, friend] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    await friend.sees(OWN_LAPTOP, (await test.call('blob.get')).text)
    expect(test.keeper.resignDueSec()).toBe(START_SEC + 7 * DAY_SEC)
    for (const keeper of [test, friend]) keeper.later(20 * DAY_SEC)
    expect((await friend.call('lookup', { query: OWN_LAPTOP })).contact!.freshness).toBe('stale')
    const before = await test.call('device.list')
    await test.keeper.resign()
    const after = await test.call('device.list')
    expect(after).toStrictEqual({ ...before, timeSec: test.nowSec })
    expect(await friend.sees(OWN_LAPTOP, (await test.call('blob.get')).text)).toMatchObject({ verdict: 'refresh' })
    expect((await friend.call('lookup', { query: OWN_LAPTOP })).contact).toMatchObject({ freshness: 'fresh', seq: 1 })
    expect(test.keeper.resignDueSec()).toBe(test.nowSec + 7 * DAY_SEC)
  })

  it('is due at once after a signature by a clock that was years ahead, and friends accept the right time', async () => {
    const [test, friend] = [
      await TestKeeper.withPersona({ nowSec: START_SEC + 4000 * DAY_SEC }),
      await TestKeeper.open(),
    ]
    await friend.sees(OWN_LAPTOP, (await test.call('blob.get')).text)
    test.nowSec = START_SEC
    expect(test.keeper.resignDueSec()).toBe(START_SEC)
    await test.keeper.resign()
    expect(test.keeper.resignDueSec()).toBe(START_SEC + 7 * DAY_SEC)
    await friend.later(60).sees(OWN_LAPTOP, (await test.call('blob.get')).text)
    expect((await friend.call('lookup', { query: OWN_LAPTOP })).contact).toMatchObject({ timeSec: START_SEC })
  })

  it('keeps every edit that a sibling may still undo', async () => {
    const test = await TestKeeper.withPersona()
    await test.call('device.add', PHONE)
    await test.later(8 * DAY_SEC).keeper.resign()
    const edits: Edit[] = []
    for await (const [, { edit }] of test.records.intents.iterate()) edits.push(edit)
    expect(edits).toStrictEqual([{ kind: 'add', ...PHONE }])
  })
})

describe('status', () => {
  it('reports a missing persona, the lock, and the counts', async () => {
    const none = await TestKeeper.open()
    expect(await none.call('status')).toMatchObject({
      persona: null,
      locked: false,
      theftProtection: false,
      freshness: null,
    })
    expect((await none.call('status')).notices).toStrictEqual(['there is no persona here yet; create one'])
    const test = await TestKeeper.withPersona()
    expect((await test.call('status')).notices).toStrictEqual([expect.stringContaining('theft protection is off')])
    const { words } = await test.call('recovery.show')
    await test.call('recovery.confirm', { words: words.map((word, i) => ({ position: i + 1, word })) })
    expect((await test.call('status')).notices).toStrictEqual([])
  })

  it('judges no ages after the clock went back, and reports that', async () => {
    const test = await TestKeeper.withPersona()
    const bob = person('bob')
    await test.sees(bob.key('phone'), bob.table(['phone']))
    test.nowSec = 1000
    expect((await test.call('status')).freshness).toBeNull()
    expect((await test.call('status')).notices).toContainEqual(expect.stringContaining('clock'))
    expect((await test.call('lookup', { query: bob.id })).contact!.freshness).toBeNull()
    await test.sees(bob.key('phone'), bob.table(['phone', 'laptop']))
    expect(test.told('contact.changed').at(-1)!.contact.freshness).toBeNull()
  })
})
