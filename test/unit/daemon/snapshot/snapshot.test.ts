import { cpSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeBlob } from '../../../../src/core/blob.ts'
import { concatBytes, formatBase64url, formatHex, parseBase64url } from '../../../../src/core/encoding/bytes.ts'
import { SnapshotImport } from '../../../../src/daemon/snapshot/import.ts'
import { codeOf } from '../../../support/code-of.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { person } from '../../../support/person.ts'
import {
  everything,
  forged,
  joinLines,
  linesOf,
  restorable,
  snapshotOf,
  importSnapshot,
} from '../../../support/snapshot.ts'

const FROM_LAPTOP = { sibling: 'laptop', withKeys: true }
const OWN_PAST = { sibling: null, withKeys: true }

async function laptopWithFriends(): Promise<TestKeeper> {
  const laptop = await TestKeeper.withPersona()
  await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
  const bob = person('bob')
  await laptop.sees(bob.key('pc'), bob.table(['pc', 'phone']), { name: 'Bob' })
  await laptop.sees(person('carol').key('pc'), 'no persona yet', { name: 'Carol' })
  return laptop
}

describe('a snapshot', () => {
  it('brings a new device everything except the records that belong to one device', async () => {
    const laptop = await laptopWithFriends()
    const phone = await TestKeeper.open({ nowSec: laptop.nowSec })
    const result = await importSnapshot(phone, await snapshotOf(laptop, 'sibling'), FROM_LAPTOP, 1000)
    expect(result).toEqual({ personaId: (await laptop.call('device.list')).personaId, contacts: 1, devices: 5 })
    expect(await phone.call('device.list')).toEqual(await laptop.call('device.list'))
    const [theirs, ours] = [await laptop.call('contact.list', {}), await phone.call('contact.list', {})]
    const named = (page: typeof ours): unknown[] => page.contacts.map(({ name, kind, active }) => [name, kind, active])
    expect(named(ours)).toEqual(named(theirs))
    expect(ours.total).toBe(theirs.total)
    expect((await phone.call('contact.show', { contact: 'Bob' })).devices[0]!.sources).toEqual(['sibling:laptop'])
    expect([...(await everything(phone.store)).keys()].filter((key) => /^(intent|import|arrival)/.test(key))).toEqual(
      [],
    )
  })

  it('brings the pins of contact links: a contact without a table, a higher epoch, a verified number', async () => {
    const laptop = await laptopWithFriends()
    const [bob, dora] = [person('bob'), person('dora')]
    const old = bob.table(['pc', 'phone'])
    await laptop.call('contact.add', { link: dora.link(3), name: 'Dora' })
    await laptop.call('contact.verify', { contact: 'Dora', number: dora.safetyNumber })
    await laptop.call('contact.add', { link: bob.link(1) })
    const phone = await TestKeeper.open({ nowSec: laptop.nowSec })
    await phone.sees(bob.key('pc'), old, { name: 'Bob' })
    await importSnapshot(phone, await snapshotOf(laptop, 'sibling'), FROM_LAPTOP)
    expect(await phone.call('contact.show', { contact: 'Dora' })).toMatchObject({
      personaId: dora.id,
      minEpoch: 3,
      epoch: null,
      verifiedAtSec: laptop.nowSec,
    })
    expect(await phone.call('contact.show', { contact: 'Bob' })).toMatchObject({
      minEpoch: 1,
      epoch: null,
      devices: [],
    })
    expect(await phone.sees(dora.key('pc'), dora.rotate(3).table(['pc']))).toMatchObject({ verdict: 'new' })
  })

  it('of its own past restores everything', async () => {
    const laptop = await laptopWithFriends()
    const again = await TestKeeper.open({ nowSec: laptop.nowSec })
    await importSnapshot(again, await snapshotOf(laptop, 'backup'), OWN_PAST)
    expect(await restorable(again.store)).toEqual(await restorable(laptop.store))
  })

  it('is refused, with nothing imported, if it is cut anywhere, or has a repeated, changed, swapped or unknown line', async () => {
    const laptop = await laptopWithFriends()
    const whole = await snapshotOf(laptop, 'backup')
    const lines = linesOf(whole)
    const [header, last] = [lines[0]!, lines.at(-1)!]
    const changed = lines.map((line) => line.replace('"Bob"', '"Rob"'))
    const cases: [string, string, Uint8Array][] = [
      ...lines.map((_, i): [string, string, Uint8Array] => [`cut ${i}`, 'SNAPSHOT_CUT', joinLines(lines.slice(0, i))]),
      ['cut in the last line', 'SNAPSHOT_CUT', whole.slice(0, -1)],
      ['changed', 'SNAPSHOT_DAMAGED', joinLines(changed)],
      ['exchanged', 'SNAPSHOT_DAMAGED', joinLines([header, lines[2]!, lines[1]!, ...lines.slice(3)])],
      ['twice', 'SNAPSHOT_DAMAGED', joinLines([header, lines[1]!, lines[1]!])],
      ['bytes behind', 'SNAPSHOT_DAMAGED', concatBytes(whole, joinLines(['{}']))],
      ['no JSON', 'SNAPSHOT_DAMAGED', joinLines([header, 'what'])],
      ['no snapshot', 'SNAPSHOT_DAMAGED', joinLines(['{"kind":"else"}'])],
      ['a line without end', 'SNAPSHOT_DAMAGED', joinLines([header, 'x'.repeat(300_000)])],
      ['a later version', 'SNAPSHOT_UNKNOWN_VERSION', joinLines([header.replace('"version":1', '"version":2')])],
      ['an unknown kind', 'SNAPSHOT_UNKNOWN_KIND', joinLines([header, '{"kind":"app","id":"x","value":{}}'])],
      [
        'an unknown field',
        'SNAPSHOT_UNKNOWN_KIND',
        joinLines([header, lines[1]!.replace('"value":{', '"value":{"z":1,')]),
      ],
      ['no owner', 'SNAPSHOT_CUT', joinLines([header, last.replace(/"items":\d+/, '"items":0')]).slice(0, -1)],
    ]
    let ran = 0
    for (const [what, code, bytes] of cases) {
      const test = await TestKeeper.open({ nowSec: laptop.nowSec })
      expect([what, await codeOf(importSnapshot(test, bytes, OWN_PAST, 777))]).toEqual([what, code])
      await test.reopened()
      expect([...(await everything(test.store)).keys()], what).toEqual([])
      ran++
    }
    expect(ran).toBeGreaterThan(20)
  })

  it('of another persona is refused if there is a persona', async () => {
    const [mine, theirs] = [await TestKeeper.withPersona(), await laptopWithFriends()]
    const before = await everything(mine.store)
    const incoming = await SnapshotImport.begin(mine.keeper, FROM_LAPTOP)
    await incoming.push(await snapshotOf(theirs, 'sibling'))
    expect(await codeOf(incoming.finish())).toBe('SNAPSHOT_FOREIGN')
    await incoming.abort()
    expect(await everything(mine.store)).toEqual(before)
  })

  it('lowers no head, and keeps both names of a contact, the strictest policy, and a name that another contact has here', async () => {
    const laptop = await laptopWithFriends()
    const phone = await laptop.copied()
    const bob = person('bob')
    const old = await snapshotOf(laptop, 'sibling')
    const first = bob.table(['pc', 'phone'])
    await phone.later(60).sees(bob.key('pc'), bob.table(['pc', 'phone', 'car'], { after: first }))
    const dave = person('dave')
    await phone.sees(dave.key('pc'), dave.table(['pc']), { name: 'Bob' })
    const before = await phone.call('contact.show', { contact: bob.id })
    await importSnapshot(phone, old, FROM_LAPTOP)
    const after = await phone.call('contact.show', { contact: bob.id })
    expect([after.seq, after.name]).toEqual([before.seq, before.name])
    expect(await everything(phone.store, 'device')).toEqual(await everything(await takenTwice(phone, old), 'device'))
  })

  it('does not move a pinned chain: this device trusts what it saw itself, and raises an alarm', async () => {
    const laptop = await laptopWithFriends()
    const phone = await TestKeeper.open({ nowSec: laptop.nowSec })
    const thief = person('bob').thief()
    const pinned = thief.table(['pc'], { after: null })
    await phone.sees(thief.key('pc'), pinned, { name: 'Bob' })
    const root = phone.records.personas.get(thief.id)!.root
    await importSnapshot(phone, await snapshotOf(laptop, 'sibling'), FROM_LAPTOP)
    const bob = phone.records.personas.get(thief.id)!
    expect([bob.root, bob.evidence.map(({ kind }) => kind)]).toEqual([root, ['violation']])
    expect(bob.names.map(([, name]) => name)).toEqual(['pc'])
    expect(phone.told('alarm').map(({ code }) => code)).toContain('CHAIN_DISPUTED')
  })

  it('is finished by the next start if the daemon was killed while applying it', async () => {
    const laptop = await laptopWithFriends()
    const whole = await snapshotOf(laptop, 'backup')
    const reference = await TestKeeper.open({ nowSec: laptop.nowSec })
    await importSnapshot(reference, whole, OWN_PAST)
    const commits = reference.store.commits.length
    let taken = 0
    for (let killed = 0; killed < commits; killed++) {
      const test = await TestKeeper.open({ nowSec: laptop.nowSec })
      const store = test.store as { commit: (typeof test.store)['commit'] }
      const commit = store.commit
      let count = 0
      store.commit = (writes) => (count++ >= killed ? Promise.reject(new Error('killed')) : commit(writes))
      // The secrets come with the persona, but not in the snapshot.
      const adopt = (): Promise<void> => Promise.resolve(cpSync(laptop.stateDir, test.stateDir, { recursive: true }))
      await codeOf(importSnapshot(test, whole, OWN_PAST, whole.length, adopt))
      store.commit = commit
      const { store: left } = await test.reopened()
      const found = await restorable(left)
      if (found.size === 0) continue
      taken++
      expect(found).toEqual(await restorable(laptop.store))
    }
    expect(commits).toBeGreaterThan(4)
    expect(taken).toBeGreaterThan(1)
  })
})

async function takenTwice(keeper: TestKeeper, snapshot: Uint8Array): Promise<TestKeeper['store']> {
  await importSnapshot(keeper, snapshot, { sibling: 'laptop', withKeys: true })
  return keeper.store
}

describe('a forged snapshot, whose count and hash are right,', () => {
  it('is refused for each blob that does not verify or belongs to another persona, and nothing is imported', async () => {
    const laptop = await laptopWithFriends()
    const lines = linesOf(await snapshotOf(laptop, 'backup'))
    const at = (kind: string, name = ''): number =>
      lines.findIndex((line) => line.includes(`"kind":"${kind}"`) && line.includes(name))
    const change = (index: number, edit: (value: Record<string, unknown>) => void): Uint8Array => {
      const item = JSON.parse(lines[index]!) as { value: Record<string, unknown> }
      edit(item.value)
      return forged(lines.with(index, JSON.stringify(item)))
    }
    const [bob, own] = [at('persona', '"Bob"'), at('own')]
    const table = person('mallory').table(['pc'])
    const stranger = formatBase64url(table.blob)
    const root = formatHex(decodeBlob(table.blob).next)
    const whole = { kind: 'stale', epoch: 0, seq: 1, tableHash: table.hash, root, seenAtSec: 1, blob: stranger }
    const flipped = (text: unknown): string => {
      const bytes = parseBase64url(String(text))!
      bytes[40]! ^= 1
      return formatBase64url(bytes)
    }
    const evidence = (kind: string, blob: string): unknown[] => [
      { kind, epoch: 0, seq: 1, tableHash: 'A'.repeat(64), root: 'B'.repeat(64), seenAtSec: 1, blob },
    ]
    const cases: [string, string, Uint8Array][] = [
      ['nothing', 'done', forged(lines)],
      ['whole evidence of another', 'SNAPSHOT_INVALID', change(bob, (value) => (value['evidence'] = [whole]))],
      ['another head', 'SNAPSHOT_INVALID', change(bob, (value) => (value['head'] = stranger))],
      ['a bad signature', 'SNAPSHOT_INVALID', change(bob, (value) => (value['head'] = flipped(value['head'])))],
      ['another chain', 'SNAPSHOT_INVALID', change(bob, (value) => (value['root'] = 'A'.repeat(64)))],
      ['another id', 'SNAPSHOT_INVALID', change(bob, (value) => (value['personaId'] = 'A'.repeat(64)))],
      ['a held blob of another', 'SNAPSHOT_INVALID', change(bob, (value) => (value['held'] = stranger))],
      [
        'evidence of another',
        'SNAPSHOT_INVALID',
        change(bob, (value) => (value['evidence'] = evidence('fork', stranger))),
      ],
      [
        'evidence that says otherwise',
        'SNAPSHOT_INVALID',
        change(bob, (value) => (value['evidence'] = evidence('violation', String(value['head'])))),
      ],
      ['another next key', 'SNAPSHOT_INVALID', change(own, (value) => (value['next'] = 'A'.repeat(64)))],
      ['an epoch without proof', 'SNAPSHOT_INVALID', change(own, (value) => (value['epoch'] = 1))],
      ['another owner', 'SNAPSHOT_DAMAGED', change(own, (value) => (value['personaId'] = 'A'.repeat(64)))],
      ['no owner', 'SNAPSHOT_DAMAGED', forged(lines.toSpliced(own, 1))],
      ['a record twice', 'SNAPSHOT_DAMAGED', forged(lines.toSpliced(bob, 0, lines[bob]!))],
      ['a name with a line end', 'SNAPSHOT_DAMAGED', forged(lines.with(bob, lines[bob]!.replace('"Bob"', '"B\\nb"')))],
    ]
    let ran = 0
    for (const [what, code, bytes] of cases) {
      const test = await TestKeeper.open({ nowSec: laptop.nowSec })
      expect([what, await codeOf(importSnapshot(test, bytes, OWN_PAST))]).toEqual([what, code])
      if (code !== 'done') {
        await test.reopened()
        expect([...(await everything(test.store)).keys()], what).toEqual([])
      }
      ran++
    }
    expect(ran).toBe(15)
  })
})

describe('a tombstone', () => {
  it('of a sibling holds here too', async () => {
    const laptop = await laptopWithFriends()
    const phone = await laptop.copied()
    await laptop.later(60).call('device.remove', { device: 'phone' })
    await importSnapshot(phone, await snapshotOf(laptop, 'sibling'), FROM_LAPTOP)
    expect((await phone.call('device.list')).devices.map(({ key }) => key)).toEqual([OWN_LAPTOP])
    expect(await codeOf(phone.call('device.add', { name: 'phone', key: OWN_PHONE }))).toBe('DEVICE_TOMBSTONED')
  })
})

describe('two snapshots that arrive at once, by a restore and a pairing', () => {
  it('are not mixed: the later one ends the earlier one, whatever becomes of it', async () => {
    const laptop = await laptopWithFriends()
    const whole = await snapshotOf(laptop, 'backup')
    const fresh = await TestKeeper.open({ nowSec: laptop.nowSec })
    const first = await SnapshotImport.begin(fresh.keeper, OWN_PAST)
    // All contacts have arrived, and none of the owner's records.
    const owners = linesOf(whole).findIndex((line) => line.startsWith('{"kind":"own"'))
    expect(owners).toBeGreaterThan(1)
    await first.push(joinLines(linesOf(whole).slice(0, owners)))
    const second = await SnapshotImport.begin(fresh.keeper, FROM_LAPTOP)
    await second.abort()
    expect(await codeOf(first.push(joinLines(linesOf(whole).slice(owners))))).toBe('TRANSFER_ENDED')
    expect(await codeOf(first.finish())).toBe('TRANSFER_ENDED')
    expect(await everything(fresh.store, 'history', 'tip', 'clock')).toStrictEqual(new Map())
  })

  it('do not discard each other’s records', async () => {
    const laptop = await laptopWithFriends()
    const whole = await snapshotOf(laptop, 'sibling')
    const fresh = await TestKeeper.open({ nowSec: laptop.nowSec })
    const first = await SnapshotImport.begin(fresh.keeper, OWN_PAST)
    const second = await SnapshotImport.begin(fresh.keeper, FROM_LAPTOP)
    await second.push(whole)
    await first.abort()
    const third: Promise<unknown>[] = []
    await second.finish(async () => {
      // While the keys are being sealed.
      third.push(SnapshotImport.begin(fresh.keeper, OWN_PAST))
      await new Promise(setImmediate)
    })
    await Promise.all(third)
    expect(fresh.keeper.table().devices).toHaveLength(2)
    expect(fresh.keeper.counts()).toMatchObject({ contacts: 1, provisional: 1 })
  })
})
