import { describe, expect, it } from 'vitest'
import { concatBytes, encodeUtf8 } from '../../../../src/core/encoding/bytes.ts'
import { DOCUMENT_DICTIONARY } from '../../../../src/core/encoding/dictionary.ts'
import { MAX_EVIDENCE_PER_PERSONA } from '../../../../src/core/evidence.ts'
import { MAX_SEQ, MAX_SEQ_STEP } from '../../../../src/core/limits.ts'
import { compress } from '../../../../src/daemon/own/compress.ts'
import type { PersonaRecord } from '../../../../src/daemon/state/persona-record.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, person, START_SEC, type Person, type Table } from '../../../support/person.ts'

const PHONE = person('bob').key('phone')
const LAPTOP = person('bob').key('laptop')

/** A keeper that has the first table of bob, with his phone and laptop, both confirmed. */
async function knowingBob(): Promise<{ test: TestKeeper; bob: Person; first: Table }> {
  const test = await TestKeeper.open()
  const bob = person('bob')
  const first = bob.table(['phone', 'laptop'])
  await test.sees(PHONE, first, { name: 'Bob' })
  await test.sees(LAPTOP, first)
  test.later(120).events.length = 0
  return { test, bob, first }
}

function record(test: TestKeeper, who: Person): PersonaRecord {
  return test.records.personas.get(who.id)!
}

async function verdictOf(test: TestKeeper, table: Table, from = PHONE): Promise<string | null> {
  const predicted = (await test.call('verify', { text: table.text() })).verdict
  const { verdict } = await test.later(60).sees(from, table)
  expect(predicted, 'verify and observe judge alike').toBe(verdict)
  return verdict
}

describe('a blob of a known persona', () => {
  it('with the next seq is accepted', async () => {
    const { test, bob } = await knowingBob()
    const next = bob.table(['laptop', 'phone'])
    expect(await verdictOf(test, next)).toBe('accept')
    expect(record(test, bob)).toMatchObject({ seq: 2, evidence: [], devices: [{ key: LAPTOP }, { key: PHONE }] })
    expect(test.told('contact.changed')).toMatchObject([
      {
        contact: { name: 'Bob', seq: 2, active: LAPTOP },
        changes: [{ kind: 'activated', key: LAPTOP, name: 'laptop' }],
      },
    ])
  })

  it.each([
    [2, 'accept'],
    [MAX_SEQ_STEP + 1, 'accept'],
    [MAX_SEQ_STEP + 2, 'held'],
    [MAX_SEQ, 'held'],
  ])('with seq %i after seq 1: %s', async (seq, verdict) => {
    const { test, bob } = await knowingBob()
    expect(await verdictOf(test, bob.table(['laptop'], { seq }))).toBe(verdict)
    expect(record(test, bob).seq).toBe(verdict === 'accept' ? seq : 1)
  })

  it('causes one event for each change: added, removed, renamed, activated', async () => {
    const { test, bob } = await knowingBob()
    await test.sees(PHONE, bob.table([bob.device('tablet'), { name: 'Handy', key: PHONE }]))
    expect(test.told('contact.changed').map(({ changes }) => changes)).toStrictEqual([
      [
        { kind: 'removed', key: LAPTOP, name: 'laptop' },
        { kind: 'added', key: bob.key('tablet'), name: 'tablet' },
        { kind: 'renamed', key: PHONE, name: 'Handy', was: 'phone' },
        { kind: 'activated', key: bob.key('tablet'), name: 'tablet' },
      ],
    ])
    expect(test.told('device.added')).toHaveLength(1)
    await test.later(60).sees(PHONE, bob.last!)
    expect(test.events).toStrictEqual([])
  })

  it('with a later signature of the same table is accepted, unless it is ahead of this clock', async () => {
    const { test, bob, first } = await knowingBob()
    for (const [timeSec, taken] of [
      [START_SEC + 100, START_SEC + 100],
      [START_SEC + 50, START_SEC + 100],
      [START_SEC + 86_400, START_SEC + 100],
    ] as const) {
      expect(await verdictOf(test, bob.resign(first, timeSec))).toBe('refresh')
      expect(record(test, bob)).toMatchObject({ timeSec: taken, seq: 1 })
    }
    expect(test.told('clock')).toStrictEqual([])
  })

  it('with a time ahead of this clock is accepted, with one event', async () => {
    const { test, bob } = await knowingBob()
    const ahead = bob.table(['phone'], { timeSec: START_SEC + 40 * 365 * 86_400 })
    expect(await verdictOf(test, ahead)).toBe('accept')
    expect(test.told('clock')).toMatchObject([{ personaId: bob.id }])
    await test.later(60).sees(PHONE, ahead)
    await test
      .later(60)
      .sees(LAPTOP, bob.table(['phone'], { seq: 1, timeSec: START_SEC + 40 * 365 * 86_400, after: null }))
    expect(test.told('clock')).toStrictEqual([])
  })

  it('with the same seq is a fork: both are evidence, and the order decides, in any order of arrival', async () => {
    const heads = new Set<string>()
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { test, bob, first } = await knowingBob()
      const tables = [bob.table(['phone', 'tablet'], { after: first }), bob.table(['phone', 'watch'], { after: first })]
      expect(await verdictOf(test, tables[order[0]!]!)).toBe('accept')
      expect(await verdictOf(test, tables[order[1]!]!)).toBe('fork')
      heads.add(record(test, bob).head!)
      expect(record(test, bob).evidence).toMatchObject([
        { kind: 'fork', seq: 2 },
        { kind: 'fork', seq: 2 },
      ])
      expect(await verdictOf(test, tables[order[0]!]!)).toMatch(/^(?:fork|refresh)$/)
      expect(record(test, bob).evidence).toHaveLength(2)
      expect(test.told('alarm')).toStrictEqual([])
    }
    expect(heads.size).toBe(1)
  })

  it('with the same seq and fewer devices wins', async () => {
    const { test, bob, first } = await knowingBob()
    await test.sees(PHONE, bob.table(['phone', 'laptop', 'tablet'], { after: first }))
    expect(await verdictOf(test, bob.table(['laptop'], { after: first }))).toBe('fork')
    expect(record(test, bob).devices).toMatchObject([{ key: LAPTOP }])
    expect(record(test, bob).others).toContain(PHONE)
  })

  it('with the next seq after another table than the head is accepted, and the fork becomes evidence', async () => {
    const { test, bob, first } = await knowingBob()
    const seen = bob.table(['phone'], { after: first })
    const unseen = bob.table(['phone', 'tablet'], { after: first })
    await test.sees(PHONE, seen)
    expect(await verdictOf(test, bob.table(['laptop'], { after: unseen }))).toBe('accept')
    expect(record(test, bob)).toMatchObject({
      seq: 3,
      evidence: [
        { kind: 'fork', seq: 2 },
        { kind: 'fork', seq: 3 },
      ],
    })
  })

  it('with a lower seq is stale: it becomes evidence once and moves no head', async () => {
    const { test, bob, first } = await knowingBob()
    await test.sees(PHONE, bob.table(['phone']))
    expect(await verdictOf(test, first)).toBe('stale')
    const before = record(test, bob)
    expect(before).toMatchObject({ seq: 2, evidence: [{ kind: 'stale', seq: 1 }] })
    expect(await verdictOf(test, first, LAPTOP)).toBe('stale')
    expect(record(test, bob)).toStrictEqual(before)
  })

  it('becomes evidence even if the clock stepped back', async () => {
    const { test, bob, first } = await knowingBob()
    test.nowSec = START_SEC + 10 * 365 * 86_400
    await test.sees(PHONE, bob.table(['phone']))
    test.nowSec = START_SEC
    await test.sees(PHONE, first)
    expect(record(test, bob).evidence).toHaveLength(1)
  })

  it('with a seq too far ahead is held, and accepted once the head comes within reach', async () => {
    const { test, bob, first } = await knowingBob()
    const far = bob.table(['phone', 'tablet'], { seq: 3 + MAX_SEQ_STEP })
    expect(await verdictOf(test, far)).toBe('held')
    expect(await verdictOf(test, bob.table(['phone'], { seq: 2 + MAX_SEQ_STEP }))).toBe('held')
    expect(record(test, bob)).toMatchObject({ seq: 1 })
    expect(record(test, bob).held).not.toBeNull()
    await test.later(60).sees(PHONE, bob.table(['phone', 'watch'], { after: first, seq: 3 }))
    expect(record(test, bob)).toMatchObject({ seq: 3 + MAX_SEQ_STEP, held: null })
    // The event shows only the result of both steps.
    expect(test.told('contact.changed').at(-1)!.changes).toStrictEqual([
      { kind: 'removed', key: LAPTOP, name: 'laptop' },
      { kind: 'added', key: bob.key('tablet'), name: 'tablet' },
    ])
    expect(test.told('device.added').map(({ device }) => device.name)).toStrictEqual(['tablet'])
  })

  it('that was held and follows another table than the head shows a fork, as if it had just arrived', async () => {
    const seq = 2 + MAX_SEQ_STEP
    const { test, bob, first } = await knowingBob()
    expect(await verdictOf(test, bob.table(['phone'], { seq, after: first }))).toBe('held')
    expect(await verdictOf(test, bob.table(['laptop'], { seq: seq - 1, after: first }))).toBe('accept')
    expect(record(test, bob)).toMatchObject({
      seq,
      evidence: [
        { kind: 'fork', seq: seq - 1 },
        { kind: 'fork', seq },
      ],
    })
  })

  it('that was held is dropped by a rotation', async () => {
    const { test, bob } = await knowingBob()
    await test.sees(PHONE, bob.table(['phone'], { seq: MAX_SEQ }))
    expect(record(test, bob).held).not.toBeNull()
    expect(await verdictOf(test, bob.rotate().table(['laptop']))).toBe('accept')
    expect(record(test, bob)).toMatchObject({ epoch: 1, seq: 1, held: null })
  })
})

describe('a rotation', () => {
  it('replaces every table of a lower epoch, and its missing devices are no longer confirmed', async () => {
    const { test, bob } = await knowingBob()
    await test.sees(PHONE, bob.table(['phone', 'laptop'], { seq: 60_000 }))
    test.events.length = 0
    const rotated = bob.sibling().rotate().table(['laptop'], { after: null })
    expect(await verdictOf(test, rotated, LAPTOP)).toBe('accept')
    expect(record(test, bob)).toMatchObject({ epoch: 1, seq: 1 })
    expect(test.told('contact.changed')).toMatchObject([
      {
        contact: { active: LAPTOP, others: [{ key: PHONE, state: 'former' }] },
        changes: [{ kind: 'rotated' }, { kind: 'removed' }, { kind: 'activated' }],
      },
    ])
    expect(await verdictOf(test, bob.table(['phone'], { seq: 60_001 }))).toBe('stale')
  })

  it('may skip epochs', async () => {
    const { test, bob } = await knowingBob()
    expect(await verdictOf(test, bob.rotate(5).table(['laptop']))).toBe('accept')
    expect(await verdictOf(test, bob.rotate(16).table(['laptop', 'phone']))).toBe('accept')
    expect(record(test, bob)).toMatchObject({ epoch: 16 })
  })

  it('can introduce the persona to a new contact', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob').rotate(3)
    expect(await test.sees(PHONE, bob.table(['phone']))).toMatchObject({ verdict: 'new', state: 'confirmed' })
    expect(record(test, bob)).toMatchObject({ epoch: 3 })
  })
})

describe('a blob with a document that this version cannot read', () => {
  const unread = compress(encodeUtf8('future!: yes\n'), DOCUMENT_DICTIONARY)

  it('is refused within its epoch, and says nothing about the device', async () => {
    const { test, bob } = await knowingBob()
    const result = await test.sees(PHONE, bob.table(['phone'], { deflated: unread }))
    expect(result).toMatchObject({
      shown: 'invalid',
      code: 'DOCUMENT_UNKNOWN_CRITICAL_KEY',
      verdict: null,
      state: 'confirmed',
    })
    expect(record(test, bob)).toMatchObject({ seq: 1, needsNewerPersona: false })
  })

  it('is accepted at a higher epoch: it gives the keys, known names stay, and the contact is marked', async () => {
    const { test, bob } = await knowingBob()
    const result = await test.sees(LAPTOP, bob.rotate().table(['laptop', 'tablet'], { deflated: unread }))
    expect(result).toMatchObject({ shown: 'valid', verdict: 'accept', state: 'confirmed' })
    const contact = await test.call('contact.show', { contact: 'Bob' })
    expect(contact).toMatchObject({ needsNewerPersona: true, epoch: 1, devices: [{ name: 'laptop', key: LAPTOP }] })
    expect(contact.claims).toMatchObject([{ name: `device-${bob.key('tablet').slice(0, 8).toLowerCase()}` }])
    // The next readable table brings the names.
    await test.later(60).sees(LAPTOP, bob.table(['laptop', 'tablet']))
    expect(await test.call('contact.show', { contact: 'Bob' })).toMatchObject({
      needsNewerPersona: false,
      claims: [{ name: 'tablet' }],
    })
  })

  it('introduces no persona', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    await test.sees(PHONE, bob.table(['phone'], { deflated: concatBytes(unread, unread) }), { name: 'Bob' })
    expect(await test.call('contact.show', { contact: 'Bob' })).toMatchObject({ kind: 'provisional' })
  })
})

describe('a second chain of a known persona', () => {
  it('is a violation at any epoch, with one alarm: the head stays, and the blob becomes evidence', async () => {
    const { test, bob } = await knowingBob()
    const before = record(test, bob)
    const thief = bob.thief().rotate()
    const forged = thief.table([{ name: 'mine', key: deviceKey('thief') }])
    expect(await verdictOf(test, forged)).toBe('violation')
    expect(test.told('alarm')).toMatchObject([{ code: 'CHAIN_DISPUTED', personaId: bob.id }])
    expect(record(test, bob)).toStrictEqual({
      ...before,
      evidence: [expect.objectContaining({ kind: 'violation', epoch: 1 })],
    })
    expect(await verdictOf(test, forged, LAPTOP)).toBe('violation')
    expect(test.told('alarm')).toStrictEqual([])
    // Showing a forged table does not change whose device it is.
    expect((await test.call('contact.show', { contact: 'Bob' })).devices).toHaveLength(2)
  })

  it('makes no contact from a device that shows it', async () => {
    const { test, bob } = await knowingBob()
    const thief = bob.thief().rotate()
    const key = deviceKey('thief')
    const result = await test.sees(key, thief.table([{ name: 'mine', key }]), { name: 'Bob, new phone' })
    expect(result).toMatchObject({ verdict: 'violation', state: 'provisional', contact: 'Bob, new phone' })
  })
})

/** This number of different old blobs of bob, a second apart. */
async function flood(test: TestKeeper, count: number, next: (n: number) => Table): Promise<number> {
  const before = test.store.commits.length
  for (let n = 0; n < count; n++) await test.later(1).sees(PHONE, next(n))
  return test.store.commits.length - before
}

describe('writes and evidence are bounded:', () => {
  it('a thousand different stale blobs cause a write a minute, and 16 of them stay', async () => {
    const { test, bob, first } = await knowingBob()
    await test.sees(LAPTOP, bob.table(['phone', 'laptop'], { seq: 5000 }))
    const commits = await flood(test, 1000, (n) => bob.table(['phone', 'laptop'], { seq: n + 2, after: first }))
    expect(commits).toBeLessThanOrEqual(Math.ceil(1000 / 60))
    expect(commits).toBeGreaterThan(10)
    expect(record(test, bob).evidence).toHaveLength(MAX_EVIDENCE_PER_PERSONA)
  })

  it('each further chain raises the alarm, also when the evidence is full, and costs a write a minute', async () => {
    const { test, bob, first } = await knowingBob()
    const chains = Array.from({ length: 40 }, (_, n) => bob.thief(`thief ${n}`))
    const sign = (n: number): Table => chains[n % chains.length]!.table(['phone'], { seq: 10 + n, after: first })
    await flood(test, MAX_EVIDENCE_PER_PERSONA, sign)
    const roots = (): Set<string> => new Set(record(test, bob).evidence.map(({ root }) => root))
    expect(roots().size).toBe(MAX_EVIDENCE_PER_PERSONA)
    const { id } = (await test.call('alarm.list')).alarms[0]!
    await test.call('alarm.dismiss', { id })
    test.told('alarm')
    const late = sign(MAX_EVIDENCE_PER_PERSONA)
    await test.later(86_400).sees(PHONE, late)
    expect(test.told('alarm')).toMatchObject([{ code: 'CHAIN_DISPUTED' }])
    expect(record(test, bob).evidence.at(-1)).toMatchObject({ kind: 'violation', tableHash: late.hash })
    // Shown again, it is no news.
    await test.call('alarm.dismiss', { id })
    await test.later(86_400).sees(PHONE, late)
    expect((await test.call('alarm.list')).alarms).toStrictEqual([])
    expect(await flood(test, 600, sign)).toBeLessThanOrEqual(600 / 60 + 1)
  })

  it('the table of the right chain is evidence, though a thief was met first and signed its seq twice', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const thief = bob.thief('met first')
    await test.sees(PHONE, thief.table(['phone'], { seq: 7 }), { name: 'Bob' })
    for (const n of ['a', 'b'])
      await test.later(100).sees(PHONE, bob.thief(n).table(['phone'], { after: null, seq: 3 }))
    const right = bob.table(['laptop'], { after: null, seq: 3 })
    await test.later(100).sees(LAPTOP, right)
    expect(record(test, bob).evidence.map(({ tableHash }) => tableHash)).toContain(right.hash)
    const { contact } = await test.call('contact.add', { link: bob.link(), repin: true })
    expect(contact.devices.concat(contact.claims)).toMatchObject([{ name: 'laptop' }])
  })

  it('a thousand ever higher held blobs cause a write a minute', async () => {
    const { test, bob, first } = await knowingBob()
    const commits = await flood(test, 1000, (n) => bob.table(['phone', 'laptop'], { seq: 100_000 + n, after: first }))
    expect(commits).toBeLessThanOrEqual(Math.ceil(1000 / 60))
    expect(record(test, bob).seq).toBe(1)
  })

  it('a thousand losing tables of one seq cause a write a minute, and two of them stay', async () => {
    const { test, bob, first } = await knowingBob()
    await test.sees(LAPTOP, bob.table([], { after: first }))
    const commits = await flood(test, 1000, (n) => bob.table([`phone ${n}`], { after: first }))
    expect(commits).toBeLessThanOrEqual(Math.ceil(1000 / 60))
    expect(record(test, bob).evidence).toHaveLength(2)
  })

  it('a signature of another day is accepted even within the minute, because a device may show it only once', async () => {
    const { test, bob, first } = await knowingBob()
    await test.later(8 * 86_400).sees(PHONE, first)
    const again = bob.resign(first, test.nowSec)
    await test.later(1).sees(PHONE, again)
    expect(record(test, bob).timeSec).toBe(test.nowSec - 1)
  })

  it('a thousand signatures of one table cause a write a minute', async () => {
    const { test, bob, first } = await knowingBob()
    const commits = await flood(test, 1000, (n) => bob.resign(first, START_SEC + n))
    expect(commits).toBeLessThanOrEqual(Math.ceil(1000 / 60))
    expect(record(test, bob).timeSec).toBeGreaterThan(START_SEC + 900)
  })

  it('the same blob again causes a write a minute, and an old profile with it none', async () => {
    const { test, bob, first } = await knowingBob()
    expect(await flood(test, 300, () => first)).toBeLessThanOrEqual(5)
    const before = test.store.commits.length
    for (let n = 0; n < 100; n++) await test.later(100).reports('profile', PHONE, first, { seenAtSec: START_SEC })
    expect(test.store.commits.length - before).toBe(1)
    expect(record(test, bob).seq).toBe(1)
  })

  it('old blobs in reports of the past cause a write a minute too', async () => {
    const { test, bob, first } = await knowingBob()
    await test.sees(LAPTOP, bob.table(['phone', 'laptop'], { seq: 5000 }))
    const before = test.store.commits.length
    for (let n = 0; n < 120; n++) {
      await test.later(1).sees(PHONE, bob.table(['phone'], { seq: n + 2, after: first }), { seenAtSec: START_SEC - n })
    }
    expect(test.store.commits.length - before).toBeLessThanOrEqual(3)
  })

  it('seventy devices that all show a copy cause at most a write each a minute', async () => {
    const { test, first, bob } = await knowingBob()
    const copies = Array.from({ length: 70 }, (_, n) => deviceKey(`copy ${n}`))
    for (const key of copies) await test.sees(key, first)
    const before = test.store.commits.length
    for (let round = 0; round < 10; round++) for (const key of copies) await test.later(0).sees(key, first)
    expect(test.store.commits.length - before).toBe(0)
    expect(record(test, bob).others).toHaveLength(64)
  })
})

describe('the age of a table dated ahead of the clock', () => {
  const DAY_SEC = 86_400
  const ages = async (test: TestKeeper, days: readonly number[]): Promise<unknown[]> => {
    const seen: unknown[] = []
    for (const day of days) {
      test.nowSec = START_SEC + day * DAY_SEC
      seen.push((await test.call('contact.show', { contact: 'Bob' })).freshness)
    }
    return seen
  }

  it('counts from the moment when it was seen', async () => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, person('bob').table(['phone'], { timeSec: 0xffff_ffff }), { name: 'Bob' })
    expect(await ages(test, [0, 14, 15, 61, 3650])).toStrictEqual(['fresh', 'fresh', 'stale', 'expired', 'expired'])
  })

  it('counts from the first moment, however often the table is shown', async () => {
    const test = await TestKeeper.open()
    const table = person('bob').table(['phone'], { timeSec: 0xffff_ffff })
    for (let day = 0; day <= 30; day += 5) {
      test.nowSec = START_SEC + day * DAY_SEC
      await test.sees(PHONE, table, { name: 'Bob' })
    }
    expect(await ages(test, [30])).toStrictEqual(['stale'])
  })

  it('counts from the next sight, if an earlier version noted none', async () => {
    const { test, bob } = await knowingBob()
    const table = bob.table(['phone'], { timeSec: 0xffff_ffff })
    await test.later(100).sees(PHONE, table)
    const { seenSec, ...older } = record(test, bob)
    expect(seenSec).toBe(test.nowSec)
    await test.keeper.change(() => test.keeper.state.putPersona(older))
    await test.later(100).sees(PHONE, table)
    expect(record(test, bob).seenSec).toBe(test.nowSec)
  })

  it('is that of its time, once it is signed again by a right clock', async () => {
    const { test, bob } = await knowingBob()
    const table = bob.table(['phone'], { timeSec: 0xffff_ffff })
    await test.later(100).sees(PHONE, table)
    test.nowSec = START_SEC + 30 * DAY_SEC
    await test.sees(PHONE, bob.resign(table, test.nowSec))
    expect(record(test, bob)).not.toHaveProperty('seenSec')
    expect(await ages(test, [44, 45])).toStrictEqual(['fresh', 'stale'])
  })
})
