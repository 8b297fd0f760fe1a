/** A persona comes to a device that already saw a thief's table of it, as a contact's (docs/backup.md, sections 2 and 5). */
import { beforeEach, describe, expect, it } from 'vitest'
import { PREV_BYTES } from '../../../../src/core/blob.ts'
import { MAX_EPOCH, MAX_SEQ_STEP } from '../../../../src/core/limits.ts'
import { encodeTable } from '../../../../src/core/table.ts'
import { formatToken } from '../../../../src/core/token.ts'
import { deriveSigningSeed, parseWords } from '../../../../src/crypto/seed.ts'
import { compress } from '../../../../src/daemon/own/compress.ts'
import { positionOf } from '../../../../src/daemon/own/own-records.ts'
import { OWN } from '../../../../src/daemon/state/own-record.ts'
import { OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, engine, Person, seedOf } from '../../../support/person.ts'
import { snapshotOf, importSnapshot } from '../../../support/snapshot.ts'

const THIEF = { name: 'thief', key: deviceKey('thief') }

let laptop: TestKeeper
beforeEach(async () => {
  laptop = await TestKeeper.withPersona()
  await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
})

/** The laptop's own table at this seq, with the thief's device added. */
function forgedAt(seq: number): string {
  const draft = {
    chain: positionOf(laptop.records.own.get(OWN)!),
    seq,
    timeSec: laptop.nowSec,
    prev: new Uint8Array(PREV_BYTES),
    devices: [...laptop.keeper.table().devices, THIEF],
    named: true,
    document: [],
  }
  return formatToken(encodeTable(draft, false, compress, laptop.custody.signer(0)).blob)
}

async function whyLeftOut(keeper: TestKeeper): Promise<unknown> {
  const { devices, leftOut } = await keeper.call('rotation.plan', { epoch: 1 })
  expect(devices.map(({ key }) => key)).not.toContain(THIEF.key)
  return leftOut.find(({ key }) => key === THIEF.key)?.why
}

describe('a device that a thief added before the persona came here stays unapproved', () => {
  it.each([
    ['a backup', null, 'backup'],
    ['a sibling', 'laptop', 'sibling'],
  ] as const)('if the persona comes with %s', async (_, sibling, purpose) => {
    const fresh = await TestKeeper.open({ nowSec: laptop.nowSec })
    await fresh.sees(OWN_PHONE, forgedAt(9), { name: 'me' })
    const seeds = laptop.custody.signingSeeds()
    await importSnapshot(fresh, await snapshotOf(laptop, purpose), { sibling, withKeys: true }, undefined, () =>
      fresh.custody.importKeys(seeds, null),
    )
    expect(fresh.keeper.table()).toMatchObject({ seq: 9, devices: [{}, {}, THIEF] })
    expect(fresh.told('own.changed').at(-1)).toMatchObject({ cause: 'sibling', unapproved: [THIEF] })
    expect(await whyLeftOut(fresh)).toBe('unapproved')
  })

  it('if the persona comes from the recovery words, and a held table is accepted after the copy', async () => {
    const { words } = await laptop.call('recovery.show')
    const fresh = await TestKeeper.open({ nowSec: laptop.nowSec })
    await fresh.sees(OWN_PHONE, await ownText(laptop), { name: 'me' })
    const reached = laptop.keeper.table().seq + MAX_SEQ_STEP + 1
    expect((await fresh.later(100).sees(OWN_PHONE, forgedAt(reached))).verdict).toBe('held')
    await laptop.call('device.rename', { device: 'phone', name: 'my phone' })
    const { from, table } = await fresh.call('persona.recover', {
      words: words.join(' '),
      copies: [await ownText(laptop)],
    })
    expect([from?.seq, table.seq]).toStrictEqual([reached, reached])
    expect(await whyLeftOut(fresh)).toBe('unapproved')
  })
})

it('another key chain known here is refused with CHAIN_DIFFERS, and the persona comes once it is forgotten', async () => {
  const { words } = await laptop.call('recovery.show')
  const first = engine.signKeyPair(deriveSigningSeed(parseWords(words.join(' ')), 0, engine))
  const others = Array.from({ length: MAX_EPOCH }, (_, i) => engine.signKeyPair(seedOf(`thief ${i}`)))
  const thief = new Person('thief', [first, ...others])
  const fresh = await TestKeeper.open({ nowSec: laptop.nowSec })
  await fresh.sees(thief.key('pc'), thief.table(['pc'], { seq: 900 }), { name: 'me' })
  const snapshot = await snapshotOf(laptop, 'sibling')
  const options = { sibling: 'laptop', withKeys: true }
  await expect(importSnapshot(fresh, snapshot, options)).rejects.toMatchObject({ code: 'CHAIN_DIFFERS' })
  await fresh.call('contact.forget', { contact: thief.id })
  await importSnapshot(fresh, snapshot, options)
  expect(fresh.keeper.table().devices).toHaveLength(2)
})
