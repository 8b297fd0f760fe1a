/**
 * The Tox node as a process of its own, child of the daemon: a native library that can crash or block must not take the keeper with it.
 * It keeps nothing on disk. The secret key comes first on stdin, then frames (protocol.ts); when stdin ends it ends.
 */
import { parseHex } from '../core/encoding/bytes.ts'
import { LiveError } from './errors.ts'
import { encodeFrame, FrameCutter } from './frame.ts'
import type { NodeEvents, ToxNode } from './libtoxcore.ts'
import { decodePacket, encodePacket } from './packet.ts'
import { BEAT_MS, checkOrder, SECRET_BYTES, type NodeOptions, type Order, type Report } from './protocol.ts'

/** For tests: the node's clock, so many times faster than real. Only a node that is kept to loopback heeds it. */
const CLOCK_RATE = Number(process.env['PERSONAD_LIVE_CLOCK_RATE'] ?? 1)
const FAST_MS = 2 // between two iterations under a faster clock

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function tell(report: Report): void {
  // Pipes are written at once on Linux: while the daemon does not read, this process waits, and heaps nothing up.
  process.stdout.write(encodeFrame(report))
}

const events: NodeEvents = {
  self: (connection) => tell({ type: 'self', connection }),
  friend: (key, connection) => tell({ type: 'friend', key, connection }),
  name: (key, text) => tell({ type: 'name', key, text: decoder.decode(text) }),
  status: (key, text) => tell({ type: 'status', key, text: decoder.decode(text) }),
  request: (key, text) => tell({ type: 'request', key, text: decoder.decode(text) }),
  packet: (key, bytes) => {
    const packet = decodePacket(bytes)
    if (packet === null) return
    tell({ type: 'packet', key, packet: packet.kind, text: packet.kind === 'status' ? packet.text : '' })
  },
}

async function start(options: NodeOptions, secretKey: Uint8Array): Promise<ToxNode> {
  let loaded: { version: string; node: ToxNode }
  try {
    const [{ confine }, tox] = await Promise.all([import('./child.ts'), import('./libtoxcore.ts')])
    confine()
    const clockRate = options.loopback ? CLOCK_RATE : 1
    loaded = { version: tox.version, node: new tox.ToxNode(options, secretKey, events, clockRate) }
    turn(loaded.node, clockRate)
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new LiveError('LIVE_LIBRARY_MISSING', 'the optional package koffi is not installed', { cause: error })
  } finally {
    secretKey.fill(0)
  }
  const { key, dhtKey, port } = loaded.node
  tell({ type: 'ready', key, dhtKey, port, version: loaded.version })
  setInterval(() => tell({ type: 'beat' }), BEAT_MS)
  return loaded.node
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
}

function turn(running: ToxNode, clockRate: number): void {
  try {
    running.iterate()
    setTimeout(turn, clockRate === 1 ? running.intervalMs : FAST_MS, running, clockRate)
  } catch (error) {
    fail(error)
  }
}

function obey(running: ToxNode, order: Order): void {
  switch (order.type) {
    case 'start':
      throw new LiveError('LIVE_FRAME_INVALID', 'a node is started once')
    case 'show':
      return running.show(order.text)
    case 'add': {
      const { key, request } = order
      const error = running.addFriend(key, request && { id: parseHex(request.toxId)!, text: request.text })
      if (error !== 0) tell({ type: 'refused', key, error })
      return
    }
    case 'send':
      return running.sendPacket(
        order.key,
        encodePacket(order.packet === 'support' ? { kind: 'support' } : { kind: 'status', text: order.text }),
      )
  }
}

function fail(error: unknown): void {
  const known = error instanceof LiveError ? error : new LiveError('LIVE_NODE_FAILED', 'the node failed')
  tell({ type: 'failed', code: known.code, message: known.message })
  process.exit(1)
}

/** Orders come one after the other, the secret key before them all. Returns the node when there are no more. */
async function listen(): Promise<ToxNode | null> {
  let node: ToxNode | null = null
  const secretKey = Buffer.alloc(SECRET_BYTES)
  const cutter = new FrameCutter()
  let got = 0
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    const taken = piece.copy(secretKey, got)
    got += taken
    piece.fill(0, 0, taken)
    for (const message of cutter.push(piece.subarray(taken))) {
      const order = checkOrder(message)
      if (node !== null) obey(node, order)
      else if (order.type === 'start') node = await start(order.options, secretKey)
      else throw new LiveError('LIVE_FRAME_INVALID', 'a node is started first')
    }
  }
  return node
}

// A Ctrl-C reaches every process of the terminal. The daemon ends this one when it ends itself, after its own last words.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
try {
  const node = await listen()
  node?.kill()
  process.exit(0)
} catch (error) {
  fail(error)
}
