/**
 * A whole relay beside the least that could keep the same promise: a bare node:http handler with the same group commit, in turn. Sends and
 * reads over connections that stay open.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readSecretsFile } from '../src/store/secrets-file.ts'
import { makeHome, removeHome } from './daemon.ts'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'
import {
  Bodies,
  BOXES,
  load as loadOver,
  OPEN_CONFIG,
  RELAY,
  start,
  stop,
  type Load,
  type Running,
} from './relay-load.ts'

const CONNECTIONS = 64
const BARE = join(import.meta.dirname, 'relay-bare.ts')
const load = (to: Running, requests: number, body: () => string): Promise<Load> =>
  loadOver(to, requests, body, CONNECTIONS)

const KINDS = ['bare sends', 'sends', 'bare reads', 'receives'] as const
type Kind = (typeof KINDS)[number]

export async function benchRelayHttp(isQuick: boolean): Promise<Row[]> {
  const requests = BOXES // of a round: short rounds, since others use the machine too
  const home = makeHome()
  const config = join(home, 'relay.yaml')
  writeFileSync(config, OPEN_CONFIG)
  const bare = await start(BARE, [join(home, 'bare')])
  const relay = await start(RELAY, ['--dir', join(home, 'relay'), '--config', config])
  const loads: Record<Kind, Load[]> = { 'bare sends': [], sends: [], 'bare reads': [], receives: [] }
  try {
    const bodies = new Bodies((await readSecretsFile(join(home, 'relay', 'relay.key')))!)
    // Answers to questions from before its start are refused, and a question is asked at a full second.
    await delay(1000)
    // The first claim of each box is a write; later ones are not.
    await load(relay, BOXES, bodies.send)
    await load(relay, BOXES, bodies.drain)
    for (let round = 0; round < (isQuick ? 1 : 18); round++) {
      loads['bare sends'].push(await load(bare, requests, bodies.send))
      loads.sends.push(await load(relay, requests, bodies.send))
      loads['bare reads'].push(await load(bare, requests, bodies.receive))
      loads.receives.push(await load(relay, requests, bodies.receive))
      await load(relay, BOXES, bodies.drain)
    }
  } finally {
    await stop(relay)
    await stop(bare)
    removeHome(home)
  }
  const rate = medianOf(loads, ({ rate }) => rate)
  const p99 = medianOf(loads, ({ latenciesMs }) => quantile(latenciesMs, 0.99))
  const cpu = medianOf(loads, ({ cpuUs }) => cpuUs)
  const leastCpu = (kind: Kind): number => Math.min(...loads[kind].map(({ cpuUs }) => cpuUs))
  return (
    [
      ['sends', 'bare sends'],
      ['receives', 'bare reads'],
    ] as const
  ).flatMap(([kind, to]) => [
    {
      what: `relay: ${kind} over ${CONNECTIONS} connections`,
      figure: `${Math.round(rate(kind))} a second, p99 ${p99(kind).toFixed(1)} ms; ${formatRatio(rate(kind) / rate(to))} of ${to} (${Math.round(rate(to))} a second), p99 ${formatRatio(p99(kind) / p99(to))} times theirs`,
    },
    {
      what: `relay: CPU of ${kind}`,
      figure: `least ${formatUs(leastCpu(kind))}, ${formatRatio(leastCpu(to) / leastCpu(kind))} of ${to} (${formatUs(leastCpu(to))}); median ${formatUs(cpu(kind))}, ${formatRatio(cpu(to) / cpu(kind))} (${formatUs(cpu(to))})`,
    },
  ])
}

function medianOf(loads: Record<Kind, readonly Load[]>, figure: (load: Load) => number): (kind: Kind) => number {
  return (kind) => quantile(loads[kind].map(figure), 0.5)
}

if (import.meta.main)
  for (const { what, figure } of await benchRelayHttp(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
