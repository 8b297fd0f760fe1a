/**
 * A program: honest clients that look up a known device now and then. Their calls before `begin` are not counted: one that had nothing to do would be idle,
 * and its place could go to somebody else. Prints JSON: calls, failures, and the 99th percentile in ms.
 */
import { connect, type Client } from '../../src/ipc/client.ts'
import { quantile } from '../measure.ts'

const PAUSE_MS = 10 // sanity: between two calls of one client, as an app that shows a list of friends

const [, , path = '', known = '', count = '', durationMs = ''] = process.argv
const times: number[] = []
const failures: string[] = []
let isCounted = false
let untilMs = Infinity

async function behave(client: Client): Promise<void> {
  while (performance.now() < untilMs) {
    const started = performance.now()
    try {
      const { by } = await client.call('lookup', { query: known })
      if (by !== 'device') failures.push('a wrong answer')
    } catch (error) {
      failures.push(String(error))
      return
    }
    if (isCounted) times.push(performance.now() - started)
    await new Promise((done) => setTimeout(done, PAUSE_MS))
  }
}

const clients = await Promise.all(Array.from({ length: Number(count) }, () => connect({ socketPath: path })))
console.log('connected')
const all = Promise.all(clients.map(behave))
await new Promise((begin) => process.stdin.once('data', begin))
isCounted = true
untilMs = performance.now() + Number(durationMs)
await all
console.log(JSON.stringify({ calls: times.length, failures, p99Ms: quantile(times, 0.99) }))
process.exit(0)
