/** A whole channel over records: invite, handshake and contents, with nothing but slots in between. */
import { setImmediate } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import type { Watch } from '../../../../src/channel/carriers/carrier.ts'
import { RecordCarrier } from '../../../../src/channel/carriers/records/record-carrier.ts'
import type { Ways } from '../../../../src/daemon/channels/ends/means.ts'
import { systemClock } from '../../../../src/process/pulse.ts'
import { ChannelDaemon } from '../../../support/channel-daemon.ts'
import { MemoryRecordEngine, MemoryRecords } from '../../../support/memory-records.ts'
import { engine } from '../../../support/person.ts'
import { waysBy } from '../../../support/record-ways.ts'

const CONTENTS = 40 // more than two rings
const RETRY_MS = 10_000

/** @param expected gets the lines for which somebody waits */
function waysOver(records: MemoryRecords, expected: string[] = []): Ways {
  const carrier = new RecordCarrier({ records: new MemoryRecordEngine(records, engine), engine, clock: systemClock })
  const begin = carrier.watch.bind(carrier)
  carrier.watch = (...all): Watch => {
    const watch = begin(...all)
    return { changed: () => watch.changed(), expect: (lineId) => expected.push(lineId) }
  }
  return waysBy(carrier)
}

/** Lets both daemons work until the question has an answer. A full ring is tried again after a while. */
async function workUntil(daemons: readonly ChannelDaemon[], isDone: () => Promise<boolean>): Promise<void> {
  while (!(await isDone())) {
    await setImmediate()
    for (const daemon of daemons) await daemon.idle()
    for (const daemon of daemons) daemon.clock.turn(RETRY_MS)
  }
}

it('contents go both ways over records, each read once, in order', async () => {
  const records = new MemoryRecords()
  const expected: string[] = []
  const daemons = [
    await ChannelDaemon.open(waysOver(records)),
    await ChannelDaemon.open(waysOver(records, expected)),
  ] as const
  for (const daemon of daemons) onTestFinished(async () => await daemon.runner.close())
  const [host, guest] = daemons
  const { invite } = await host.call('channel.invite', { name: 'Bob', over: [] })
  const { id } = await guest.call('channel.accept', { invite, name: 'Alice', over: [] })
  const hostId = async (): Promise<string> => (await host.call('channel.list', {})).channels[0]?.id ?? ''
  await workUntil(daemons, async () => (await hostId()) !== '')
  const ids = [await hostId(), id] as const
  await workUntil(daemons, async () => (await guest.call('channel.show', { id })).state === 'open')
  const texts = Array.from({ length: CONTENTS }, (_, i) => `content ${i}`)
  for (const [i, daemon] of daemons.entries())
    for (const text of texts) await daemon.call('channel.send', { id: ids[i]!, text })
  for (const [i, daemon] of daemons.entries()) {
    await workUntil(daemons, async () => (await daemon.call('channel.show', { id: ids[i]! })).unread >= CONTENTS)
    expect(await daemon.texts(ids[i]!)).toEqual(texts)
  }
  // Somebody who lists everything waits for nothing; an app that asks after its channels does.
  await guest.call('channel.list', {})
  expect(expected).toEqual([])
  await guest.call('channel.list', { app: 'chat' })
  expect(expected).toEqual([id])
})
