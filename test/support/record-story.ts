/** Two ends that meet and talk over records, as they do in any network that keeps some. */
import { expect } from 'vitest'
import { RecordCarrier } from '../../src/channel/carriers/records/record-carrier.ts'
import { RING_SLOTS } from '../../src/channel/carriers/records/ring-header.ts'
import { systemClock } from '../../src/process/pulse.ts'
import type { RecordEngine } from '../../src/record/record-engine.ts'
import { firstMessage, frame, TestEnd } from './carrier-places.ts'
import { engine } from './person.ts'

const FRAMES: number = RING_SLOTS + 2

async function endOver(records: RecordEngine): Promise<TestEnd> {
  const start = (): RecordCarrier => new RecordCarrier({ records, engine, clock: systemClock })
  return await TestEnd.at({ at: 'records', start })
}

/** A first message, more frames than a ring holds, a large one, an answer, and an end that starts anew. */
export async function meetAndTalk(hosts: RecordEngine, guests: RecordEngine): Promise<void> {
  const [host, guest] = [await endOver(hosts), await endOver(guests)]
  await guest.send(host, firstMessage(1))
  expect((await host.readAll(null)).data).toEqual([firstMessage(1)])
  const sent = Array.from({ length: FRAMES }, (_, i) => frame(i + 1, i === 0 ? 12_000 : 256))
  await host.send(guest, ...sent.slice(0, RING_SLOTS))
  const first = await guest.readAll(host)
  expect(first.data).toEqual(sent.slice(0, RING_SLOTS))
  host.restart()
  await host.send(guest, ...sent.slice(RING_SLOTS))
  expect((await guest.readAll(host, first.cursor)).data).toEqual(sent.slice(RING_SLOTS))
  await guest.send(host, frame(100))
  expect((await host.readAll(guest)).data).toEqual([frame(100)])
  await host.carrier.retire(host.lineTo(guest), host.intake)
  expect(await guest.send(host, frame(101))).toBe('used')
}
