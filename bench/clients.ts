/**
 * Lookups by 1, 16 and 64 clients at once, each of which waits for its answer, in turn with ssh-agent that lists one key, and with two bare
 * servers that give the same reply.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatRequest } from '../src/ipc/wire/rpc.ts'
import { cpuSec, makeHome, removeHome, type RunningDaemon } from './daemon.ts'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'
import { shareProcessor } from './socket.ts'

const FORM_FEED = 12
const WAIT_MS = 10
/** A request for the list of keys: its length, and SSH_AGENTC_REQUEST_IDENTITIES. */
const LIST_KEYS = Buffer.from([0, 0, 0, 1, 11])

interface Peer {
  readonly name: string
  readonly path: string
  readonly pid: number
  readonly request: string | Buffer
  /** Whether bytes that came end with the end of an answer. */
  readonly isWhole: (chunk: Buffer, before: number) => boolean
}

interface Turn {
  readonly perSec: number
  /** CPU of the server for one answer. */
  readonly cpuUs: number
}

const endsFrame = (chunk: Buffer): boolean => chunk.at(-1) === FORM_FEED

async function open(path: string): Promise<Socket> {
  const socket = createConnection(path)
  await once(socket, 'connect')
  return socket
}

/** Each client sends its next request once it has an answer. */
async function turnOf(peer: Peer, clients: number, ms: number): Promise<Turn> {
  const sockets = await Promise.all(Array.from({ length: clients }, async () => await open(peer.path)))
  const before = cpuSec(peer.pid)
  const started = performance.now()
  const endsAt = started + ms
  let answers = 0
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((done) => {
          let bytes = 0
          socket.on('data', (chunk: Buffer) => {
            const isWhole = peer.isWhole(chunk, bytes)
            bytes = isWhole ? 0 : bytes + chunk.length
            if (!isWhole) return
            answers++
            if (performance.now() < endsAt) socket.write(peer.request)
            else done()
          })
          socket.write(peer.request)
        }),
    ),
  )
  const tookMs = performance.now() - started
  const usedSec = cpuSec(peer.pid) - before
  for (const socket of sockets) socket.destroy()
  return { perSec: (answers * 1000) / tookMs, cpuUs: (usedSec * 1e6) / answers }
}

async function bareServer(
  kind: 'node-ipc' | 'net',
  home: string,
  reply: string,
  children: ChildProcess[],
): Promise<Peer> {
  const path = join(home, `${kind}.sock`)
  const child = spawn(process.execPath, [join(import.meta.dirname, 'reply-server.ts'), path, reply, kind])
  children.push(child)
  await once(child.stdout, 'data')
  const name = kind === 'net' ? 'bare node' : 'bare node-ipc'
  return { name, path, pid: child.pid!, request: '', isWhole: endsFrame }
}

/** ssh-agent with one key; null where there is none. */
async function sshAgent(home: string, children: ChildProcess[]): Promise<Peer | null> {
  if (spawnSync('ssh-add', ['-?']).error !== undefined) return null
  const [path, key] = [join(home, 'agent.sock'), join(home, 'key')]
  const child = spawn('ssh-agent', ['-D', '-a', path], { stdio: 'ignore' })
  children.push(child)
  while (!existsSync(path)) await sleep(WAIT_MS)
  spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  spawnSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: path } })
  const socket = await open(path)
  socket.write(LIST_KEYS)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  const isWhole = (chunk: Buffer, before: number): boolean => before + chunk.length === answer.length
  return { name: 'ssh-agent', path, pid: child.pid!, request: LIST_KEYS, isWhole }
}

/** @param query the key of a known device */
export async function benchClients(daemon: RunningDaemon, query: string, isQuick: boolean): Promise<Row[]> {
  const home = makeHome()
  const children: ChildProcess[] = []
  const request = formatRequest(1, 'lookup', { query })
  try {
    const reply = JSON.stringify({ jsonrpc: '2.0', id: 1, result: await daemon.admin.call('lookup', { query }) })
    const ours: Peer = { name: 'lookup', path: daemon.appSocket, pid: daemon.process.pid!, request, isWhole: endsFrame }
    const bare = [await bareServer('node-ipc', home, reply, children), await bareServer('net', home, reply, children)]
    const agent = await sshAgent(home, children)
    const peers = [ours, ...bare.map((peer) => ({ ...peer, request })), ...(agent === null ? [] : [agent])]
    const rows: Row[] = []
    for (const clients of [1, 16, 64]) rows.push(await compare(peers, clients, isQuick))
    return rows
  } finally {
    for (const child of children) child.kill('SIGKILL')
    removeHome(home)
  }
}

/** One client shares a processor with all servers, since its time is otherwise that of waking another one. */
async function compare(peers: readonly Peer[], clients: number, isQuick: boolean): Promise<Row> {
  const [rounds, ms] = isQuick ? [2, 200] : [9, 1000]
  const release = clients === 1 ? shareProcessor([process.pid, ...peers.map(({ pid }) => pid)]) : null
  const turns = peers.map((): Turn[] => [])
  // The first round warms all up.
  for (let round = 0; round <= rounds; round++)
    for (const [i, peer] of peers.entries()) {
      const turn = await turnOf(peer, clients, ms)
      if (round > 0) turns[i]!.push(turn)
    }
  release?.()
  const medians = turns.map((of) => ({
    perSec: quantile(
      of.map(({ perSec }) => perSec),
      0.5,
    ),
    cpuUs: quantile(
      of.map(({ cpuUs }) => cpuUs),
      0.5,
    ),
  }))
  const [ours, ...others] = medians
  const against = others.map(({ perSec, cpuUs }, i) => {
    const rate = `${Math.round(perSec / 1000)} 000, ${formatUs(cpuUs)} of CPU`
    return `${formatRatio(ours!.perSec / perSec)} of ${peers[i + 1]!.name} (${rate})`
  })
  const figure = `${Math.round(ours!.perSec / 1000)} 000 a second, ${formatUs(ours!.cpuUs)} of CPU; ${against.join('; ')}`
  return { what: `lookup, clients at once: ${clients}`, figure }
}
