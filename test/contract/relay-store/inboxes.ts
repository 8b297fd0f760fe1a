/** The promises of every store of a relay about inboxes. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  inboxIdOf,
  type AskingDevice,
  type ComingEntry,
  type OfferedEntry,
  type PostOutcome,
  type SenderRules,
} from '../../../src/relayd/store/inbox-store.ts'
import {
  ENTRY_COST_BYTES,
  INBOX_COST_BYTES,
  MARK_COST_BYTES,
  SENDER_COST_BYTES,
} from '../../../src/relayd/store/inbox-rules.ts'
import type { RelayStore } from '../../../src/relayd/store/relay-store.ts'
import type { StoreLimits } from '../../../src/relayd/store/rules.ts'
import {
  DAY,
  HOUR,
  LIMITS,
  MINUTE,
  START,
  type StoreRun,
  type Subject,
  withStoreOf,
} from '../../support/relay-stores.ts'

const ALICE = 'A1'.repeat(32)
const BOB = 'B0'.repeat(32)
const CAROL = 'CA'.repeat(32)
const INBOX = inboxIdOf(BOB, 'notes')
const [LAPTOP, PHONE, TABLET] = ['laptop', 'phone', 'tablet'] as const
const BOTH = [LAPTOP, PHONE]
const NO_RULES: SenderRules = { allow: [], block: [], forget: [], strangers: null }
const DAY_LATER = START + DAY + 1

function entry(encId: string, from = ALICE): OfferedEntry {
  const bodyHash = createHash('sha256').update(encId).digest('base64url')
  return { from, kid: `key of ${from.slice(0, 2)}`, at: `card of ${from.slice(0, 2)}`, bodyHash, encId }
}

const device = (tag: string, listed: readonly string[] = BOTH): AskingDevice => ({ tag, listed })

export function testInboxes(subjects: readonly Subject[]): void {
  describe.each(subjects)('inboxes in a store of a relay ($name)', (subject) => {
    /** Runs with an inbox whose owner allows Alice. */
    const withStore = async (
      run: StoreRun,
      limits: Partial<StoreLimits> = {},
      rules: Partial<SenderRules> = { allow: [ALICE] },
    ): Promise<void> =>
      await withStoreOf(subject, limits, run, async ({ inboxes }) =>
        inboxes.setSenders(INBOX, device(LAPTOP), { ...NO_RULES, ...rules }, START),
      )

    const post = ({ inboxes }: RelayStore, encId: string, from = ALICE, nowUs = START): Promise<PostOutcome> =>
      inboxes.post(INBOX, entry(encId, from), BOTH, nowUs)

    async function postAll(store: RelayStore, encIds: readonly string[], from = ALICE): Promise<PostOutcome[]> {
      const outcomes: PostOutcome[] = []
      for (const encId of encIds) outcomes.push(await post(store, encId, from))
      return outcomes
    }

    /** The ids that a device finds, and their numbers. */
    async function list(
      { inboxes }: RelayStore,
      asking = device(LAPTOP),
      nowUs = START,
    ): Promise<[ids: string[], numbers: number[]]> {
      const { entries, next } = await inboxes.list(INBOX, asking, 0, 1000, nowUs)
      expect(next).toBeNull()
      return [entries.map(({ encId }) => encId), entries.map(({ n }) => n)]
    }

    const acknowledge = async (store: RelayStore, asking: AskingDevice, nowUs = START): Promise<void> => {
      const [, numbers] = await list(store, asking, nowUs)
      expect(await store.inboxes.acknowledge(INBOX, asking, numbers, nowUs)).toBe(true)
    }

    const ids = (count: number, name = 'id'): string[] => Array.from({ length: count }, (_, n) => `${name}-${n}`)

    it('entries are given in the order in which they came, with who sent them, and nowhere else', () =>
      withStore(async (store, { reopen }) => {
        expect(await postAll(store, ['a', 'b'])).toEqual(['stored', 'stored'])
        const { entries, next } = await (await reopen(START)).inboxes.list(INBOX, device(PHONE), 0, 10, START)
        const { bodyHash: _, ...shown } = entry('a')
        expect([entries[0], next]).toEqual([{ n: entries[0]!.n, ...shown }, null])
        expect(entries[1]!.n).toBeGreaterThan(entries[0]!.n)
        const { inboxes } = await reopen(START)
        for (const other of [inboxIdOf(BOB, 'mail'), inboxIdOf(ALICE, 'notes'), inboxIdOf(BOB, 'notes.more')])
          expect((await inboxes.list(other, device(PHONE), 0, 10, START)).entries).toEqual([])
      }))

    it('a number never goes back, also when the clock does, or when the inbox was deleted', () =>
      withStore(async (store) => {
        await post(store, 'a', ALICE, START)
        await post(store, 'b', ALICE, START - HOUR)
        const [, [first, second]] = await list(store)
        expect(second).toBe(first! + 1)
        expect(await store.inboxes.forget(BOB)).toBe(1)
        await post(store, 'c', BOB, START + MINUTE)
        const [, [third]] = await list(store)
        expect(third).toBeGreaterThan(second!)
      }))

    it('a page has at most so many entries, and says from where to go on', () =>
      withStore(async (store) => {
        await postAll(store, ids(5))
        const seen: string[] = []
        const sizes: number[] = []
        for (let after: number | null = 0; after !== null;) {
          const page = await store.inboxes.list(INBOX, device(LAPTOP), after, 2, START)
          seen.push(...page.entries.map(({ encId }) => encId))
          sizes.push(page.entries.length)
          after = page.next
        }
        expect([seen, sizes]).toEqual([ids(5), [2, 2, 1]])
      }))

    it('the same body of a sender is one entry, also a while after it was deleted', () =>
      withStore(async (store) => {
        expect(await postAll(store, ['a', 'a'])).toEqual(['stored', 'repeated'])
        expect(await post(store, 'a', BOB)).toBe('stored')
        for (const tag of BOTH) await acknowledge(store, device(tag))
        expect((await store.stats()).entries).toBe(0)
        expect(await post(store, 'a', ALICE, START + DAY - 1)).toBe('repeated')
        await store.expire(DAY_LATER, 100)
        expect(await post(store, 'a', ALICE, DAY_LATER)).toBe('stored')
      }))

    it('entries that come at one time are each stored once, and repeats of them are answered after them', () =>
      withStore(async (store) => {
        const outcomes = await Promise.all(['a', 'b', 'a', 'b'].map((encId) => post(store, encId)))
        expect(outcomes.toSorted()).toEqual(['repeated', 'repeated', 'stored', 'stored'])
        expect((await list(store))[0].toSorted()).toEqual(['a', 'b'])
      }))

    it('an entry goes after the acknowledgement of every device, in whatever order they come', () =>
      withStore(async (store) => {
        await postAll(store, ['a', 'b', 'c'])
        const [, [a, b, c]] = await list(store)
        await store.inboxes.acknowledge(INBOX, device(LAPTOP), [c!, a!, 4711], START)
        expect((await list(store))[0]).toEqual(['b'])
        expect((await list(store, device(PHONE)))[0]).toEqual(['a', 'b', 'c'])
        await store.inboxes.acknowledge(INBOX, device(PHONE), [b!, c!, c!], START)
        await store.inboxes.acknowledge(INBOX, device(PHONE), [c!], START)
        expect((await list(store, device(PHONE)))[0]).toEqual(['a'])
        expect((await store.stats()).entries).toBe(2)
        await store.inboxes.acknowledge(INBOX, device(LAPTOP), [b!], START)
        await store.inboxes.acknowledge(INBOX, device(PHONE), [a!], START)
        expect((await store.stats()).entries).toBe(0)
      }))

    it('a device that was not heard of for 30 days keeps no entry, and nobody out', () =>
      withStore(
        async (store) => {
          for (let day = 0; day < 30; day += 10) {
            await post(store, `day ${day}`, ALICE, START + day * DAY)
            await acknowledge(store, device(LAPTOP), START + day * DAY)
          }
          expect((await store.stats()).entries).toBe(3)
          // Once the phone was silent for 30 days, a new entry waits for the laptop alone, and the old ones for nobody.
          const later = START + 30 * DAY
          expect(await post(store, 'later', ALICE, later)).toBe('stored')
          await acknowledge(store, device(LAPTOP), later)
          await store.expire(later, 100)
          expect((await store.stats()).entries).toBe(0)
          // It comes back, and is waited for again.
          await list(store, device(PHONE), later)
          await post(store, 'again', ALICE, later)
          await acknowledge(store, device(LAPTOP), later)
          expect((await list(store, device(PHONE), later))[0]).toEqual(['again'])
        },
        { maxEntries: 1 },
      ))

    it('a device that was taken out of the card is not waited for', () =>
      withStore(async (store) => {
        await postAll(store, ['a', 'b'])
        await acknowledge(store, device(LAPTOP))
        expect((await store.stats()).entries).toBe(2)
        await list(store, device(LAPTOP, [LAPTOP]))
        await store.expire(START, 100)
        expect((await store.stats()).entries).toBe(0)
      }))

    it('a later device sees what comes later, and what is there still, but no entry from before waits for it', () =>
      withStore(async (store) => {
        await postAll(store, ['before'])
        await acknowledge(store, device(LAPTOP))
        const three = [...BOTH, TABLET]
        expect((await list(store, device(TABLET, three)))[0]).toEqual(['before'])
        await store.inboxes.post(INBOX, entry('later'), three, START)
        await acknowledge(store, device(LAPTOP, three))
        await acknowledge(store, device(PHONE, three))
        expect((await list(store, device(TABLET, three)))[0]).toEqual(['later'])
        expect((await store.stats()).entries).toBe(1)
        await acknowledge(store, device(TABLET, three))
        expect((await store.stats()).entries).toBe(0)
      }))

    it('an entry that no device acknowledged waits, though all were silent, until it is over', () =>
      withStore(async (store) => {
        await post(store, 'a', ALICE, START + DAY)
        const end = START + 32 * DAY
        await store.expire(end - 1, 100)
        expect((await list(store, device(LAPTOP), end - 1))[0]).toEqual(['a'])
        expect((await list(store, device(LAPTOP), end))[0]).toEqual([])
        await store.expire(end, 100)
        expect((await store.stats()).entries).toBe(0)
      }))

    it('an inbox has room for so many entries, and one that a device acknowledged counts no more', () =>
      withStore(async (store) => {
        expect(await postAll(store, ids(13), BOB)).toEqual([...ids(12).map(() => 'stored'), 'full'])
        await acknowledge(store, device(PHONE))
        expect(await postAll(store, ids(13, 'more'), BOB)).toEqual([...ids(12).map(() => 'stored'), 'full'])
        expect((await store.stats()).entries).toBe(24)
      }))

    it('somebody else has at most as many entries as there are places left, so nobody fills an inbox alone', () =>
      withStore(
        async (store) => {
          const stored = async (from: string): Promise<number> =>
            (await postAll(store, ids(13), from)).filter((outcome) => outcome === 'stored').length
          expect([await stored(ALICE), await stored(CAROL), await stored('D5'.repeat(32))]).toEqual([6, 3, 2])
          await acknowledge(store, device(PHONE))
          expect(await post(store, 'later')).toBe('stored')
          expect(await stored(BOB)).toBe(11)
        },
        {},
        { allow: [ALICE, CAROL, 'D5'.repeat(32)] },
      ))

    it('strangers have a part of it together and a smaller one each, and keep out nobody who is allowed', () =>
      withStore(async (store) => {
        const stranger = (n: number): string => n.toString(16).padStart(64, '0').toUpperCase()
        const outcomes: PostOutcome[] = []
        for (let n = 0; n < 4; n++) outcomes.push(...(await postAll(store, ids(3), stranger(n))))
        const two = ['stored', 'stored', 'full']
        expect(outcomes).toEqual([...two, ...two, ...two, 'full', 'full', 'full'])
        expect(await postAll(store, ids(4), ALICE)).toEqual([...ids(3).map(() => 'stored'), 'full'])
        await acknowledge(store, device(LAPTOP))
        expect(await post(store, 'x', stranger(0))).toBe('stored')
        expect(await post(store, 'x', BOB)).toBe('stored')
      }))

    it('a sender who is allowed takes no place of strangers any more, and one who is forgotten does', () =>
      withStore(
        async (store) => {
          const { inboxes } = store
          const rule = (rules: Partial<SenderRules>): Promise<string> =>
            inboxes.setSenders(INBOX, device(LAPTOP), { ...NO_RULES, ...rules }, START)
          await rule({ strangers: 2 })
          expect(await postAll(store, ids(2), CAROL)).toEqual(['stored', 'stored'])
          expect(await post(store, 'x', ALICE)).toBe('full')
          expect(await rule({ allow: [CAROL] })).toBe('done')
          expect(await postAll(store, ['x', 'y', 'z'], ALICE)).toEqual(['stored', 'stored', 'full'])
          expect(await rule({ allow: [ALICE] })).toBe('done')
          expect(await rule({ forget: [CAROL, ALICE] })).toBe('done')
          expect(await post(store, 'more', CAROL)).toBe('full')
          await acknowledge(store, device(LAPTOP))
          expect(await post(store, 'more', CAROL)).toBe('stored')
        },
        {},
        {},
      ))

    it('an owner may take nothing from strangers, and never more than the relay allows', () =>
      withStore(async (store) => {
        const { inboxes } = store
        const limit = (strangers: number): Promise<string> =>
          inboxes.setSenders(INBOX, device(LAPTOP), { ...NO_RULES, strangers }, START)
        await limit(0)
        expect(await post(store, 'a', CAROL)).toBe('no strangers')
        expect(await post(store, 'a', ALICE)).toBe('stored')
        await limit(1000)
        const outcomes: PostOutcome[] = []
        for (let n = 0; n < 7; n++) outcomes.push(await post(store, 'a', `${n}`.repeat(64)))
        expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(LIMITS.maxStrangers)
      }))

    it('the end of all rules leaves everybody a stranger, makes room for other names, and leaves other inboxes and the entries as they are', () =>
      withStore(
        async (store, { reopen }) => {
          const { inboxes } = store
          const [mail, carols] = [inboxIdOf(BOB, 'mail'), inboxIdOf(CAROL, 'notes')]
          const block = (id: string, persona: string): Promise<string> =>
            inboxes.setSenders(id, device(LAPTOP), { ...NO_RULES, block: [persona], strangers: 0 }, START)
          expect(await postAll(store, ids(2), ALICE)).toEqual(['stored', 'stored'])
          const names = (count: number, end: string): string[] =>
            Array.from({ length: count }, (_, n) => n.toString(16).toUpperCase().padStart(62, '0') + end)
          // More than one look takes.
          const many = names(599, 'AA')
          await inboxes.setSenders(INBOX, device(LAPTOP), { ...NO_RULES, allow: many }, START)
          for (const id of [INBOX, mail]) expect(await block(id, ALICE)).toBe('done')
          expect(await block(carols, ALICE)).toBe('done')
          expect(await inboxes.endRules(BOB, START)).toBe(true)
          expect(await inboxes.endRules('EE'.repeat(32), START)).toBe(true)
          const after = await reopen(START)
          expect(await post(after, 'of a stranger', ALICE)).toBe('full')
          for (const tag of BOTH) await acknowledge(after, device(tag))
          expect(await post(after, 'of a stranger', ALICE)).toBe('stored')
          const other = { ...NO_RULES, block: names(600, 'BB') }
          expect(await after.inboxes.setSenders(INBOX, device(LAPTOP), other, START)).toBe('done')
          expect(await after.inboxes.post(carols, entry('x', ALICE), BOTH, START)).toBe('blocked')
          expect(await after.inboxes.post(carols, entry('x', BOB), BOTH, START)).toBe('no strangers')
        },
        { maxNamed: 600 },
        {},
      ))

    it('a blocked sender changes nothing', () =>
      withStore(async (store) => {
        const { inboxes } = store
        await inboxes.setSenders(INBOX, device(LAPTOP), { ...NO_RULES, block: [CAROL, BOB] }, START)
        const before = await store.stats()
        expect(await postAll(store, ['a', 'a', 'b'], CAROL)).toEqual(['blocked', 'blocked', 'blocked'])
        expect(await store.stats()).toEqual(before)
        // Nobody blocks their own devices.
        expect(await post(store, 'a', BOB)).toBe('stored')
        await inboxes.setSenders(INBOX, device(LAPTOP), { ...NO_RULES, allow: [CAROL] }, START)
        expect(await post(store, 'a', CAROL)).toBe('stored')
      }))

    it('an inbox knows so many senders by name, and a call that names more changes nothing', () =>
      withStore(async (store) => {
        const { inboxes } = store
        const many = Array.from({ length: 8 }, (_, n) => `${n}`.repeat(64))
        const before = await store.stats()
        const call = { ...NO_RULES, allow: many }
        expect(await inboxes.setSenders(INBOX, device(LAPTOP), call, START)).toBe('crowded')
        expect(await store.stats()).toEqual(before)
        expect(await inboxes.setSenders(INBOX, device(LAPTOP), { ...call, forget: [ALICE] }, START)).toBe('done')
        expect(await inboxes.setSenders(INBOX, device(LAPTOP), call, START)).toBe('done')
      }))

    it('the bytes that are counted are those of what is there, and none once nothing is', () =>
      withStore(async (store) => {
        const inbox = INBOX_COST_BYTES + SENDER_COST_BYTES
        expect(await store.stats()).toMatchObject({ inboxes: 1, entries: 0, bytes: inbox })
        await postAll(store, ['abc', 'abc'], CAROL)
        const whole = inbox + 3 + ENTRY_COST_BYTES + MARK_COST_BYTES + SENDER_COST_BYTES
        expect(await store.stats()).toMatchObject({ inboxes: 1, entries: 1, bytes: whole })
        for (const tag of BOTH) await acknowledge(store, device(tag))
        expect(await store.stats()).toMatchObject({ inboxes: 1, entries: 0, bytes: inbox + MARK_COST_BYTES })
        await store.expire(DAY_LATER, 100)
        expect(await store.stats()).toMatchObject({ inboxes: 1, bytes: inbox })
        await store.expire(START + 61 * DAY - 1, 100)
        expect((await store.stats()).inboxes).toBe(1)
        await store.expire(START + 61 * DAY, 100)
        expect(await store.stats()).toMatchObject({ inboxes: 0, entries: 0, bytes: 0 })
      }))

    it('a disk without room takes no entry and no rule, and is refilled by what goes', () =>
      withStore(
        async (store) => {
          expect(await postAll(store, ['a', 'b'])).toEqual(['stored', 'disk'])
          const more = { ...NO_RULES, block: ids(7).map((_, n) => `${n}`.repeat(64)) }
          expect(await store.inboxes.setSenders(INBOX, device(LAPTOP), more, START)).toBe('full')
          expect(await store.inboxes.acknowledge(inboxIdOf(CAROL, 'notes'), device(LAPTOP), [1], START)).toBe(false)
          for (const tag of BOTH) await acknowledge(store, device(tag))
          await store.expire(DAY_LATER, 100)
          expect(await post(store, 'b', ALICE, DAY_LATER)).toBe('stored')
        },
        { maxDiskBytes: INBOX_COST_BYTES + 1 + ENTRY_COST_BYTES + MARK_COST_BYTES + 2 * SENDER_COST_BYTES },
      ))

    it('forget deletes all inboxes of a persona, and nothing of others', () =>
      withStore(async (store, { reopen }) => {
        const mail = inboxIdOf(BOB, 'mail')
        const alices = inboxIdOf(ALICE, 'notes')
        for (const inbox of [mail, alices]) await store.inboxes.post(inbox, entry('a'), BOTH, START)
        await postAll(store, ids(5))
        await acknowledge(store, device(LAPTOP))
        expect(await store.inboxes.forget(BOB)).toBe(2)
        expect(await store.inboxes.forget(BOB)).toBe(0)
        const again = await reopen(START)
        expect(await again.stats()).toMatchObject({ inboxes: 1, entries: 1 })
        expect((await again.inboxes.list(alices, device(LAPTOP), 0, 10, START)).entries).toHaveLength(1)
        expect(await again.inboxes.post(INBOX, entry('id-0', CAROL), BOTH, START)).toBe('stored')
      }))

    it('many entries go as few do, a part at a time', () =>
      withStore(
        async (store) => {
          await Promise.all(ids(600).map((encId) => post(store, encId)))
          const numbers = (await list(store))[1]
          await store.inboxes.acknowledge(INBOX, device(LAPTOP), numbers, START)
          await list(store, device(LAPTOP, [LAPTOP]))
          // An entry that nobody has stays, and so do those after it that are not over.
          await post(store, 'last')
          for (let n = 0; n < 4; n++) await store.expire(START, 100)
          expect((await list(store))[0]).toEqual(['last'])
          expect((await store.stats()).entries).toBe(1)
          await Promise.all(ids(600, 'more').map((encId) => post(store, encId)))
          expect(await store.inboxes.forget(BOB)).toBe(1)
          expect(await store.stats()).toMatchObject({ inboxes: 0, entries: 0, bytes: 0 })
        },
        { maxEntries: 1300 },
      ))

    it('whoever watches hears of each entry once it can be read, and of no other call', () =>
      withStore(async (store, { second }) => {
        const heard: string[] = []
        const stop = store.inboxes.watch((inbox, coming) => void (coming === null && heard.push(inbox)))
        await postAll((await second?.()) ?? store, ['a', 'a', 'b'])
        await acknowledge(store, device(LAPTOP))
        await expect.poll(() => heard).toEqual([INBOX, INBOX])
        stop()
        await post(store, 'c')
        expect(heard).toHaveLength(2)
      }))

    it('whoever watches hears of entries that still go to the disk, if at all, in order, and as they can be read then', () =>
      withStore(async (store) => {
        const heard: ComingEntry[] = []
        store.inboxes.watch((_, coming) => void (coming !== null && heard.push(coming)))
        await postAll(store, ['a', 'b', 'a', 'c'])
        const { entries } = await store.inboxes.list(INBOX, device(LAPTOP), 0, 9, START)
        const after = [0, ...entries.map(({ n }) => n)]
        expect([[], entries.map((entry, i) => ({ entry, after: after[i] }))]).toContainEqual(heard)
      }))

    it('an entry gets a later number than the cursor of a reader, also where the clock of the relay went back', () =>
      withStore(async (store) => {
        await store.inboxes.list(INBOX, device(LAPTOP), START + 500, 9, START)
        await post(store, 'a')
        const [first] = (await store.inboxes.list(INBOX, device(LAPTOP), START + 500, 9, START)).entries
        expect(first).toMatchObject({ n: START + 501 })
        await store.inboxes.list(INBOX, device(LAPTOP), Number.MAX_SAFE_INTEGER, 9, START)
        await post(store, 'b')
        const [last] = (await store.inboxes.list(INBOX, device(LAPTOP), START + 501, 9, START)).entries
        expect(last!.n - START).toBeLessThanOrEqual(DAY + 1)
      }))
  })
}
