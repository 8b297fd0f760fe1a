import { describe, expect, it } from 'vitest'
import type { Contact } from '../../../../src/ipc/shapes/contact.ts'
import { foldName } from '../../../../src/daemon/state/name-form.ts'
import { OWN_LAPTOP, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, person } from '../../../support/person.ts'

const BOB = person('bob')
const PHONE = BOB.key('phone')

async function withBob(): Promise<TestKeeper> {
  const test = await TestKeeper.withPersona()
  await test.sees(PHONE, person('bob').table(['phone', 'laptop']), { name: 'Bob' })
  return test
}

describe('lookup', () => {
  it('finds by PersonaID, by device key, by name in any case, and by a prefix of either key', async () => {
    const test = await withBob()
    for (const [query, by] of [
      [BOB.id, 'persona'],
      [BOB.id.toLowerCase(), 'persona'],
      [BOB.id.slice(0, 4), 'persona'],
      [PHONE, 'device'],
      [PHONE.slice(0, 10).toLowerCase(), 'device'],
      ['Bob', 'name'],
      ['bOB', 'name'],
    ]) {
      expect(await test.call('lookup', { query: query! }), query).toMatchObject({ query, by, contact: { name: 'Bob' } })
    }
  })

  it.each([
    '',
    'Bo',
    'nobody',
    BOB.id.slice(0, 3),
    'FF'.repeat(32),
    'F'.repeat(65),
    '__proto__',
    'constructor',
    '\uD800',
    '\u{10FFFF}',
    '/',
    'ΐ'.repeat(128),
    '漢'.repeat(256),
    '\0',
  ])('finds no contact for %j, without an error', async (query) => {
    const test = await withBob()
    expect(await test.call('lookup', { query })).toStrictEqual({
      query,
      by: 'none',
      contact: null,
      device: null,
      claimedBy: [],
    })
    await expect(test.call('contact.show', { contact: query })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('of the nickname of an own device says whose it is, but no contact has that name', async () => {
    const test = await withBob()
    expect(await test.call('lookup', { query: 'LAPTOP' })).toMatchObject({
      by: 'name',
      contact: { kind: 'own' },
      device: { key: OWN_LAPTOP, name: 'laptop' },
    })
    await expect(test.call('contact.show', { contact: 'laptop' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('of the last digits of a key advises to use the first ones', async () => {
    const test = await withBob()
    const hint = async (contact: string): Promise<string> =>
      await test.call('contact.show', { contact }).then(
        () => 'found',
        (error: unknown) => (error as { hint: string }).hint,
      )
    for (const query of ['0123ABCD', '…0123abcd', '0123']) expect(await hint(query)).toContain('first digits')
    for (const query of ['012', 'Bobby', '…']) expect(await hint(query)).toBe('check the name, or list the contacts')
  })

  it('of a whole key never finds a contact that uses the key as a name', async () => {
    const test = await withBob()
    await test.sees(deviceKey('mallory'), 'hi', { name: BOB.id })
    await test.sees(deviceKey('mallory 2'), 'hi', { name: deviceKey('nobody') })
    expect(await test.call('lookup', { query: BOB.id })).toMatchObject({ by: 'persona', contact: { name: 'Bob' } })
    expect(await test.call('lookup', { query: deviceKey('nobody') })).toMatchObject({ by: 'none', contact: null })
  })

  it('of a name that is also the beginning of a key is ambiguous', async () => {
    const test = await withBob()
    await test.sees(deviceKey('mallory'), 'hi', { name: PHONE.slice(0, 8) })
    await expect(test.call('lookup', { query: PHONE.slice(0, 8) })).rejects.toMatchObject({ code: 'AMBIGUOUS' })
    expect(await test.call('lookup', { query: PHONE.slice(0, 9) })).toMatchObject({ contact: { name: 'Bob' } })
  })

  it('finds contacts named like an unknown key, a number or a member of every object', async () => {
    const test = await TestKeeper.open()
    const names = [
      'ABCDEF',
      'dead',
      '__proto__',
      'constructor',
      'hasOwnProperty',
      '1',
      'null',
      '/',
      'a/b',
      '#2',
      '\u202Eevil',
    ]
    for (const [n, name] of names.entries()) await test.sees(deviceKey(`friend ${n}`), 'hi', { name })
    for (const [n, name] of names.entries()) {
      expect((await test.call('lookup', { query: name })).contact, name).toMatchObject({
        active: deviceKey(`friend ${n}`),
      })
    }
    expect((await test.call('contact.list')).total).toBe(11)
  })

  it('finds the owner by any own key', async () => {
    const test = await withBob()
    const { personaId } = await test.call('device.list')
    for (const query of [personaId, OWN_LAPTOP]) {
      expect((await test.call('lookup', { query })).contact).toMatchObject({ kind: 'own', personaId })
    }
  })
})

describe('names from clients', () => {
  it.each([
    ['two\nlines\u0000', 'two lines'],
    ['  spaced  ', 'spaced'],
    ['\n', 'unnamed'],
    ['x'.repeat(400), 'x'.repeat(64)],
    ['\u{1F600}'.repeat(100), '\u{1F600}'.repeat(64)],
    ['\u{1D160}'.repeat(128), '\u{1D158}\u{1D165}\u{1D16E}'.repeat(21) + '\u{1D158}'],
    ['ΐ'.repeat(128), 'ΐ'.repeat(64)],
    ['lone \uD800', 'lone \uFFFD'],
    ['\u{10FFFF}', '\u{10FFFF}'],
  ])('%j is stored as %j, found and listed', async (name, kept) => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, 'hi', { name })
    await test.sees(deviceKey('other'), 'hi', { name })
    const { contacts } = await test.call('contact.list')
    expect(contacts.map((contact) => contact.name)).toStrictEqual([kept, `${kept}#2`])
    expect((await test.call('lookup', { query: kept })).contact).toMatchObject({ active: PHONE })
  })

  it('cost only a few reads each, even if a thousand friends share one', async () => {
    const test = await TestKeeper.open()
    for (let n = 0; n < 1000; n++) await test.sees(deviceKey(`friend ${n}`), '', { name: 'Kim' })
    let reads = 0
    const store = { ...test.store, get: (key: string) => (reads++, test.store.get(key)) }
    const counted = await TestKeeper.open({ store, stateDir: test.stateDir })
    reads = 0
    await counted.sees(PHONE, '', { name: 'Kim' })
    expect(reads).toBeLessThan(60)
    expect((await test.call('lookup', { query: 'kim#1001' })).contact).toMatchObject({ active: PHONE })
  })
})

async function pages(test: TestKeeper, limit: number): Promise<Contact[]> {
  const contacts: Contact[] = []
  let after: string | undefined
  for (let n = 0; n < 100; n++) {
    const page = await test.call('contact.list', after === undefined ? { limit } : { limit, after })
    expect(page.contacts.length).toBeLessThanOrEqual(limit)
    contacts.push(...page.contacts)
    if (page.next === null) return contacts
    after = page.next
  }
  throw new Error('the pages have no end')
}

describe('the list of contacts', () => {
  it('has each contact once, in the order of the names, for any page size', async () => {
    const test = await TestKeeper.withPersona()
    for (let n = 0; n < 25; n++) await test.sees(deviceKey(`friend ${n}`), 'hi', { name: `friend ${(n * 7) % 25}` })
    const table = person('bob').table(['phone', 'laptop', 'tablet'])
    for (const device of ['phone', 'laptop', 'tablet']) await test.sees(BOB.key(device), '', { name: `a ${device}` })
    for (const device of ['phone', 'laptop', 'tablet']) await test.later(1).sees(BOB.key(device), table)
    for (const device of ['laptop', 'tablet']) await test.call('pending.accept', { contact: `a ${device}` })
    const all = await pages(test, 500)
    expect(all).toHaveLength(26)
    const names = all.map(({ name }) => foldName(name))
    expect(names).toStrictEqual(names.toSorted())
    expect(all[0]).toMatchObject({ name: 'a phone', aliases: ['a laptop', 'a tablet'] })
    for (const limit of [1, 2, 5, 26]) expect(await pages(test, limit)).toStrictEqual(all)
    expect((await test.call('contact.list')).total).toBe(26)
  })

  it('accepts any text as the place to continue', async () => {
    const test = await withBob()
    for (const [after, count] of [
      ['', 1],
      ['aaa', 1],
      ['bob', 0],
      ['\u{10FFFF}', 0],
      ['\uD800', 0],
      ['z'.repeat(256), 0],
    ] as const) {
      expect((await test.call('contact.list', { after })).contacts, after).toHaveLength(count)
    }
  })
})
