/**
 * The Tox node, a child process of the daemon: a native library that can crash or block must not take the daemon
 * down. It stores nothing on disk. It reads the secret key from stdin, then frames (protocol.ts), and ends when stdin
 * ends.
 */
import { parseHex } from '../core/encoding/bytes.ts'
import { encodeFrame, FrameCutter, FrameError } from '../process/frame.ts'
import { BEAT_MS, checkFrame } from '../process/protocol.ts'
import { LiveError, liveFrameError } from './errors.ts'
import { FriendLimits, RequestLimit } from './limits.ts'
import type { NodeEvents, ToxNode } from './libtoxcore.ts'
import { decodePacket, encodePacket } from './packet.ts'
import { SECRET_BYTES, TOX_PROTOCOL, type NodeOptions, type Order, type Report } from './protocol.ts'

/**
 * For tests: how many times faster than real time the node's clock runs. Ignored unless the node is kept on loopback.
 */
const CLOCK_RATE = Number(process.env['PERSONAD_LIVE_CLOCK_RATE'] ?? 1)
const FAST_MS = 2 // pause between two iterations under a faster clock

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function report(message: Report): void {
  // On Linux, writes to a pipe are synchronous: while the daemon does not read, we wait and buffer nothing.
  process.stdout.write(encodeFrame(message, TOX_PROTOCOL.limits))
}

const nowMs = (): number => performance.now()
const friends = new FriendLimits(report, nowMs)
const requests = new RequestLimit(nowMs)

const events: NodeEvents = {
  self: (connection) => report({ type: 'self', connection }),
  friend: (key, connection) => friends.push({ type: 'friend', key, connection }),
  name: (key, text) => friends.push({ type: 'name', key, text: decoder.decode(text) }),
  status: (key, text) => friends.push({ type: 'status', key, text: decoder.decode(text) }),
  request: (key, text) => {
    if (requests.admits()) report({ type: 'request', key, text: decoder.decode(text) })
  },
  packet: (key, bytes) => {
    const packet = decodePacket(bytes)
    if (packet === null) return
    friends.push({ type: 'packet', key, packet: packet.kind, text: packet.kind === 'status' ? packet.text : '' })
  },
}

async function start(options: NodeOptions, secretKey: Uint8Array): Promise<ToxNode> {
  let loaded: { version: string; node: ToxNode }
  try {
    const [{ confine }, tox] = await Promise.all([import('./child.ts'), import('./libtoxcore.ts')])
    confine()
    const clockRate = options.loopback ? CLOCK_RATE : 1
    loaded = { version: tox.version, node: new tox.ToxNode(options, secretKey, events, clockRate) }
    iterate(loaded.node, clockRate)
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new LiveError('LIVE_LIBRARY_MISSING', 'the optional package koffi is not installed: install it', {
      cause: error,
    })
  } finally {
    secretKey.fill(0)
  }
  const { key, dhtKey, port } = loaded.node
  report({ type: 'ready', key, dhtKey, port, version: loaded.version })
  setInterval(() => {
    report({ type: 'beat' })
    friends.release()
  }, BEAT_MS)
  return loaded.node
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
}

function iterate(running: ToxNode, clockRate: number): void {
  try {
    running.iterate()
    setTimeout(iterate, clockRate === 1 ? running.intervalMs : FAST_MS, running, clockRate)
  } catch (error) {
    fail(error)
  }
}

function carryOut(running: ToxNode, order: Order): void {
  switch (order.type) {
    case 'start':
      throw new LiveError('LIVE_FRAME_INVALID', 'the node has already started')
    case 'show':
      return running.show(order.text)
    case 'add': {
      const { key, request } = order
      const error = running.addFriend(key, request && { id: parseHex(request.toxId)!, text: request.text })
      if (error !== 0) report({ type: 'refused', key, error })
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
  const own = error instanceof FrameError ? liveFrameError(error) : error
  const known = own instanceof LiveError ? own : new LiveError('LIVE_NODE_FAILED', 'the node failed')
  report({ type: 'failed', code: known.code, message: known.message })
  process.exit(1)
}

/** Reads the secret key, then carries out orders one by one. Returns the node once stdin ends. */
async function listen(): Promise<ToxNode | null> {
  let node: ToxNode | null = null
  const secretKey = Buffer.alloc(SECRET_BYTES)
  const cutter = new FrameCutter(TOX_PROTOCOL.limits)
  let got = 0
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    const taken = piece.copy(secretKey, got)
    got += taken
    piece.fill(0, 0, taken)
    for (const frame of cutter.push(piece.subarray(taken))) {
      const { message: order } = checkFrame(TOX_PROTOCOL.orders, frame)
      if (node !== null) carryOut(node, order)
      else if (order.type === 'start') node = await start(order.options, secretKey)
      else throw new LiveError('LIVE_FRAME_INVALID', 'the first message must start the node')
    }
  }
  return node
}

// Ctrl-C reaches every process of the terminal. Ignore it here: the daemon ends this process, after its own last
// messages.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
try {
  const node = await listen()
  node?.kill()
  process.exit(0)
} catch (error) {
  fail(error)
}
