/** A small method table for tests, its server in a temporary directory, and a client that sends any bytes. */
import { mkdtempSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import * as z from 'zod'
import { connect, type Client } from '../../src/ipc/client.ts'
import { FrameReader, type Frame } from '../../src/ipc/wire/frame.ts'
import type { Caller, Handlers, MethodSpec } from '../../src/ipc/methods/method.ts'
import { RpcError } from '../../src/ipc/wire/rpc.ts'
import { serve, type IpcServer, type ServeOptions } from '../../src/ipc/server/server.ts'
import { removeTree } from './remove-tree.ts'

export interface TestMethods {
  echo: MethodSpec<{ text: string }, { text: string }>
  list: MethodSpec<{ devices: { name: string }[] }, { count: number }>
  anything: MethodSpec<{ value?: unknown }, unknown>
  wait: MethodSpec<{ n: number }, { n: number }>
  throw: MethodSpec<Record<string, never>, null>
  reject: MethodSpec<Record<string, never>, null>
  refuse: MethodSpec<Record<string, never>, null>
  big: MethodSpec<{ bytes: number }, string>
  unsayable: MethodSpec<Record<string, never>, unknown>
  erase: MethodSpec<Record<string, never>, null>
  subscribe: MethodSpec<{ events?: string[] }, { events: string[] }>
  unsubscribe: MethodSpec<Record<string, never>, Record<string, never>>
}

const none = z.strictObject({})

export const METHODS: TestMethods = {
  echo: {
    permission: 'read',
    summary: '',
    params: z.strictObject({ text: z.string() }),
    result: z.object({ text: z.string() }),
  },
  list: {
    permission: 'read',
    summary: '',
    params: z.strictObject({ devices: z.array(z.strictObject({ name: z.string() })).max(256) }),
    result: z.object({ count: z.number() }),
  },
  anything: {
    permission: 'read',
    summary: '',
    params: z.strictObject({ value: z.unknown().optional() }),
    result: z.unknown(),
  },
  wait: {
    permission: 'read',
    summary: '',
    params: z.strictObject({ n: z.int() }),
    result: z.object({ n: z.number() }),
  },
  throw: { permission: 'read', summary: '', params: none, result: z.null() },
  reject: { permission: 'read', summary: '', params: none, result: z.null() },
  refuse: { permission: 'read', summary: '', params: none, result: z.null() },
  big: { permission: 'read', summary: '', params: z.strictObject({ bytes: z.int() }), result: z.string() },
  unsayable: { permission: 'read', summary: '', params: none, result: z.unknown() },
  erase: { permission: 'admin', summary: '', params: none, result: z.null() },
  subscribe: {
    permission: 'read',
    summary: '',
    params: z.strictObject({ events: z.array(z.string()).max(256).exactOptional() }),
    result: z.object({ events: z.array(z.string()) }),
  },
  unsubscribe: { permission: 'read', summary: '', params: none, result: none },
}

/** Holds calls of `wait` until it is opened, and counts how many waited at once. */
export class Gate {
  running = 0
  mostRunning = 0
  #isOpen = false
  #waiting: (() => void)[] = []

  async pass(): Promise<void> {
    this.running++
    this.mostRunning = Math.max(this.mostRunning, this.running)
    await new Promise<void>((resolve) => (this.#isOpen ? setImmediate(resolve) : this.#waiting.push(resolve)))
    this.running--
  }

  open(): void {
    this.#isOpen = true
    for (const resolve of this.#waiting) resolve()
    this.#waiting = []
  }
}

export function testHandlers(gate: Gate = new Gate()): Handlers<TestMethods> {
  return {
    echo: ({ text }) => ({ text }),
    list: ({ devices }) => ({ count: devices.length }),
    anything: ({ value }) => value,
    wait: async ({ n }) => {
      await gate.pass()
      return { n }
    },
    throw: () => {
      throw new TypeError('the secret is 1234')
    },
    reject: () => Promise.reject(new TypeError('the secret is 1234')),
    refuse: () => {
      throw new RpcError('DEVICE_UNKNOWN', 'there is no such device', { hint: 'look', details: { bytesOver: 3 } })
    },
    big: ({ bytes }) => 'x'.repeat(bytes),
    unsayable: () => 1n,
    erase: () => null,
    subscribe: ({ events = ['tick', 'tock'] }, caller: Caller) => {
      caller.subscribe(events)
      return { events }
    },
    unsubscribe: (_params, caller) => {
      caller.unsubscribe()
      return {}
    },
  }
}

/** A directory of mode 0700, removed after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'personad-ipc-'))
  onTestFinished(() => removeTree(directory))
  return directory
}

export async function startServer(options: Partial<ServeOptions<TestMethods>> = {}): Promise<IpcServer> {
  const server = await serve({
    socketPath: join(temporaryDirectory(), 'app.sock'),
    role: 'app',
    methods: METHODS,
    handlers: testHandlers(),
    ...options,
  })
  onTestFinished(() => server.close())
  return server
}

export interface TestEvent {
  readonly event: 'tick' | 'tock'
  readonly n: number
}

export async function openClient(server: IpcServer, timeoutMs = 10_000): Promise<Client<TestMethods, TestEvent>> {
  const client = await connect<TestMethods, TestEvent>({ socketPath: server.socketPath, timeoutMs })
  onTestFinished(() => client.close())
  return client
}

/** A client that ignores the protocol. */
export class RawClient {
  readonly socket: Socket
  readonly frames: Frame[] = []
  readonly closed: Promise<void>
  #isClosed = false
  #wake: () => void = () => {}

  constructor(server: IpcServer) {
    this.socket = connectSocket({ path: server.socketPath, allowHalfOpen: true })
    onTestFinished(() => void this.socket.destroy())
    const reader = new FrameReader()
    this.socket.setEncoding('latin1')
    this.socket.on('data', (chunk: string) => {
      reader.push(chunk)
      for (let frame = reader.next(); frame !== null; frame = reader.next()) this.frames.push(frame)
      this.#wake()
    })
    // Cut the connection while it is still writing: some tests need that.
    this.socket.on('error', () => {})
    // The server can only close its own half.
    this.closed = new Promise((resolve) => {
      const close = (): void => {
        this.#isClosed = true
        this.#wake()
        resolve()
      }
      this.socket.on('end', close)
      this.socket.on('close', close)
    })
  }

  call(id: unknown, method: string, params: unknown): void {
    this.socket.write(`${JSON.stringify({ type: 'rpc', data: { jsonrpc: '2.0', id, method, params } })}\f`)
  }

  /** Waits until so many frames arrived. */
  async received(count: number): Promise<Frame[]> {
    while (this.frames.length < count) {
      if (this.#isClosed) throw new Error(`closed after ${this.frames.length} of ${count} frames`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.frames
  }

  /** The error code of the last answer. */
  lastCode(): string | undefined {
    const frame = this.frames.at(-1)
    return (frame?.data as { error?: { data: { code: string } } } | undefined)?.error?.data.code
  }
}
