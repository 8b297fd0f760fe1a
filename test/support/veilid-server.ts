/**
 * Runs the stand-in for veilid-server: node test/support/veilid-server.ts [--nodes N] [--ipc DIRECTORY | --port PORT] [--max-delay-ms N]. Node n
 * listens at DIRECTORY/n, or at PORT + n; without either, in a new directory below the one for temporary files. Answers come within the delay, in
 * any order. It prints where it listens, one line for each node, and runs until its input ends.
 */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { VeilidNetwork } from './veilid/network.ts'
import { VeilidServer } from './veilid/server.ts'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1' },
    ipc: { type: 'string' },
    port: { type: 'string' },
    'max-delay-ms': { type: 'string', default: '0' },
  },
})
const maxDelayMs = Number(values['max-delay-ms'])
const network = new VeilidNetwork()
const directory = values.port === undefined ? (values.ipc ?? mkdtempSync(join(tmpdir(), 'veilid-'))) : null
if (directory !== null) mkdirSync(directory, { recursive: true })
for (let n = 0; n < Number(values.nodes); n++) {
  const at = directory === null ? Number(values.port) + n : join(directory, String(n))
  const server = new VeilidServer(network, at)
  if (maxDelayMs > 0) server.manners.beforeAnswer = async () => await delay(Math.random() * maxDelayMs)
  await server.start()
  console.log(at)
}
process.stdin.resume().on('end', () => process.exit(0))
