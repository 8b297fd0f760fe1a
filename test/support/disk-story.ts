/** A story of one end of a channel with every kind of write, for the storage of daemons and of pages. */
import { close } from '../../src/channel/exchange/life.ts'
import type { Step } from '../../src/channel/exchange/channel.ts'
import { receive } from '../../src/channel/exchange/receive.ts'
import { flush, submit } from '../../src/channel/exchange/send.ts'
import type { ChannelEngine } from '../../src/channel/ratchet/engine.ts'
import { encodeUtf8, formatHex } from '../../src/core/encoding/bytes.ts'
import { EMPTY_DISK, End, seededEngine, startEnds, START_MS, written, type Disk } from './channel-ends.ts'

/** Stands in a content of each direction. */
export const CANARY = 'canary of the story'
const LARGE_BYTES = 30_000 // of three frames

/** The steps of the guest. They are the same at every run, and with every engine. */
export function diskStory(anyEngine: ChannelEngine): Step[] {
  const engine = seededEngine(anyEngine, 'story of a disk')
  const starts = startEnds(engine)
  const host = new End(starts.host)
  const guest = new End(starts.guest)
  const steps = [starts.guest]
  const take = (step: Step): void => {
    steps.push(step)
    guest.take(step)
  }
  const bringToHost = (): void => {
    for (const data of guest.takePosted()) host.take(receive(host.channel, data, false, START_MS, engine))
    host.take(flush(host.channel, START_MS, engine))
  }
  const bringToGuest = (data: readonly Uint8Array[]): void => {
    for (const each of data) take(receive(guest.channel, each, false, START_MS, engine))
    take(flush(guest.channel, START_MS, engine))
  }
  host.takePosted()
  take(submit(guest.channel, encodeUtf8(`${CANARY}: to the host`)))
  take(flush(guest.channel, START_MS, engine))
  bringToHost()
  bringToGuest(host.takePosted())
  for (const content of [encodeUtf8(CANARY), new Uint8Array(LARGE_BYTES), encodeUtf8('last')]) {
    host.take(submit(host.channel, content))
    host.take(flush(host.channel, START_MS, engine))
  }
  // The first one comes last, so the others wait for their turn.
  bringToGuest(host.takePosted().toReversed())
  take(submit(guest.channel, encodeUtf8('thanks')))
  take(flush(guest.channel, START_MS, engine))
  bringToHost()
  bringToGuest(host.takePosted())
  take(close(guest.channel, START_MS, engine))
  return steps
}

/** The disk after each step, by the model of the tests of channels. */
export function disksOf(steps: readonly Step[]): Disk[] {
  let disk = EMPTY_DISK
  return steps.map((step) => (disk = written(disk, step)))
}

/** All of a disk, a line each. */
export function linesOf({ state, frames, early, contents, parts }: Disk): string[] {
  const lines = (kind: string, records: ReadonlyMap<number, Uint8Array>): string[] =>
    [...records].toSorted(([a], [b]) => a - b).map(([number, bytes]) => `${kind} ${number} ${formatHex(bytes)}`)
  const joined = new Map([...parts].map(([number, each]) => [number, each.map(formatHex).join('')]))
  return [
    `state ${formatHex(state)}`,
    ...lines('frame', frames),
    ...lines('early', early),
    ...lines('content', contents),
    ...[...joined].toSorted(([a], [b]) => a - b).map(([number, hex]) => `parts ${number} ${hex}`),
  ]
}
