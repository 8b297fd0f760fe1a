/** personad-net as it is installed: its start, its memory, and what a lookup costs, in a DHT of nodes in this process. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { makePackage } from '../bundle/package.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import type { NetSettings } from '../src/netnode/settings.ts'
import { DhtNet } from '../test/support/dht-net.ts'
import { cpuSec, residentMiB } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { NetRun } from './net-run.ts'
import { nodeStartMs } from './processes.ts'

const NODES = 30
const LOOKUPS_AN_HOUR = 1000 // contacts, each once an hour

async function localNodes(): Promise<{ settings: NetSettings; sockets: Socket[] }> {
  const net = new DhtNet()
  const sockets: Socket[] = []
  for (let i = 0; i < NODES; i++) {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    sockets.push(socket)
    const node = net.addNode({}, { host: '127.0.0.1', port: socket.address().port })
    socket.on('message', (packet, from) => socket.send(net.answer(node, packet), from.port, from.address))
  }
  const [{ host, port }] = [net.nodes[0]!]
  return { settings: { bootstrap: [{ host, port }], proxy: null, private: ['127.0.0.1'], ca: null }, sockets }
}

export async function benchNet(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const made = await makePackage()
  const { settings, sockets } = await localNodes()
  try {
    const startsMs: number[] = []
    for (let i = 0; i < (isQuick ? 1 : 5); i++) {
      const startedMs = performance.now()
      const run = await new NetRun(engine, made, settings).start()
      startsMs.push(performance.now() - startedMs)
      await run.net.stop()
    }
    const run = await new NetRun(engine, made, settings).start()
    const lookups = isQuick ? 20 : 500
    const [cpuBefore, bytes] = [cpuSec(run.pid), [] as number[]]
    for (let i = 1; i <= lookups; i++) bytes.push(await run.lookUp(i))
    const cpuMs = ((cpuSec(run.pid) - cpuBefore) * 1000) / lookups
    const memoryMiB = residentMiB(run.pid)
    await run.net.stop()
    const [startMs, bareMs] = [quantile(startsMs, 0.5), nodeStartMs()]
    const share = (cpuMs * LOOKUPS_AN_HOUR) / 3_600_000
    return [
      {
        what: 'personad-net: start to first answer',
        figure: `${Math.round(startMs)} ms; ${formatRatio(startMs / bareMs)} times "node -e 0" (${Math.round(bareMs)} ms)`,
      },
      { what: `personad-net: resident after ${lookups} lookups`, figure: `${Math.round(memoryMiB)} MiB` },
      {
        what: `personad-net: a lookup among ${NODES} nodes`,
        figure: `${cpuMs.toFixed(1)} ms of CPU, ${Math.round(quantile(bytes, 0.5))} bytes`,
      },
      { what: 'personad-net: 1000 contacts, each once an hour', figure: `${(share * 100).toFixed(2)} % of a core` },
    ]
  } finally {
    for (const socket of sockets) socket.close()
    made.remove()
  }
}
