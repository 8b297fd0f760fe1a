/** The cost of a send to a relay through personad-net, beside the same send by the fetch of Node in this process, in turn. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePackage } from '../bundle/package.ts'
import { formatBase64url } from '../src/core/encoding/bytes.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { cpuSec, makeHome, removeHome, residentMiB } from './daemon.ts'
import { formatRatio, quantile, timedMs, type Row } from './measure.ts'
import { NetRun } from './net-run.ts'
import { OPEN_CONFIG, RELAY, start, stop } from './relay-load.ts'

const BOXES = 64 // so that no box is full
const DATA = 'x'.repeat(1172) // a frame of 880 bytes
const AT_ONCE = 16 // as many as a channel that catches up has on their way

type Send = (number: number) => Promise<void>

export async function benchNetWeb(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const [made, home] = [await makePackage(), makeHome()]
  const config = join(home, 'relay.yaml')
  writeFileSync(config, OPEN_CONFIG, { mode: 0o600 })
  const relay = await start(RELAY, ['--dir', join(home, 'relay'), '--config', config])
  const run = new NetRun(engine, made, {
    bootstrap: [],
    proxy: null,
    private: ['127.0.0.1'],
    ca: null,
  })
  try {
    run.net.start()
    const url = `http://127.0.0.1:${relay.port}/`
    const through: Send = async (number) => await take(await run.net.fetch(url, request(number)))
    const direct: Send = async (number) => await take(await fetch(url, request(number)))
    const [rounds, sends] = isQuick ? [2, 100] : [10, 500]
    for (const send of [direct, through]) for (let i = 0; i < sends; i++) await send(i)
    const cpuBefore = cpuSec(run.pid)
    const times = { direct: [] as number[], through: [] as number[] }
    const burstMs = { direct: [] as number[], through: [] as number[] }
    for (let round = 0; round < rounds; round++)
      for (const [name, send] of [
        ['direct', direct],
        ['through', through],
      ] as const) {
        for (let i = 0; i < sends; i++) times[name].push(await timedMs(() => send(i)))
        burstMs[name].push((await timedMs(() => burst(send, sends))) / sends)
      }
    const cpuMs = ((cpuSec(run.pid) - cpuBefore) * 1000) / (2 * rounds * sends)
    const figure = (of: { direct: number[]; through: number[] }): string => {
      const [alone, ours] = [quantile(of.direct, 0.5), quantile(of.through, 0.5)]
      return `${ours.toFixed(2)} ms, ${formatRatio(ours / alone)} times fetch (${alone.toFixed(2)} ms)`
    }
    return [
      { what: 'personad-net: a send to a relay, one by one', figure: `p50 ${figure(times)}` },
      { what: `personad-net: a send to a relay, ${AT_ONCE} at once`, figure: figure(burstMs) },
      { what: 'personad-net: a send to a relay, CPU', figure: `${cpuMs.toFixed(2)} ms` },
      {
        what: `personad-net: resident after ${sends * (2 * rounds + 1)} sends`,
        figure: `${Math.round(residentMiB(run.pid))} MiB (asked: at most 60)`,
      },
    ]
  } finally {
    await run.net.stop()
    await stop(relay)
    removeHome(home)
    made.remove()
  }
}

/** The same data again renews its hour, and each is written to the disk. */
function request(number: number): { method: 'POST'; body: string } {
  const pub = formatBase64url(new Uint8Array(32).fill(9).with(0, number % BOXES))
  return { method: 'POST', body: JSON.stringify({ pub, ext: null, action: 'send', data: DATA }) }
}

async function take({ body }: { readonly body: ReadableStream<Uint8Array> | null }): Promise<void> {
  const parts: Uint8Array[] = []
  for await (const part of body!) parts.push(part)
  const answer = Buffer.concat(parts).toString().trim()
  if (answer !== '{"ok":true}') throw new Error(`the relay answered ${answer}`)
}

async function burst(send: Send, count: number): Promise<void> {
  let next = 0
  const one = async (): Promise<void> => {
    while (next < count) await send(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}
