import { describe, expect, it } from 'vitest'
import { MAX_SEQ } from '../../../../src/core/limits.ts'
import type { OwnTable } from '../../../../src/ipc/shapes/own.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, person } from '../../../support/person.ts'

const PHONE = { name: 'phone', key: OWN_PHONE }
const TABLET = { name: 'tablet', key: deviceKey('own tablet') }
const passphrase = 'correct horse'

async function pair(): Promise<{ a: TestKeeper; b: TestKeeper }> {
  const a = await TestKeeper.withPersona()
  await a.call('device.add', PHONE)
  await a.keeper.change(() => a.keeper.own.keyLeaves())
  const b = await a.copied()
  a.events.length = 0
  return { a, b }
}

/** Each sees the table of the other until both agree. @returns the number of rounds */
async function exchange(a: TestKeeper, b: TestKeeper): Promise<number> {
  for (let rounds = 0; rounds < 10; rounds++) {
    const before = [await a.call('device.list'), await b.call('device.list')]
    await b.later(100).sees(OWN_LAPTOP, (await a.call('blob.get')).text)
    await a.later(100).sees(OWN_PHONE, (await b.call('blob.get')).text)
    const after = [await a.call('device.list'), await b.call('device.list')]
    if (JSON.stringify(before) === JSON.stringify(after)) return rounds
  }
  throw new Error('they do not come to an end')
}

function names(table: OwnTable): string[] {
  return table.devices.map(({ name }) => name)
}

async function liveIntents(test: TestKeeper): Promise<string[]> {
  const kinds: string[] = []
  for await (const [, { edit }] of test.records.intents.iterate()) kinds.push(edit.kind)
  return kinds
}

describe("a sibling's table", () => {
  it('becomes the head if it is newer, with an event', async () => {
    const { a, b } = await pair()
    const { table } = await b.call('device.add', TABLET)
    await a.sees(OWN_PHONE, (await b.call('blob.get')).text)
    expect(await a.call('device.list')).toStrictEqual(table)
    expect(a.told('own.changed')).toMatchObject([{ cause: 'sibling', table: { seq: 3 } }])
    expect(await (await a.reopened()).call('device.list')).toStrictEqual(table)
    expect(await a.call('lookup', { query: TABLET.key })).toMatchObject({ contact: { kind: 'own' } })
  })

  it('changes nothing if it is older', async () => {
    const { a, b } = await pair()
    const before = (await b.call('blob.get')).text
    const { table } = await a.call('device.add', TABLET)
    await a.later(60).sees(OWN_PHONE, before)
    expect(await a.call('device.list')).toStrictEqual(table)
  })

  it('that lacks an own add gets it again, and both siblings end with the same table', async () => {
    const { a, b } = await pair()
    await a.call('device.add', TABLET)
    await b.call('device.rename', { device: 'phone', name: 'Handy' })
    await exchange(a, b)
    const [left, right] = [await a.call('device.list'), await b.call('device.list')]
    expect(left).toStrictEqual(right)
    expect(names(left).sort()).toStrictEqual(['Handy', 'laptop', 'tablet'])
    expect([...(await liveIntents(a)), ...(await liveIntents(b))]).toStrictEqual(['add', 'add', 'add', 'rename'])
  })

  it('raises no alarm if both were made offline', async () => {
    const { a, b } = await pair()
    await a.call('device.activate', { device: 'phone' })
    await b.call('device.add', TABLET)
    await exchange(a, b)
    expect([...a.told('alarm'), ...b.told('alarm')]).toStrictEqual([])
  })

  it('cannot bring back a device that was removed here', async () => {
    const { a, b } = await pair()
    await a.call('device.remove', { device: 'phone' })
    await b.call('device.add', TABLET)
    await b.call('device.rename', { device: 'phone', name: 'Handy' })
    await exchange(a, b)
    for (const keeper of [a, b]) expect(names(await keeper.call('device.list'))).toStrictEqual(['laptop', 'tablet'])
  })

  it('that removes a device which it knew is obeyed, with an event for the owner here', async () => {
    const { a, b } = await pair()
    await a.call('device.add', TABLET)
    await b.sees(OWN_LAPTOP, (await a.call('blob.get')).text)
    await b.call('device.remove', { device: 'tablet' })
    await exchange(a, b)
    expect(names(await a.call('device.list'))).toStrictEqual(['laptop', 'phone'])
    expect(a.told('own.intent-dropped')).toStrictEqual([
      {
        intent: 'add tablet',
        reason: 'REMOVED_BY_SIBLING',
        command: `persona device add tablet --key ${TABLET.key} --again`,
      },
    ])
  })

  it('that removes a device which got a new key here makes the event name the way back into the table', async () => {
    const { a, b } = await pair()
    await b.call('device.remove', { device: 'phone' })
    const key = deviceKey('own phone, second key')
    await a.call('device.rekey', { device: 'phone', key })
    await exchange(a, b)
    for (const keeper of [a, b]) expect(names(await keeper.call('device.list'))).toStrictEqual(['laptop'])
    const command = `persona device add NAME --key ${key}`
    expect(a.told('own.intent-dropped').at(-1)).toMatchObject({ reason: 'DEVICE_GONE', command })
  })

  it('that removes a device which it knew from a replay is obeyed too', async () => {
    const { a, b } = await pair()
    await a.call('device.add', TABLET)
    await b.call('device.add', { name: 'watch', key: deviceKey('own watch') })
    await exchange(a, b)
    expect(names(await a.call('device.list')).sort()).toStrictEqual(['laptop', 'phone', 'tablet', 'watch'])
    await a.call('device.remove', { device: 'watch' })
    await exchange(a, b)
    await b.call('device.remove', { device: 'tablet' })
    await exchange(a, b)
    for (const keeper of [a, b]) expect(names(await keeper.call('device.list'))).toStrictEqual(['laptop', 'phone'])
  })

  it.each([
    ['a name', 'device.rename', { device: OWN_PHONE, name: 'Handy' }, { device: OWN_PHONE, name: 'phone' }],
    ['the order', 'device.activate', { device: 'phone' }, { device: 'laptop' }],
  ] as const)(
    'that changed %s back is obeyed, so that the two do not change it in turn forever',
    async (_, method, here, there) => {
      const { a, b } = await pair()
      await a.call(method, here)
      await exchange(a, b)
      const { table } = await b.call(method, there)
      await exchange(a, b)
      for (const keeper of [a, b]) expect(await keeper.call('device.list')).toStrictEqual(table)
      expect(await liveIntents(a)).not.toContain(method.slice('device.'.length))
    },
  )

  it('that renamed the same device offline wins if it is later', async () => {
    const { a, b } = await pair()
    await a.later(10).call('device.rename', { device: 'phone', name: 'early' })
    await b.later(20).call('device.rename', { device: 'phone', name: 'late' })
    await exchange(a, b)
    for (const keeper of [a, b]) expect(names(await keeper.call('device.list'))).toStrictEqual(['laptop', 'late'])
  })

  it("cannot take a contact's device, and raises an alarm", async () => {
    const { a, b } = await pair()
    const bob = person('bob')
    const key = bob.key('phone')
    await a.sees(key, bob.table(['phone']), { name: 'Bob' })
    await a.sees(TABLET.key, 'hi', { name: 'a friend' })
    await b.call('device.add', { name: 'stolen', key })
    await b.call('device.add', TABLET)
    await a.sees(OWN_PHONE, (await b.call('blob.get')).text)
    expect(a.told('alarm')).toMatchObject([
      { code: 'DEVICE_CONTESTED', key },
      { code: 'DEVICE_CONTESTED', key: TABLET.key },
    ])
    expect((await a.call('lookup', { query: key })).contact).toMatchObject({ name: 'Bob', active: key })
    expect((await a.call('lookup', { query: TABLET.key })).contact).toMatchObject({ name: 'a friend' })
    const own = await a.call('contact.show', { contact: (await a.call('device.list')).personaId })
    expect(own.devices.map((device) => device.key)).toStrictEqual([OWN_LAPTOP, OWN_PHONE])
    expect(own.claims).toMatchObject([
      { key, state: 'claimed', contested: true },
      { key: TABLET.key, state: 'claimed', contested: true },
    ])
    // The friend turns out to be the owner's tablet: it shows the owner's table, and the owner agrees.
    await a.sees(TABLET.key, (await b.call('blob.get')).text)
    expect((await a.call('lookup', { query: TABLET.key })).contact).toMatchObject({ name: 'a friend', pending: true })
    await a.call('pending.accept', { contact: 'a friend' })
    expect((await a.call('lookup', { query: TABLET.key })).contact).toMatchObject({ kind: 'own' })
    expect(await a.call('lookup', { query: 'a friend' })).toMatchObject({ by: 'none' })
    expect((await a.call('status')).counts).toMatchObject({ contacts: 1, provisional: 0 })
  })

  it('with a time ahead of this clock causes an event', async () => {
    const { a, b } = await pair()
    await b.later(10_000).call('device.add', TABLET)
    await a.sees(OWN_PHONE, (await b.call('blob.get')).text)
    expect(a.told('clock')).toHaveLength(1)
  })
})

describe('a locked daemon', () => {
  it("accepts a sibling's table at once, and replays the missing edits at the unlock", async () => {
    const first = await TestKeeper.open()
    await first.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP }, passphrase })
    const b = await first.copied()
    await b.call('persona.unlock', { passphrase })
    await first.call('device.add', TABLET)
    await b.call('device.add', PHONE)
    await b.call('device.activate', { device: 'phone' })
    const a = await first.reopened()
    await a.sees(OWN_PHONE, (await b.call('blob.get')).text)
    expect(names(await a.call('device.list'))).toStrictEqual(['phone', 'laptop'])
    expect(a.records.own.get('own')).toMatchObject({ replayDue: true })
    await a.call('persona.unlock', { passphrase })
    expect(names(await a.call('device.list'))).toStrictEqual(['phone', 'laptop', 'tablet'])
    expect(a.records.own.get('own')).toMatchObject({ replayDue: false })
  })
})

describe('a table that this device cannot answer with one of its own', () => {
  it('at the last seq is accepted, an edit fails with the reason, and other observations go on', async () => {
    const { a, b } = await pair()
    await a.call('device.add', TABLET)
    const persona = b.records.personas.get((await b.call('device.list')).personaId)!
    // A thief would get there in steps of 65536. The test sets the head directly.
    const walked = await atSeq(b, MAX_SEQ)
    const heldBefore = await a.copied()
    await heldBefore.store.commit([heldBefore.records.personas.put(persona.personaId, { ...persona, ...walked.near })])
    const test = await heldBefore.reopened()
    expect((await test.sees(OWN_PHONE, walked.text)).verdict).toBe('accept')
    expect(await test.call('device.list')).toMatchObject({ seq: MAX_SEQ })
    await expect(test.call('device.rename', { device: 'laptop', name: 'x' })).rejects.toMatchObject({
      code: 'SEQ_EXHAUSTED',
    })
    expect(test.records.own.get('own')).toMatchObject({ replayDue: true })
    expect(await liveIntents(test)).toStrictEqual(['add', 'add'])
  })
})

/** A table that a sibling with the same keys signs at a seq, and a head one step before it. */
async function atSeq(test: TestKeeper, seq: number): Promise<{ text: string; near: object }> {
  const { decodeBlob, encodeBlob } = await import('../../../../src/core/blob.ts')
  const { formatBase64url, parseBase64url } = await import('../../../../src/core/encoding/bytes.ts')
  const { formatToken } = await import('../../../../src/core/token.ts')
  const { personaId } = await test.call('device.list')
  const head = decodeBlob(parseBase64url(test.records.personas.get(personaId)!.head!)!)
  const sign = test.custody.signer(0)
  const near = encodeBlob({ ...head, chain: head, seq: seq - 1 }, sign)
  const last = encodeBlob({ ...head, chain: head, seq }, sign)
  return { text: formatToken(last), near: { head: formatBase64url(near), seq: seq - 1 } }
}

describe('intents', () => {
  it('are kept over a restart until a sibling shows them', async () => {
    const { a, b } = await pair()
    await a.call('device.add', TABLET)
    const again = await a.reopened()
    await b.call('device.rename', { device: 'laptop', name: 'old' })
    await b.call('device.rename', { device: 'old', name: 'older' })
    await again.sees(OWN_PHONE, (await b.call('blob.get')).text)
    expect(names(await again.call('device.list'))).toStrictEqual(['older', 'phone', 'tablet'])
  })

  it('do not exist for a refused edit', async () => {
    const { a } = await pair()
    await expect(a.call('device.add', PHONE)).rejects.toMatchObject({ code: 'DEVICE_LISTED' })
    expect(await liveIntents(a)).toStrictEqual(['add'])
  })
})

describe("a sibling's rotation", () => {
  /** The keeper of an own persona whose head a sibling moved to epoch 1, with keys that this device does not hold. */
  async function superseded(): Promise<TestKeeper> {
    const test = await TestKeeper.open()
    const me = person('me')
    const before = await TestKeeper.withPersona()
    const position = me.table([{ name: 'laptop', key: OWN_LAPTOP }])
    await test.sees(OWN_LAPTOP, position)
    await test.sees(OWN_LAPTOP, me.rotate().table([{ name: 'laptop', key: OWN_LAPTOP }]))
    const own = before.records.own.get('own')!
    const persona = test.records.personas.get(me.id)!
    await before.store.commit([
      before.records.own.put('own', { ...own, personaId: me.id }),
      before.records.personas.put(me.id, { ...persona, entry: null }),
    ])
    return await before.reopened()
  }

  it('is followed only by reading: edits and signatures fail with KEY_SUPERSEDED, and no signature is due', async () => {
    const test = await superseded()
    expect((await test.call('device.list')).epoch).toBe(1)
    await expect(test.call('device.add', PHONE)).rejects.toMatchObject({ code: 'KEY_SUPERSEDED' })
    await expect(test.keeper.resign()).rejects.toMatchObject({ code: 'KEY_SUPERSEDED' })
    expect(test.keeper.resignDueSec()).toBeNull()
  })
})
