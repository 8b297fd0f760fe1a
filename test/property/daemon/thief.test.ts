/**
 * Whatever table a thief of the current key signs, the owner gets it, can shut the thief out by a rotation, and goes on
 * as if it had not been.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBase64url } from '../../../src/core/encoding/bytes.ts'
import { MAX_EPOCH, MAX_SEQ } from '../../../src/core/limits.ts'
import { decodeVerified, type VerifiedBlob } from '../../../src/core/verify.ts'
import type { RotationPlan } from '../../../src/ipc/shapes/rotation.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../support/keeper.ts'
import { deviceKey, engine } from '../../support/person.ts'
import { quickEngine } from '../../support/quick-engine.ts'
import { rotates, withWords } from '../../support/rotation.ts'
import { atSeq, forge, forgery } from '../../support/thief.ts'

const RUNS = Number(process.env['THIEVES'] ?? 75)

/** Locked memory is scarce, and hundreds of keepers open here. */
const plainMemory = { ...quickEngine, secret: (bytes: number) => new Uint8Array(bytes), wipe: () => {} }

interface Owner {
  readonly laptop: TestKeeper
  readonly words: string
}

/** Laptop and phone at some epoch. The phone is the one that is stolen. */
async function ownerAt(epoch: number): Promise<Owner> {
  const { laptop, words } = await withWords({ engine: plainMemory })
  await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
  if (epoch > 0) await rotates(laptop, words, { epoch })
  return { laptop, words }
}

const EPOCHS = [0, 1, 14, 15, MAX_EPOCH]

function headOf(test: TestKeeper): VerifiedBlob {
  const { personaId } = test.records.own.get('own')!
  return decodeVerified(parseBase64url(test.records.personas.get(personaId)!.head!)!, engine)
}

/** Runs what may be refused for these reasons, and for no other. */
async function unless(codes: readonly string[], run: () => Promise<unknown>): Promise<void> {
  await run().catch((error: unknown) => {
    const code = (error as { code?: string }).code ?? 'INTERNAL'
    expect(codes, String(error)).toContain(code)
  })
}

/** The owner's edits while the thief still has the key. */
async function editsBeside(laptop: TestKeeper): Promise<void> {
  const { devices, seq } = await laptop.call('device.list')
  const isListed = devices.some(({ key }) => key === OWN_LAPTOP)
  const refused = [...(isListed ? [] : ['OWN_DEVICE_UNLISTED']), ...(seq < MAX_SEQ - 5 ? [] : ['SEQ_EXHAUSTED'])]
  const other = devices.find(({ key }) => key !== OWN_LAPTOP)
  await unless(isListed ? [] : ['OWN_DEVICE_UNLISTED'], () => laptop.call('blob.get'))
  if (other !== undefined) await unless(refused, () => laptop.call('device.remove', { device: other.key }))
  await unless([...refused, 'TABLE_TOO_LARGE'], () =>
    laptop.call('device.add', { name: 'own desktop', key: deviceKey('own desktop') }),
  )
  if (isListed) {
    await unless(refused, () => laptop.call('device.activate', { device: OWN_LAPTOP }))
    await unless([...refused, 'TABLE_TOO_LARGE'], () =>
      laptop.call('device.rename', { device: OWN_LAPTOP, name: 'den' }),
    )
  }
}

function checkPlan({ devices }: RotationPlan, head: VerifiedBlob): void {
  expect(head.content.ok && head.content.document.map(([key]) => key)).toEqual(['names'])
  expect(head.content.ok && head.content.names).toEqual(devices.map(({ name }) => name))
}

/** The owner after the rotation, in full possession. */
async function goesOn(laptop: TestKeeper, friend: TestKeeper, epoch: number): Promise<void> {
  expect((await friend.later(100).sees(OWN_LAPTOP, await ownText(laptop))).verdict).toBe('accept')
  const tablet = { name: 'new tablet', key: deviceKey('new tablet') }
  await laptop.call('device.add', tablet)
  await laptop.call('device.rename', { device: OWN_LAPTOP, name: 'desk' })
  await laptop.call('device.activate', { device: OWN_LAPTOP })
  await friend.later(100).sees(OWN_LAPTOP, await ownText(laptop))
  const contact = await friend.call('contact.show', { contact: 'Ada' })
  expect(contact).toMatchObject({ epoch, active: OWN_LAPTOP, devices: [{ name: 'desk', key: OWN_LAPTOP }] })
  expect(contact.devices[0]).not.toHaveProperty('companion')
  await laptop.call('device.remove', { device: tablet.key })
  expect(await laptop.call('persona.leave')).toMatchObject({ status: expect.any(String) as string })
}

describe('whatever tables a thief of the current key signs', () => {
  it('the owner gets them, shuts the thief out, and signs nothing that he wrote', async () => {
    let ran = 0
    const owners = new Map(await Promise.all(EPOCHS.map(async (epoch) => [epoch, await ownerAt(epoch)] as const)))
    const story = fc.record({
      epoch: fc.constantFrom(...EPOCHS),
      forgeries: fc.array(forgery, { minLength: 1, maxLength: 3 }),
      hasIntent: fc.boolean(),
      nearEnd: fc.option(fc.nat(2), { nil: null, freq: 5 }),
      edits: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(story, async ({ epoch, forgeries, hasIntent, nearEnd, edits }) => {
        const { laptop: base, words } = owners.get(epoch)!
        const laptop = await base.copied(OWN_LAPTOP)
        const friend = await TestKeeper.open({ engine: plainMemory, nowSec: laptop.nowSec })
        if (nearEnd !== null) await atSeq(laptop, MAX_SEQ - nearEnd)
        await friend.sees(OWN_LAPTOP, await ownText(laptop), { name: 'Ada' })
        if (hasIntent && (nearEnd ?? 9) > 0)
          await unless(['TABLE_TOO_LARGE'], () =>
            laptop.call('device.add', { name: 'tablet', key: deviceKey('own tablet') }),
          )
        for (const each of forgeries) {
          const text = forge(laptop, each)
          if (text === null) continue
          for (const test of [laptop, friend])
            expect((await test.later(100).sees(OWN_PHONE, text)).shown, each.document).toBe('valid')
          ran++
        }
        if (edits) await editsBeside(laptop)
        if (epoch < MAX_EPOCH) {
          const { devices } = await laptop.call('device.list')
          const without = devices.filter(({ key }) => key !== OWN_LAPTOP).map(({ key }) => key)
          const { planned } = await rotates(laptop, words, { epoch: epoch + 1, without })
          expect(planned.devices).toMatchObject([{ key: OWN_LAPTOP }])
          expect(planned.devices[0]).not.toHaveProperty('companion')
          checkPlan(planned, headOf(laptop))
          await goesOn(laptop, friend, epoch + 1)
        } else await laptop.call('persona.leave')
        expect(laptop.storeFailures).toStrictEqual([])
      }),
      { numRuns: RUNS },
    )
    expect(ran).toBeGreaterThan(RUNS / 4)
  }, 120_000)
})
