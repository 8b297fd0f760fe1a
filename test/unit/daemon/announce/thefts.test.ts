/** Proofs of theft by announcements: kept by epoch, on both sides, for anybody to check. */
import { describe, expect, it } from 'vitest'
import { judgeEvidence } from '../../../../src/cli/contacts/alarms.ts'
import { signForwards, signItems } from '../../../../src/core/announce/items.ts'
import { readSettings } from '../../../../src/core/announce/settings.ts'
import { textsOf } from '../../../../src/daemon/announce/items.ts'
import { headOf } from '../../../../src/daemon/personas/heads.ts'
import { THEFTS } from '../../../../src/daemon/personas/thefts.ts'
import type { EvidenceFile } from '../../../../src/ipc/shapes/alarms.ts'
import { announcing, SharedDht } from '../../../support/announcing.ts'
import { OWN_LAPTOP, ownText, TestKeeper } from '../../../support/keeper.ts'
import { engine } from '../../../support/person.ts'
import { rotates, withWords } from '../../../support/rotation.ts'

const EARLIER = 'an announcement proves that somebody else has an earlier signing key of yours'
const PRESENT = 'an announcement proves that somebody else has your signing key: rotate it'

/** Alice announces, Bob has seen her table, and a thief has each key that she has. */
async function story() {
  const dht = new SharedDht()
  const { laptop: alice, words } = await withWords()
  const { announcer } = await announcing(alice, dht)
  await announcer.on('contacts')
  const bob = await TestKeeper.open({ nowSec: alice.nowSec })
  await bob.sees(OWN_LAPTOP, await ownText(alice), { name: 'Alice' })
  const { announcer: bobs } = await announcing(bob, dht)
  const personaId = alice.keeper.ownPersona().personaId
  /** The thief signs the present table with the highest seq, and so closes the place of the present key. */
  const closePlace = async (): Promise<void> => {
    const blob = headOf(alice.keeper.ownPersona(), { engine })!
    const { read } = readSettings(blob.content.ok ? blob.content.document : [])
    const draft = { blob, read, kind: 'contacts', removedKeys: [] } as const
    const { items } = signForwards(draft, blob.signingKey, engine, alice.custody.signer(blob.epoch))
    for (const item of items) await dht.put(item)
  }
  const evidence = (of: TestKeeper): Promise<EvidenceFile> => of.call('evidence.get', { contact: personaId })
  return { dht, alice, words, announcer, bob, bobs, personaId, closePlace, evidence }
}

async function alarms(test: TestKeeper): Promise<{ id: string; message: string; count: number }[]> {
  return (await test.call('alarm.list')).alarms
}

describe('a proof of theft by an announcement', () => {
  it('goes into the evidence of both sides, which anybody can check', async () => {
    const { alice, announcer, bob, bobs, personaId, closePlace, evidence } = await story()
    expect('items' in (await evidence(bob))).toBe(false)
    await closePlace()
    await announcer.now()
    await bobs.refresh('Alice')
    for (const side of [alice, bob]) {
      const { proofs, invalid } = await judgeEvidence(await evidence(side))
      expect(proofs).toEqual([{ kind: 'announcement', personaId, epoch: 0, seq: String(2n ** 63n - 1n) }])
      expect(invalid).toEqual([])
    }
  })

  it('that was altered, or that is an item of the owner, proves nothing', async () => {
    const { alice, bob, bobs, closePlace, evidence } = await story()
    const blob = headOf(alice.keeper.ownPersona(), { engine })!
    const { read } = readSettings(blob.content.ok ? blob.content.document : [])
    const draft = { blob, read, kind: 'contacts', removedKeys: [] } as const
    const own = signItems(draft, engine, alice.custody.signer(0)).items[0]!
    await closePlace()
    await bobs.refresh('Alice')
    const file = await evidence(bob)
    const item = file.items![0]!
    const proofsWith = async (changed: Partial<EvidenceFile>): Promise<number> =>
      (await judgeEvidence({ ...file, ...changed })).proofs.length
    expect(await proofsWith({})).toBe(1)
    for (const changed of [
      { signature: '0'.repeat(128) },
      { epoch: 1 },
      { readingKey: '0'.repeat(64) },
      { publicKey: '0'.repeat(64) },
      { bencoded: '!' },
      textsOf(own),
    ])
      expect(await proofsWith({ items: [{ ...item, ...changed }] }), JSON.stringify(changed)).toBe(0)
    expect(await proofsWith({ blobs: [] })).toBe(0)
  })

  it('about a later key is kept beside that of an earlier one, and is reported at once', async () => {
    const { dht, alice, words, announcer, bob, bobs, closePlace, evidence } = await story()
    await closePlace()
    await rotates(alice.later(10), words, { epoch: 1 })
    await announcer.now()
    expect(alice.told('alarm').map(({ message }) => message)).toEqual([expect.stringContaining(EARLIER)])
    await bob.later(20).sees(OWN_LAPTOP, await ownText(alice))
    const before = new Map(dht.values)
    await closePlace()
    await announcer.now()
    expect(alice.told('alarm').at(-1)).toMatchObject({ message: PRESENT })
    await bobs.refresh('Alice')
    expect((await evidence(alice)).items?.map(({ epoch }) => epoch)).toEqual([0, 1])
    expect((await judgeEvidence(await evidence(alice))).proofs).toMatchObject([{ epoch: 0 }, { epoch: 1 }])
    expect((await judgeEvidence(await evidence(bob))).proofs).toMatchObject([{ epoch: 1 }])
    // The nodes have lost the later item, and the place of the earlier key is closed for good. The alarm is still about the present key.
    dht.values.clear()
    for (const [place, signed] of before) dht.values.set(place, signed)
    alice.later(3600)
    await announcer.now()
    expect(await alarms(alice)).toMatchObject([{ message: PRESENT }])
  })

  it('brings a dismissed alarm back about the present key, and not about one that was given up', async () => {
    const { alice, words, announcer, closePlace } = await story()
    await closePlace()
    await announcer.now()
    const dismiss = async (): Promise<void> => {
      const [standing] = await alarms(alice)
      await alice.call('alarm.dismiss', { id: standing!.id })
    }
    await dismiss()
    alice.later(3600)
    await announcer.now()
    expect(await alarms(alice)).toMatchObject([{ message: PRESENT }])

    await rotates(alice.later(3600), words, { epoch: 1 })
    await announcer.now()
    expect(await alarms(alice)).toMatchObject([{ message: expect.stringContaining(EARLIER) as string, count: 2 }])
    await dismiss()
    alice.later(3600)
    await announcer.now()
    expect(await alarms(alice)).toEqual([])
  })

  it('from before there was one for each epoch stays, and is not reported again', async () => {
    const { alice, announcer, personaId, closePlace } = await story()
    await closePlace()
    await announcer.now()
    const { state } = alice.keeper
    await alice.keeper.change(() => {
      const { readingKey: _, ...former } = state.of(THEFTS).get(`${personaId} 00`)!
      state.stage(state.of(THEFTS).remove(`${personaId} 00`))
      state.stage(state.of(THEFTS).put(personaId, former))
    })
    await announcer.now()
    expect(alice.told('alarm')).toHaveLength(1)
    expect(await alice.call('evidence.get', { contact: personaId })).not.toHaveProperty('items')
  })
})
