/** The promises of every store of a relay about objects. It counts them, and keeps no byte of theirs. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { BeginOutcome, OfferedObject } from '../../../src/relayd/store/object-store.ts'
import type { OfferedCard, RelayStore } from '../../../src/relayd/store/relay-store.ts'
import { costOfObject, type StoreLimits } from '../../../src/relayd/store/rules.ts'
import { DAY, LIMITS, SEC, START, type StoreRun, type Subject, withStoreOf } from '../../support/relay-stores.ts'

const digest = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest())
const ALICE = 'A1'.repeat(32)
const BOB = 'B0'.repeat(32)
const LIFE = 31 * DAY
const BYTES = 1000

function offer(name: string, { persona = ALICE, bytes = BYTES } = {}): OfferedObject {
  return { persona, name, bytes, hash: digest(name) }
}

function cardOf(persona: string): OfferedCard {
  const rank = { chain: { epoch: 0 }, seq: 1, hash: digest(persona), root: digest('root') }
  const at = persona.slice(0, 22)
  return { persona, app: 'notes', at, rank, text: 'card', expiresUs: START + 30 * DAY, guest: null, isPublic: false }
}

const places = (...names: readonly string[]): object[] => names.map((name) => ({ persona: ALICE, name }))
const sorted = (found: readonly { readonly name: string }[]): object[] =>
  found.toSorted((a, b) => (a.name < b.name ? -1 : 1))

async function keep(store: RelayStore, name: string, nowUs = START): Promise<void> {
  expect(await store.objects.begin(offer(name), nowUs)).toEqual({ outcome: 'begun' })
  expect(await store.objects.finish(offer(name), BYTES, nowUs)).toBe('kept')
}

export function testObjects(subjects: readonly Subject[]): void {
  describe.each(subjects)('objects in a store of a relay ($name)', (subject) => {
    const withStore = async (run: StoreRun, limits: Partial<StoreLimits> = {}): Promise<void> =>
      await withStoreOf(subject, limits, run, async (store) => await store.putCard(cardOf(ALICE), START))

    it('an object is found once it is whole, with its size and its hash', () =>
      withStore(async ({ objects }) => {
        expect(await objects.find(offer('a'), START)).toBeNull()
        expect(await objects.begin(offer('a'), START)).toEqual({ outcome: 'begun' })
        expect(await objects.find(offer('a'), START)).toBeNull()
        expect(await objects.counts(offer('a'))).toBe(true)
        expect(await objects.finish(offer('a'), BYTES, START)).toBe('kept')
        expect(await objects.find(offer('a'), START)).toEqual({ bytes: BYTES, hash: digest('a') })
        expect(await objects.find(offer('a', { persona: BOB }), START)).toBeNull()
        expect(await objects.find(offer('b'), START)).toBeNull()
      }))

    it('an object counts from before its first byte, and for its real size in the end', () =>
      withStore(async (store) => {
        const { bytes, objects } = await store.stats()
        expect(objects).toBe(0)
        await store.objects.begin(offer('a', { bytes: 5000 }), START)
        expect(await store.stats()).toMatchObject({ objects: 0, bytes: bytes + costOfObject(5000) })
        await store.objects.finish(offer('a'), 300, START)
        expect(await store.stats()).toMatchObject({ objects: 1, bytes: bytes + costOfObject(300) })
        await store.objects.remove([offer('a')])
        expect(await store.stats()).toMatchObject({ objects: 0, bytes })
      }))

    it('an object never changes: another one with its id finds it there, or on its way', () =>
      withStore(async ({ objects }) => {
        await objects.begin(offer('a'), START)
        expect(await objects.begin({ ...offer('a'), hash: digest('other') }, START)).toEqual({ outcome: 'coming' })
        await objects.finish(offer('a'), BYTES, START)
        const there: BeginOutcome = { outcome: 'there', hash: digest('a') }
        expect(await objects.begin({ ...offer('a'), hash: digest('other') }, START)).toEqual(there)
        expect(await objects.finish(offer('a'), BYTES, START)).toBe('gone')
      }))

    it('a persona has room for so many bytes, those that are coming too, and the store for those of all', () =>
      withStore(
        async (store) => {
          const { objects } = store
          await store.putCard(cardOf(BOB), START)
          const rest = LIMITS.maxPersonaBytes - costOfObject(0)
          expect(await objects.begin(offer('a', { bytes: rest + 1 }), START)).toEqual({ outcome: 'much' })
          expect(await objects.begin(offer('a', { bytes: rest }), START)).toEqual({ outcome: 'begun' })
          expect(await objects.begin(offer('b', { bytes: 1 }), START)).toEqual({ outcome: 'much' })
          const { bytes } = await store.stats()
          const room = LIMITS.maxPersonaBytes + 20_000 - bytes - costOfObject(0)
          const ofBob = (size: number): OfferedObject => offer('b', { persona: BOB, bytes: size })
          expect(await objects.begin(ofBob(room + 1), START)).toEqual({ outcome: 'full' })
          expect(await objects.begin(ofBob(room), START)).toEqual({ outcome: 'begun' })
          await objects.remove([offer('a')])
          expect(await objects.begin(offer('b'), START)).toEqual({ outcome: 'begun' })
        },
        { maxDiskBytes: LIMITS.maxPersonaBytes + 20_000 },
      ))

    it('only a persona with a card has objects, also one whose last card goes meanwhile', () =>
      withStore(async (store) => {
        expect(await store.objects.begin(offer('a', { persona: BOB }), START)).toEqual({ outcome: 'unknown' })
        await store.objects.begin(offer('a'), START)
        await store.forgetCards(ALICE)
        expect(await store.objects.finish(offer('a'), BYTES, START)).toBe('gone')
        expect(await store.objects.find(offer('a'), START)).toBeNull()
        expect(await store.objects.begin(offer('b'), START)).toEqual({ outcome: 'unknown' })
      }))

    it('an object lives for 31 days, and counts until it is removed', () =>
      withStore(async ({ objects }) => {
        for (const [name, nowUs] of [
          ['b', START],
          ['a', START + SEC],
        ] as const)
          await objects.begin(offer(name), nowUs).then(() => objects.finish(offer(name), BYTES, nowUs))
        expect(await objects.find(offer('b'), START + LIFE - 1)).not.toBeNull()
        expect(await objects.find(offer('b'), START + LIFE)).toBeNull()
        expect(await objects.counts(offer('b'))).toBe(true)
        expect(await objects.due(START + LIFE - 1, 10)).toEqual([])
        expect(await objects.due(START + LIFE, 10)).toEqual(places('b'))
        expect(await objects.due(START + LIFE + SEC, 10)).toEqual(places('b', 'a'))
        expect(await objects.due(START + LIFE + SEC, 1)).toEqual(places('b'))
        await objects.remove([offer('b'), offer('none')])
        expect(await objects.counts(offer('b'))).toBe(false)
        expect(await objects.due(START + LIFE + SEC, 10)).toEqual(places('a'))
      }))

    it('the objects of one persona are listed, those that are coming too', () =>
      withStore(async (store) => {
        await store.putCard(cardOf(BOB), START)
        await keep(store, 'a')
        await store.objects.begin(offer('b'), START)
        await store.objects.begin(offer('c', { persona: BOB }), START)
        expect(sorted(await store.objects.of(ALICE, 10))).toEqual(places('a', 'b'))
        expect(await store.objects.of(ALICE, 1)).toHaveLength(1)
        expect(sorted(await store.objects.unfinished(10))).toEqual([...places('b'), { persona: BOB, name: 'c' }])
      }))

    it('a store that is opened again has what was whole, and knows what was not', () =>
      withStore(async (store, { reopen }) => {
        await keep(store, 'a')
        await store.objects.begin(offer('b'), START)
        const before = await store.stats()
        const again = await reopen(START)
        expect(await again.stats()).toEqual(before)
        expect(await again.objects.find(offer('a'), START)).toEqual({ bytes: BYTES, hash: digest('a') })
        expect(await again.objects.unfinished(10)).toEqual(places('b'))
        await again.objects.remove(await again.objects.of(ALICE, 10))
        expect(await again.stats()).toMatchObject({ objects: 0, bytes: before.bytes - 2 * costOfObject(BYTES) })
        expect(await again.objects.unfinished(10)).toEqual([])
        expect(await again.objects.due(START + LIFE, 10)).toEqual([])
      }))

    it('of many that begin one object at once, one does', () =>
      withStore(async ({ objects }) => {
        const outcomes = await Promise.all(Array.from({ length: 8 }, () => objects.begin(offer('a'), START)))
        expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual(['begun', ...Array<string>(7).fill('coming')])
      }))
  })
}
