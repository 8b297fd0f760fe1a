/**
 * The promises of every store of a relay. It asks for nothing that PostgreSQL could not promise with row locks: calls on one box take effect
 * one after the other, calls on two boxes in any order.
 */
import { describe, expect, it } from 'vitest'
import type { Coming, Message, RelayStore } from '../../../src/relayd/store/relay-store.ts'
import type { StoreLimits } from '../../../src/relayd/store/rules.ts'
import {
  DAY,
  freshAnswer,
  HOUR,
  LIMITS,
  MINUTE,
  SEC,
  START,
  type StoreRun,
  type Subject,
  withStoreOf,
} from '../../support/relay-stores.ts'

const BOX = 'b'.repeat(43)
const OTHER = 'o'.repeat(43)
const ALICE = 'address of alice'
const BOB = 'address of bob'
const box = (n: number): string => String(n).padStart(43, '0')
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Everything in a box after a moment, as its owner reads it. */
async function read(store: RelayStore, nowUs: number, id = BOX, atUs = 0): Promise<readonly Message[]> {
  const messages = await store.receive(id, freshAnswer(nowUs), atUs, 1000, nowUs)
  if (messages === null) throw new Error('the answer is not good')
  return messages
}

const dataOf = (messages: readonly Message[]): string[] => messages.map(({ data }) => data)

async function outcomes(sends: readonly Promise<{ readonly outcome: string }>[]): Promise<Record<string, number>> {
  const count: Record<string, number> = {}
  for (const { outcome } of await Promise.all(sends)) count[outcome] = (count[outcome] ?? 0) + 1
  return count
}

async function expireAll(store: RelayStore, nowUs: number): Promise<void> {
  while ((await store.expire(nowUs, 50)) === 50);
}

export function testBoxes(subjects: readonly Subject[]): void {
  describe.each(subjects)('a store of a relay ($name)', (subject) => {
    const withStore = async (run: StoreRun, limits: Partial<StoreLimits> = {}): Promise<void> =>
      await withStoreOf(subject, limits, run)

    describe('messages', () => {
      it('come out as they were put in, the oldest first, and only from their box', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          const sent: string[] = []
          for (const n of range(12)) {
            expect(await store.send(BOX, `data-${n}`, BOB, START + n)).toEqual({ outcome: 'stored', atUs: START + n })
            sent.push(`data-${n}`)
          }
          await store.send(OTHER, 'other', BOB, START)
          expect(await read(store, START + SEC)).toEqual(sent.map((data, n) => ({ atUs: START + n, data })))
          expect(dataOf(await read(store, START + SEC, OTHER))).toEqual(['other'])
          expect(await read(store, START + SEC, box(1))).toEqual([])
        }))

      it('come out at most as many as asked for, from the oldest on', () =>
        withStore(async (store) => {
          for (const n of range(5)) await store.send(BOX, `${n}`, BOB, START + n)
          for (const limit of [1, 4, 5, 6]) {
            const messages = await store.receive(BOX, freshAnswer(START), 0, limit, START + SEC)
            expect(dataOf(messages!)).toEqual(['0', '1', '2', '3', '4'].slice(0, limit))
          }
        }))

      it('live 59 minutes and not 61', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          await store.send(BOX, 'data', BOB, START)
          const late = START + 59 * MINUTE
          expect(await store.check(BOX, 0, ALICE, late)).toEqual({ found: true })
          expect(dataOf(await read(store, late))).toEqual(['data'])
          const tooLate = START + 61 * MINUTE
          expect(await store.check(BOX, 0, ALICE, tooLate)).toEqual({ found: false })
          expect(await read(store, tooLate)).toEqual([])
        }))

      it('live by their own hour, also when older ones have gone', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          await store.send(BOX, 'first', BOB, START)
          await store.send(BOX, 'second', BOB, START + 30 * MINUTE)
          await expireAll(store, START + 61 * MINUTE)
          expect(dataOf(await read(store, START + 61 * MINUTE))).toEqual(['second'])
          expect(await store.stats()).toMatchObject({ boxes: 1, messages: 1 })
          await expireAll(store, START + 91 * MINUTE)
          expect(await store.stats()).toMatchObject({ boxes: 1, messages: 0 })
        }))

      it('are gone once they are named as processed, and make room', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          for (const n of range(LIMITS.maxMessages)) await store.send(BOX, `${n}`, BOB, START + n)
          expect(await store.send(BOX, 'more', BOB, START + SEC)).toEqual({ outcome: 'full', atUs: 0 })
          const processed = START + 4
          expect(dataOf(await read(store, START + SEC, BOX, processed))).toEqual(range(20).slice(5).map(String))
          expect((await store.stats()).messages).toBe(15)
          // Also for whoever names an earlier moment.
          expect((await read(store, START + SEC))[0]).toEqual({ atUs: START + 5, data: '5' })
          const sends = range(6).map((n) => store.send(BOX, `new ${n}`, BOB, START + SEC))
          expect(await outcomes(sends)).toEqual({ stored: 5, full: 1 })
        }))

      it('are there again as long as they are not named as processed', () =>
        withStore(async (store, { reopen }) => {
          for (const n of range(3)) await store.send(BOX, `${n}`, BOB, START + n)
          for (const _ of range(3)) expect(dataOf(await read(store, START + SEC))).toEqual(['0', '1', '2'])
          const next = await reopen(START + SEC)
          expect(dataOf(await read(next, START + 3 * MINUTE))).toEqual(['0', '1', '2'])
        }))

      it('are read without an answer as with one, and that changes nothing', () =>
        withStore(async (store) => {
          expect(await store.read(BOX, 0, 10, START)).toEqual([])
          for (const n of range(3)) await store.send(BOX, `${n}`, BOB, START + n)
          expect(dataOf(await store.read(BOX, 0, 2, START + SEC))).toEqual(['0', '1'])
          expect(await store.read(BOX, START + 1, 10, START + SEC)).toEqual([{ atUs: START + 2, data: '2' }])
          expect(dataOf(await read(store, START + SEC))).toEqual(['0', '1', '2'])
          expect(await store.read(BOX, 0, 10, START + 2 * HOUR)).toEqual([])
        }))

      it('are not deleted by a check, whatever it names as processed', () =>
        withStore(async (store) => {
          await store.send(BOX, 'data', BOB, START)
          expect(await store.check(BOX, START, BOB, START + 1)).toEqual({ found: false })
          expect(dataOf(await read(store, START + SEC))).toEqual(['data'])
        }))
    })

    describe('the moment of a message', () => {
      it('rises strictly in a box, also when the clock stands still or goes back', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          const clock = [START, START, START, START - MINUTE, START - 1, START, START + 1, START + 2, START + SEC]
          const moments: number[] = []
          for (const [n, nowUs] of clock.entries()) moments.push((await store.send(BOX, `${n}`, BOB, nowUs)).atUs)
          expect(moments).toEqual([...range(8).map((n) => START + n), START + SEC])
          expect((await read(store, START + SEC)).map(({ atUs }) => atUs)).toEqual(moments)
        }))

      it('rises strictly after the messages were processed, and after a restart', () =>
        withStore(async (store, { reopen }) => {
          await store.check(BOX, 0, ALICE, START)
          const first = await store.send(BOX, 'a', BOB, START)
          expect(await read(store, START, BOX, first.atUs)).toEqual([])
          const second = await store.send(BOX, 'a', BOB, START)
          expect(second).toEqual({ outcome: 'stored', atUs: START + 1 })
          const next = await reopen(START)
          expect(await next.send(BOX, 'b', BOB, START - HOUR)).toEqual({ outcome: 'stored', atUs: START + 2 })
        }))

      it('rises strictly among sends at once', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          const sent = await Promise.all(range(20).map((n) => store.send(BOX, `${n}`, BOB, START)))
          expect(new Set(sent.map(({ atUs }) => atUs)).size).toBe(20)
          const messages = await read(store, START + SEC)
          expect(messages.map(({ atUs }) => atUs)).toEqual(range(20).map((n) => START + n))
          for (const { atUs, data } of messages) expect(sent[Number(data)]!.atUs).toBe(atUs)
        }))
    })

    describe('the same bytes', () => {
      it('renew their hour, keep their moment, and count once', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          await store.send(BOX, 'data', BOB, START)
          const renewed = await store.send(BOX, 'data', ALICE, START + 50 * MINUTE)
          expect(renewed).toEqual({ outcome: 'renewed', atUs: START })
          expect((await store.stats()).messages).toBe(1)
          expect(await read(store, START + 109 * MINUTE)).toEqual([{ atUs: START, data: 'data' }])
          expect(await read(store, START + 111 * MINUTE)).toEqual([])
        }))

      it('are renewed also in a full box', () =>
        withStore(async (store) => {
          for (const n of range(8)) await store.send(BOX, `${n}`, BOB, START)
          expect(await store.send(BOX, 'more', BOB, START)).toEqual({ outcome: 'full', atUs: 0 })
          expect(await store.send(BOX, '3', BOB, START)).toEqual({ outcome: 'renewed', atUs: START + 3 })
        }))

      it('are a new message once the old one was processed or has lived its hour', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          await store.send(BOX, 'data', BOB, START)
          await read(store, START, BOX, START)
          expect(await store.send(BOX, 'data', BOB, START + SEC)).toEqual({ outcome: 'stored', atUs: START + SEC })
          const later = START + 2 * HOUR
          expect(await store.send(BOX, 'data', BOB, later)).toEqual({ outcome: 'stored', atUs: later })
          expect((await store.stats()).messages).toBe(1)
        }))

      it('count once among sends at once', () =>
        withStore(async (store) => {
          expect(await outcomes(range(30).map(() => store.send(BOX, 'data', BOB, START)))).toEqual({
            stored: 1,
            renewed: 29,
          })
          expect(await read(store, START)).toEqual([{ atUs: START, data: 'data' }])
        }))
    })

    describe('a box', () => {
      it('lives 29 days after its last check, and not 31', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START - DAY)
          await store.check(BOX, 0, ALICE, START)
          await expireAll(store, START + 29 * DAY)
          expect((await store.stats()).boxes).toBe(1)
          // It is still one that was checked: it holds more than the 8 messages of others.
          const sends = range(9).map((n) => store.send(BOX, `${n}`, BOB, START + 29 * DAY))
          expect(await outcomes(sends)).toEqual({ stored: 9 })
          await expireAll(store, START + 31 * DAY)
          expect(await store.stats()).toMatchObject({ boxes: 0, messages: 0, bytes: 0 })
        }))

      it('ends at its time with all in it, also where nothing expires it', () =>
        withStore(async (store) => {
          await store.retire(BOX, freshAnswer(START), START)
          const end = START + 30 * DAY
          await store.send(BOX, 'old', BOB, end - MINUTE)
          expect(await store.check(BOX, 0, ALICE, end + MINUTE)).toEqual({ found: false })
          expect(await read(store, end + MINUTE)).toEqual([])
          // The key begins anew, and is not retired.
          expect((await store.send(BOX, 'new', BOB, end + MINUTE)).outcome).toBe('stored')
          expect(await store.stats()).toMatchObject({ boxes: 1, messages: 1 })
        }))

      it('holds 8 messages before it is checked, and more after', () =>
        withStore(async (store) => {
          const send = (n: number) => store.send(BOX, `${n}`, BOB, START + n)
          expect(await outcomes(range(10).map(send))).toEqual({ stored: 8, full: 2 })
          expect(await store.check(BOX, 0, ALICE, START + SEC)).toEqual({ found: true })
          expect(await outcomes(range(10).map((n) => send(n + 10)))).toEqual({ stored: 10 })
        }))

      it('that was never checked ends 1 hour after the last send', () =>
        withStore(async (store) => {
          await store.send(BOX, 'a', BOB, START)
          await store.send(BOX, 'b', BOB, START + 30 * MINUTE)
          await expireAll(store, START + 89 * MINUTE)
          expect(await store.stats()).toMatchObject({ boxes: 1, messages: 1 })
          await store.send(BOX, 'b', BOB, START + 89 * MINUTE)
          await expireAll(store, START + 148 * MINUTE)
          expect(await store.stats()).toMatchObject({ boxes: 1, messages: 1 })
          await expireAll(store, START + 150 * MINUTE)
          expect(await store.stats()).toMatchObject({ boxes: 0, messages: 0, bytes: 0 })
        }))

      it('is full by bytes', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          const send = (bytes: number, letter: string) => store.send(BOX, letter.repeat(bytes), BOB, START)
          expect((await send(6000, 'a')).outcome).toBe('stored')
          expect((await send(4001, 'b')).outcome).toBe('full')
          expect((await send(4000, 'c')).outcome).toBe('stored')
          expect((await send(1, 'd')).outcome).toBe('full')
        }))

      it('is full for sends at once exactly at its limit', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          const sends = range(50).map((n) => store.send(BOX, `${n}`, BOB, START))
          expect(await outcomes(sends)).toEqual({ stored: 20, full: 30 })
          expect(await read(store, START)).toHaveLength(20)
        }))
    })

    describe('a retired box', () => {
      it('answers used, and keeps 4 later messages for its owner', () =>
        withStore(async (store) => {
          await store.send(BOX, 'before', BOB, START)
          expect(await store.retire(BOX, freshAnswer(START), START)).toBe('retired')
          const sends = range(6).map((n) => store.send(BOX, `${n}`, BOB, START + 1))
          expect(await Promise.all(sends)).toEqual(range(6).map(() => ({ outcome: 'used', atUs: 0 })))
          expect(dataOf(await read(store, START + SEC))).toEqual(['before', '0', '1', '2', '3'])
        }))

      it('renews the same bytes, and counts them once', () =>
        withStore(async (store) => {
          await store.retire(BOX, freshAnswer(START), START)
          for (const n of range(8)) {
            const { outcome } = await store.send(BOX, n % 2 === 0 ? 'same' : `${n}`, BOB, START + n * 8 * MINUTE)
            expect(outcome).toBe('used')
          }
          // 1 was sent 61 minutes ago, `same` 21, and 7 found no room.
          expect(dataOf(await read(store, START + 69 * MINUTE))).toEqual(['same', '3', '5'])
        }))

      it('stays retired after a restart, and while its owner checks', () =>
        withStore(async (store, { reopen }) => {
          await store.retire(BOX, freshAnswer(START), START)
          const next = await reopen(START)
          await next.check(BOX, 0, ALICE, START + 29 * DAY)
          expect((await next.send(BOX, 'a', BOB, START + 40 * DAY)).outcome).toBe('used')
        }))

      it('can be one into which nobody has sent', () =>
        withStore(async (store) => {
          expect(await store.retire(BOX, freshAnswer(START), START)).toBe('retired')
          expect(await store.retire(BOX, freshAnswer(START), START)).toBe('retired')
          expect((await store.send(BOX, 'a', BOB, START)).outcome).toBe('used')
          expect((await store.stats()).boxes).toBe(1)
        }))
    })

    describe('an answer', () => {
      it('is good once', () =>
        withStore(async (store) => {
          const [one, two] = [freshAnswer(START), freshAnswer(START)]
          expect(await store.receive(BOX, one, 0, 1, START)).toEqual([])
          expect(await store.receive(BOX, one, 0, 1, START)).toBeNull()
          expect(await store.retire(BOX, one, START)).toBe('used')
          expect(await store.retire(BOX, two, START)).toBe('retired')
          expect(await store.receive(BOX, two, 0, 1, START)).toBeNull()
        }))

      it('is good once among calls at once, and changes nothing the second time', () =>
        withStore(async (store) => {
          for (const n of range(3)) await store.send(BOX, `${n}`, BOB, START + n)
          const answer = freshAnswer(START)
          const calls = await Promise.all(
            range(20).map((n) => store.receive(BOX, answer, START + (n % 3), 9, START + 9)),
          )
          const good = calls.flatMap((messages, n) => (messages === null ? [] : [{ n, messages }]))
          expect(good).toHaveLength(1)
          expect(good[0]!.messages).toHaveLength(2 - (good[0]!.n % 3))
          expect(dataOf(await read(store, START + SEC))).toEqual(dataOf(good[0]!.messages))
        }))

      it('is not good again before it has expired, whatever expires meanwhile, and not after', () =>
        withStore(async (store, { reopen }) => {
          const answer = { id: 'the answer', expiresUs: START + 59 * SEC }
          expect(await store.receive(BOX, answer, 0, 1, START)).toEqual([])
          for (const nowUs of [START, START + 58 * SEC, START + 59 * SEC - 1]) {
            await expireAll(store, nowUs)
            expect(await store.receive(BOX, answer, 0, 1, nowUs)).toBeNull()
          }
          const next = await reopen(START + 58 * SEC)
          for (const nowUs of [START + 58 * SEC, START + 59 * SEC, START + 2 * MINUTE]) {
            await expireAll(next, nowUs)
            expect(await next.receive(BOX, answer, 0, 1, nowUs)).toBeNull()
          }
        }))

      it('that has expired is not good', () =>
        withStore(async (store) => {
          for (const [i, [expiresUs, isGood]] of (
            [
              [START + 1, true],
              [START, false],
              [START - 1, false],
            ] as const
          ).entries()) {
            const messages = await store.receive(BOX, { id: `x${i}`, expiresUs }, 0, 1, START)
            expect(messages !== null).toBe(isGood)
          }
        }))
    })

    describe('an address', () => {
      it('cannot make more boxes than its limit, by sends and by checks', () =>
        withStore(async (store) => {
          const made = await outcomes(range(8).map((n) => store.send(box(n), 'a', BOB, START)))
          expect(made).toEqual({ stored: 8 })
          const checks = await Promise.all(range(8).map((n) => store.check(box(n + 8), 0, BOB, START)))
          expect(checks.filter((checked) => checked !== null)).toHaveLength(2)
          expect(await store.send(box(99), 'a', BOB, START)).toEqual({ outcome: 'crowded', atUs: 0 })
          expect((await store.stats()).boxes).toBe(10)
        }))

      it('that has made too many is still served in boxes that exist, and others are', () =>
        withStore(async (store) => {
          for (const n of range(11)) await store.send(box(n), 'a', BOB, START)
          expect((await store.send(box(3), 'b', BOB, START)).outcome).toBe('stored')
          expect(await store.check(box(3), 0, BOB, START)).toEqual({ found: true })
          expect((await store.send(box(99), 'a', ALICE, START)).outcome).toBe('stored')
          expect((await store.send(box(99), 'b', BOB, START)).outcome).toBe('stored')
        }))

      it('may make others once the owners claim its boxes, or once they end, but not by checks', () =>
        withStore(async (store, { reopen }) => {
          for (const n of range(10)) await store.send(box(n), 'a', BOB, START)
          for (const n of range(5)) await store.check(box(n), 0, ALICE, START)
          expect((await store.send(box(20), 'a', BOB, START)).outcome).toBe('crowded')
          await read(store, START, box(0))
          await store.retire(box(1), freshAnswer(START), START)
          await store.forget(box(2))
          const next = await reopen(START)
          const sends = range(5).map((n) => next.send(box(n + 20), 'a', BOB, START + MINUTE))
          expect(await outcomes(sends)).toEqual({ stored: 3, crowded: 2 })
          // Boxes 3 and 4 were checked, and 5 to 9 have ended, as have the new ones.
          await expireAll(next, START + 2 * HOUR)
          const later = range(10).map((n) => next.send(box(n + 40), 'a', BOB, START + 2 * HOUR))
          expect(await outcomes(later)).toEqual({ stored: 8, crowded: 2 })
        }))

      it('cannot make more boxes by calls at once', () =>
        withStore(async (store) => {
          expect(await outcomes(range(40).map((n) => store.send(box(n), 'a', BOB, START)))).toEqual({
            stored: 10,
            crowded: 30,
          })
        }))
    })

    describe('the disk', () => {
      it('takes no more bytes than its part, and takes more when there is room again', () =>
        withStore(
          async (store) => {
            const send = (n: number, nowUs: number) => store.send(box(n), `${n}`.padStart(5000, 'x'), BOB, nowUs)
            const count = await outcomes(range(10).map((n) => send(n, START)))
            expect(count.stored! + count.full!).toBe(10)
            expect(count.stored).toBeGreaterThanOrEqual(5)
            const { bytes, isFull } = await store.stats()
            expect(bytes).toBeGreaterThanOrEqual(count.stored! * 5000)
            expect(bytes).toBeLessThanOrEqual(40_000)
            expect(isFull).toBe(false)
            // The message that is there can be renewed and read.
            expect((await send(0, START)).outcome).toBe('renewed')
            expect(await read(store, START, box(0))).toHaveLength(1)
            await expireAll(store, START + 2 * HOUR)
            expect((await send(20, START + 2 * HOUR)).outcome).toBe('stored')
          },
          { maxDiskBytes: 40_000 },
        ))

      it('without room for a box makes none, by no call', () =>
        withStore(
          async (store) => {
            const full = await store.stats()
            expect(full).toMatchObject({ boxes: 0, messages: 0, cards: 0, bytes: 0, isFull: true })
            expect(await store.send(BOX, 'a', BOB, START)).toEqual({ outcome: 'full', atUs: 0 })
            expect(await store.check(BOX, 0, BOB, START)).toBeNull()
            expect(await store.retire(BOX, freshAnswer(START), START)).toBe('full')
            expect(await read(store, START)).toEqual([])
            expect(await store.stats()).toEqual(full)
          },
          { maxDiskBytes: 100 },
        ))
    })

    describe('buckets', () => {
      const a = { key: 'a', burst: 3, perSec: 1 }
      const b = { key: 'b', burst: 5, perSec: 2 }

      it('give their burst at once, and then so much a second', () =>
        withStore(async (store) => {
          const spend = (nowUs: number) => store.spend([a], nowUs)
          expect([await spend(START), await spend(START), await spend(START)]).toEqual([0, 0, 0])
          expect(await spend(START)).toBe(1000)
          expect(await spend(START + 600_000)).toBe(400)
          expect(await spend(START + SEC)).toBe(0)
          expect(await spend(START + SEC)).toBe(1000)
          for (const _ of range(3)) expect(await spend(START + HOUR)).toBe(0)
          expect(await spend(START + HOUR)).toBe(1000)
        }))

      it('give a token each, or none', () =>
        withStore(async (store) => {
          for (const _ of range(3)) expect(await store.spend([b, a], START)).toBe(0)
          for (const _ of range(9)) expect(await store.spend([b, a], START)).toBe(1000)
          // The refusals took nothing from the fuller one.
          expect([await store.spend([b], START), await store.spend([b], START)]).toEqual([0, 0])
          expect(await store.spend([b], START)).toBe(500)
          expect(await store.spend([], START)).toBe(0)
        }))

      it('give no more to calls at once', () =>
        withStore(async (store) => {
          const waits = await Promise.all(range(30).map(() => store.spend([a], START)))
          expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(3)
        }))

      it('fill again from where a clock went back to', () =>
        withStore(async (store) => {
          for (const _ of range(3)) await store.spend([a], START)
          expect(await store.spend([a], START - DAY)).toBe(1000)
          expect(await store.spend([a], START - DAY + SEC)).toBe(0)
        }))
    })

    describe('expiry', () => {
      it('goes in slices, and ends', () =>
        withStore(
          async (store) => {
            for (const n of range(25)) await store.send(box(n), 'a', BOB, START)
            expect(await store.expire(START + 59 * MINUTE, 10)).toBe(0)
            const slices: number[] = []
            for (const _ of range(4)) slices.push(await store.expire(START + 61 * MINUTE, 10))
            expect(slices).toEqual([10, 10, 5, 0])
            expect(await store.stats()).toMatchObject({ boxes: 0, messages: 0, bytes: 0 })
          },
          { maxUncheckedBoxes: 100 },
        ))

      it('looks at a box again at each of its times', () =>
        withStore(async (store) => {
          for (const n of range(4)) await store.send(BOX, `${n}`, BOB, START + n * 10 * MINUTE)
          await store.check(BOX, 0, ALICE, START + 35 * MINUTE)
          const left: number[] = []
          for (const n of range(5)) {
            await expireAll(store, START + 61 * MINUTE + n * 10 * MINUTE)
            left.push((await store.stats()).messages)
          }
          expect(left).toEqual([3, 2, 1, 0, 0])
          await expireAll(store, START + 31 * DAY)
          expect((await store.stats()).boxes).toBe(0)
        }))

      it('at once with other calls loses nothing that lives', () =>
        withStore(async (store) => {
          await store.check(BOX, 0, ALICE, START)
          for (const n of range(5)) await store.send(BOX, `old ${n}`, BOB, START + n)
          const nowUs = START + 61 * MINUTE
          const sends = range(10).map((n) => store.send(BOX, `new ${n}`, BOB, nowUs + n))
          await Promise.all([store.expire(nowUs, 50), ...sends, store.expire(nowUs, 50)])
          expect(dataOf(await read(store, nowUs + SEC))).toEqual(range(10).map((n) => `new ${n}`))
          await expireAll(store, nowUs + SEC)
          expect((await store.stats()).messages).toBe(10)
        }))
    })

    it('forgets a box with all in it, and only that', () =>
      withStore(async (store) => {
        for (const n of range(3)) await store.send(BOX, `${n}`, BOB, START)
        await store.send(OTHER, 'other', BOB, START)
        expect(await store.forget(BOX)).toBe(true)
        expect(await store.forget(BOX)).toBe(false)
        expect(await store.stats()).toMatchObject({ boxes: 1, messages: 1 })
        expect(await read(store, START)).toEqual([])
        expect(dataOf(await read(store, START, OTHER))).toEqual(['other'])
      }))

    it('counts boxes, messages and bytes, also after a restart', () =>
      withStore(async (store, { reopen }) => {
        for (const n of range(3)) await store.send(box(n), 'x'.repeat(1000), BOB, START)
        await store.send(box(0), 'y'.repeat(1000), BOB, START)
        await store.check(box(9), 0, BOB, START)
        const stats = await store.stats()
        expect(stats).toMatchObject({ boxes: 4, messages: 4, isFull: false })
        expect(stats.bytes).toBeGreaterThan(4000)
        const next = await reopen(START)
        expect(await next.stats()).toEqual(stats)
      }))

    it('tells of a message once it can be read, and of nothing after the end of the watch', () =>
      withStore(async (store) => {
        await store.check(BOX, 0, ALICE, START)
        const seen: Promise<{ readonly found: boolean } | null>[] = []
        const heard: string[] = []
        const end = store.watch((id, coming) => {
          if (coming !== null) return
          heard.push(id)
          seen.push(store.check(id, 0, ALICE, START))
        })
        await store.send(BOX, 'a', BOB, START)
        await store.send(BOX, 'a', BOB, START)
        await store.send(OTHER, 'b', BOB, START)
        await expect.poll(() => heard).toEqual([BOX, OTHER])
        expect(await Promise.all(seen)).toEqual([{ found: true }, { found: true }])
        end()
        await store.send(BOX, 'c', BOB, START)
        expect(heard).toHaveLength(2)
      }))

    it('tells of messages that still go to the disk, if at all, in order, and as they can be read then', () =>
      withStore(async (store) => {
        await store.check(BOX, 0, ALICE, START)
        const heard: Coming[] = []
        store.watch((_, coming) => void (coming !== null && heard.push(coming)))
        await Promise.all(range(3).map((n) => store.send(BOX, `${n}`, BOB, START)))
        await store.send(BOX, '0', BOB, START)
        const messages = await store.read(BOX, 0, 9, START)
        const afterUs = [0, ...messages.map(({ atUs }) => atUs)]
        expect([[], messages.map((each, n) => ({ ...each, afterUs: afterUs[n] }))]).toContainEqual(heard)
      }))

    it('gives messages a later moment than the cursor of the owner, also where its clock went back', () =>
      withStore(async (store) => {
        await store.check(BOX, 0, ALICE, START)
        await store.receive(BOX, freshAnswer(START), START + 500, 9, START)
        await store.send(BOX, 'a', BOB, START)
        expect(await store.read(BOX, START + 500, 9, START)).toEqual([{ atUs: START + 501, data: 'a' }])
        await store.receive(BOX, freshAnswer(START), Number.MAX_SAFE_INTEGER, 9, START)
        await store.send(BOX, 'b', BOB, START)
        const [last] = await store.read(BOX, START + 501, 9, START)
        expect(last!.atUs - START).toBeLessThanOrEqual(DAY + 1)
      }))

    it('tells the owner of a retired box of the messages that it keeps', () =>
      withStore(async (store) => {
        await store.retire(BOX, freshAnswer(START), START)
        const heard: string[] = []
        store.watch((id, coming) => void (coming === null && heard.push(id)))
        for (const n of range(6)) await store.send(BOX, `${n}`, BOB, START)
        await expect.poll(() => heard).toHaveLength(4)
      }))

    it('keeps its promises to calls on one box from two processes', () =>
      withStore(async (store, { second }) => {
        const other = (await second?.()) ?? store
        const heard: string[] = []
        other.watch((id, coming) => void (coming === null && heard.push(id)))
        await store.check(BOX, 0, ALICE, START)
        const both = [store, other]
        const sends = range(40).map((n) => both[n % 2]!.send(BOX, `${n}`, BOB, START))
        expect(await outcomes(sends)).toEqual({ stored: 20, full: 20 })
        await expect.poll(() => heard).toHaveLength(20)
        const answer = freshAnswer(START)
        const reads = await Promise.all(both.map((each) => each.receive(BOX, answer, START + 9, 99, START)))
        expect(reads.filter((messages) => messages !== null)).toHaveLength(1)
        for (const each of both) expect(await read(each, START)).toHaveLength(10)
        const spent = await Promise.all(
          range(9).map((n) => both[n % 2]!.spend([{ key: 'k', burst: 4, perSec: 1 }], START)),
        )
        expect(spent.filter((waitMs) => waitMs === 0)).toHaveLength(4)
      }))
  })
}
