/** A writer whose network loses what lies in its ring, or is away for a while. */
import { expect, it } from 'vitest'
import { RecordCarrier } from '../../../../src/channel/carriers/records/record-carrier.ts'
import { frame, TestEnd } from '../../../support/carrier-places.ts'
import { codeOf } from '../../../support/code-of.ts'
import { HandClock } from '../../../support/hand-clock.ts'
import { MemoryRecordEngine, MemoryRecords } from '../../../support/memory-records.ts'
import { engine } from '../../../support/person.ts'

interface Story {
  readonly records: MemoryRecords
  readonly alice: TestEnd
  readonly bob: TestEnd
  /** Alice looks at the ring of Bob. @returns how often she has heard by now that she is to leave everything again */
  readonly look: () => Promise<number>
  readonly loseRingOf: (end: TestEnd) => void
}

/** Alice has read what Bob has sent, over a network that wakes nobody. */
async function begin(): Promise<Story> {
  const records = new MemoryRecords()
  const start = (): RecordCarrier =>
    new RecordCarrier({ records: new MemoryRecordEngine(records, engine, 'minutes'), engine, clock: new HandClock() })
  const [alice, bob] = [await TestEnd.at({ at: 'memory', start }), await TestEnd.at({ at: 'memory', start })]
  await bob.send(alice, frame(100))
  const { cursor } = await alice.readAll(bob)
  const heard: string[] = []
  alice.carrier.watch(
    () => [{ line: alice.lineTo(bob), own: alice.intake }],
    () => {},
    new AbortController().signal,
    (lineId) => heard.push(lineId),
  )
  const look = async (): Promise<number> => {
    await alice.receive(bob, cursor)
    expect(new Set([...heard, alice.lineTo(bob).id]).size).toBe(1)
    return heard.length
  }
  const loseRingOf = ({ intake: { url } }: TestEnd): void => {
    for (const key of records.slots.keys()) if (key.startsWith(`${url} `)) records.slots.delete(key)
  }
  return { records, alice, bob, look, loseRingOf }
}

it('a writer hears that its ring is lost while the peer has not read all, puts the header again, and its data then comes once', async () => {
  const { alice, bob, look, loseRingOf } = await begin()
  await alice.send(bob, frame(1))
  expect(await look()).toBe(0)
  loseRingOf(alice)
  expect(await look()).toBe(1)
  expect(await look()).toBe(1)
  await alice.send(bob, frame(1))
  const { data, cursor } = await bob.readAll(alice)
  expect(data).toEqual([frame(1)])
  await alice.send(bob, frame(2))
  expect((await bob.readAll(alice, cursor)).data).toEqual([frame(2)])
})

it('a writer whose peer has read all hears nothing when its ring is lost', async () => {
  const { alice, bob, look, loseRingOf } = await begin()
  await alice.send(bob, frame(1))
  await bob.readAll(alice)
  loseRingOf(alice)
  expect(await look()).toBe(0)
})

it('a writer hears once that its network was away', async () => {
  const { records, look } = await begin()
  records.isAway = true
  for (let n = 0; n < 2; n++) expect(await codeOf(look())).toBe('CARRIER_AWAY')
  records.isAway = false
  expect(await look()).toBe(1)
  expect(await look()).toBe(1)
})
