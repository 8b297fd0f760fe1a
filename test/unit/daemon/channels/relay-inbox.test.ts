import { expect, test } from 'vitest'
import { RelayInbox } from '../../../../src/channel/carriers/relay-inbox.ts'
import type { Given } from '../../../../src/relay/read-answer.ts'

const DATA = new Uint8Array(8)
const give = (inbox: RelayInbox, ...messages: readonly (readonly [after: number, at: number])[]): void => {
  for (const [after, at] of messages) inbox.note({ question: null, message: given(after, at) }, 0)
}
const given = (after: number, at: number): Given => ({ after, at, data: DATA })
const momentsOf = (inbox: RelayInbox, at: number, isFollowed = true): number[] | undefined =>
  inbox.after(at, isFollowed)?.map((message) => message.at)

function followed(at: number): RelayInbox {
  const inbox = new RelayInbox()
  inbox.asked(at, [], 0)
  return inbox
}

test('the relay is asked until it has given all that it has', () => {
  const inbox = new RelayInbox()
  expect(momentsOf(inbox, 0)).toBeUndefined()
  inbox.asked(0, [{ at: 4, data: DATA }], 0)
  expect(momentsOf(inbox, 4)).toEqual([])
  expect(momentsOf(inbox, 4, false)).toBeUndefined()
})

test('messages of a stream are taken without a call, also again until they are processed', () => {
  const inbox = followed(4)
  give(inbox, [4, 5], [5, 9])
  expect([momentsOf(inbox, 4), momentsOf(inbox, 4), momentsOf(inbox, 5), momentsOf(inbox, 9)]).toEqual([
    [5, 9],
    [5, 9],
    [9],
    [],
  ])
  expect(inbox.processedAt).toBe(9)
  expect(inbox.namedAt).toBe(4)
})

test('a message after a gap is not taken before what is missing', () => {
  const inbox = followed(4)
  give(inbox, [4, 5], [7, 9])
  expect([momentsOf(inbox, 4), momentsOf(inbox, 5)]).toEqual([[5], undefined])
  inbox.asked(
    5,
    [7, 9].map((at) => ({ at, data: DATA })),
    0,
  )
  expect(momentsOf(inbox, 9)).toEqual([])
})

test('a message that came while the relay was asked is not lost', () => {
  const inbox = new RelayInbox()
  give(inbox, [4, 5])
  inbox.asked(0, [{ at: 4, data: DATA }], 0)
  expect(momentsOf(inbox, 4)).toEqual([5])
})

test('a question shows that no stream gives what there is', () => {
  const inbox = followed(4)
  inbox.note({ question: 'q', message: null }, 0)
  expect(momentsOf(inbox, 4)).toBeUndefined()
  expect([inbox.takeQuestion(49_999), inbox.takeQuestion(49_999)]).toEqual(['q', null])
  inbox.note({ question: 'old', message: null }, 0)
  expect(inbox.takeQuestion(50_000)).toBeNull()
})

test('the relay is asked, and deletes, before a box that gave many messages is full', () => {
  const inbox = followed(0)
  let at = 0
  for (let taken: number[] | undefined = []; taken !== undefined; taken = momentsOf(inbox, at)) {
    at = taken.at(-1) ?? at
    give(inbox, [at, at + 1])
    expect(at).toBeLessThan(64)
  }
  expect(at).toBe(32)
})

test('messages of a stream that nobody takes have a limit, and the relay is asked until it has given them', () => {
  const inbox = followed(0)
  // The 17th, 34th and so on are left out, with those before.
  for (let n = 0; n < 17 * 4; n++) give(inbox, [n, n + 1])
  expect([inbox.drops, momentsOf(inbox, 0)]).toEqual([4, undefined])
  const all = Array.from({ length: 17 * 4 }, (_, n) => ({ at: n + 1, data: DATA }))
  inbox.asked(0, all.slice(0, 30), 4)
  expect(momentsOf(inbox, 30)).toBeUndefined()
  inbox.asked(30, all.slice(30), 4)
  expect(momentsOf(inbox, 68)).toBeUndefined()
  inbox.asked(68, [], 4)
  expect(momentsOf(inbox, 68)).toEqual([])
})

test('a message that was left out while the relay was asked is asked for again', () => {
  const inbox = followed(0)
  for (let n = 0; n < 17; n++) give(inbox, [n, n + 1])
  inbox.asked(0, [], 0)
  expect(momentsOf(inbox, 0)).toBeUndefined()
})
