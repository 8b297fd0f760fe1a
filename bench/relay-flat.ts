/** Whether a box costs the same among few boxes and among many: one call of the store, and a whole request. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'
import { CALLERS, check, commitBare, rateOf, readBare, receive, send, settle, type Filled } from './relay-filled.ts'
import { boxId } from './relay-limits.ts'
import { load, OPEN_CONFIG, RELAY, start, stop, type Running } from './relay-load.ts'

/** Time of the CPU for one call with few and with many boxes, in turn. Beside it, that of bare records, of which LevelDB has as many. */
export async function flatCalls(few: Filled, many: Filled, calls: number, rounds: number): Promise<Row[]> {
  const rows: Row[] = []
  const fewBoxes = Array.from({ length: few.boxes }, (_, n) => n)
  for (const [what, call] of [
    ['a send', send],
    ['a check', check],
    ['a receive', receive],
    ['a bare commit', commitBare],
    ['a bare read', readBare],
  ] as const) {
    const us: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      // Else the boxes of the few would hold more than those of the many after sends, and less after they were drained.
      await settle(few.store, fewBoxes)
      for (const [i, filled] of [few, many].entries())
        us[i]!.push(await cpuUs(calls, (n) => call(filled, round * calls + n)))
    }
    rows.push(flatRow(`relay store: CPU of ${what}`, few, many, us))
  }
  return rows
}

async function cpuUs(calls: number, call: (n: number) => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await rateOf(calls, call)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

function flatRow(what: string, few: Filled, many: Filled, us: readonly [number[], number[]]): Row {
  const [a, b] = us.map((times) => quantile(times, 0.5)) as [number, number]
  const figure = `${formatUs(a)}, ${formatUs(b)}: ${formatRatio(b / a)} times`
  return { what: `${what}, ${few.boxes} and ${many.boxes} boxes`, figure }
}

/** Time of the CPU for a check over HTTP, in turn. Their stores are closed. The many boxes are each read from the disk: no request asks for one twice. */
export async function flatRequests(few: Filled, many: Filled, requests: number, rounds: number): Promise<Row> {
  const us: [number[], number[]] = [[], []]
  const relays: Running[] = []
  try {
    for (const { home } of [few, many]) {
      const config = join(home, 'relay.yaml')
      writeFileSync(config, OPEN_CONFIG)
      relays.push(await start(RELAY, ['--dir', join(home, 'relay'), '--config', config]))
    }
    let n = 0
    for (let round = 0; round < rounds; round++)
      for (const [i, { boxes }] of [few, many].entries()) {
        const body = (): string =>
          JSON.stringify({ pub: boxId((n++ * 7919) % boxes), action: 'check', at: Number.MAX_SAFE_INTEGER })
        us[i]!.push((await load(relays[i]!, requests, body, CALLERS)).cpuUs)
      }
  } finally {
    for (const relay of relays) await stop(relay)
  }
  return flatRow('relay: CPU of a check over HTTP', few, many, us)
}
