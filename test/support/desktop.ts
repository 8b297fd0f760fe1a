/** A session bus of its own (a real dbus-daemon) with a small desktop on it that keeps the notifications that it gets. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { concatBytes } from '../../src/core/encoding/bytes.ts'
import { DbusWriter, encodeCall } from '../../src/daemon/notify/dbus-message.ts'
import { tempDir } from './temp-dir.ts'

export const MISSING_DBUS: boolean = spawnSync('dbus-daemon', ['--version']).status !== 0

/** The arguments of one Notify. */
export interface Shown {
  readonly app: string
  readonly replaces: number
  readonly icon: string
  readonly summary: string
  readonly body: string
  readonly actions: number
  readonly urgency: number
  readonly timeoutMs: number
}

/** Starts a bus. @returns its address for DBUS_SESSION_BUS_ADDRESS */
export async function startBus(): Promise<string> {
  const path = join(tempDir(), 'bus')
  const args = ['--session', '--nofork', '--nopidfile', '--print-address', `--address=unix:path=${path}`]
  const child = spawn('dbus-daemon', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [address] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return address
}

export class Desktop {
  readonly shown: Shown[] = []
  #waiting: () => void = () => {}
  /** The name of an error to answer with from now on; null to accept. */
  refuses: string | null = null

  /** Owns org.freedesktop.Notifications on the bus. */
  static async start(address: string): Promise<Desktop> {
    const desktop = new Desktop()
    const [, path] = /^unix:path=([^,]+)/.exec(address)!
    const socket = connect({ path: path! })
    onTestFinished(() => void socket.destroy())
    const uid = Buffer.from(String(process.getuid!())).toString('hex')
    socket.write(`\0AUTH EXTERNAL ${uid}\r\n`)
    await once(socket, 'data')
    socket.write('BEGIN\r\n')
    const owned = new Promise<void>((resolve) => desktop.#serve(socket, resolve))
    const bus = {
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
    }
    socket.write(encodeCall({ ...bus, member: 'Hello', signature: '', body: new Uint8Array(0) }, 1))
    const name = new DbusWriter().text('org.freedesktop.Notifications').u32(0).bytes()
    socket.write(encodeCall({ ...bus, member: 'RequestName', signature: 'su', body: name }, 2))
    await owned
    return desktop
  }

  /** Resolves once so many notifications were shown. */
  async has(count: number): Promise<readonly Shown[]> {
    while (this.shown.length < count) await new Promise<void>((resolve) => (this.#waiting = resolve))
    return this.shown
  }

  #serve(socket: Socket, owned: () => void): void {
    let received: Uint8Array = new Uint8Array(0)
    socket.on('data', (chunk: Uint8Array) => {
      received = concatBytes(received, chunk)
      for (let message = readMessage(received); message !== null; message = readMessage(received)) {
        received = received.slice(message.end)
        if (message.replyTo === 2) owned()
        if (message.member === 'Notify') this.#notify(socket, message)
      }
    })
  }

  #notify(socket: Socket, message: Message): void {
    if (this.refuses === null) this.shown.push(readNotify(message.bytes, message.bodyAt))
    socket.write(reply(message, this.refuses, this.shown.length))
    this.#waiting()
  }
}

interface Message {
  readonly bytes: Uint8Array
  readonly bodyAt: number
  readonly end: number
  readonly serial: number
  readonly replyTo: number | null
  readonly member: string
  readonly sender: string
}

/** Reads texts and numbers by their place, as the specification lays them out. */
class Reader {
  readonly #bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  align(to: number): this {
    this.at += (to - (this.at % to)) % to
    return this
  }

  u8(): number {
    return this.#bytes[this.at++]!
  }

  u32(): number {
    this.align(4).at += 4
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getUint32(this.at - 4, true)
  }

  text(): string {
    return this.#take(this.u32())
  }

  signature(): string {
    return this.#take(this.u8())
  }

  #take(length: number): string {
    const text = Buffer.from(this.#bytes.subarray(this.at, this.at + length)).toString('utf8')
    this.at += length + 1
    return text
  }
}

function readMessage(bytes: Uint8Array): Message | null {
  if (bytes.length < 16) return null
  const head = new Reader(bytes, 4)
  const [bodyBytes, serial, fieldsBytes] = [head.u32(), head.u32(), head.u32()]
  const fieldsEnd = 16 + fieldsBytes
  const bodyAt = new Reader(bytes, fieldsEnd).align(8).at
  if (bytes.length < bodyAt + bodyBytes) return null
  const fields = new Map<number, string | number>()
  while (head.at < fieldsEnd) {
    const code = head.align(8).u8()
    const type = head.signature()
    fields.set(code, type === 'u' ? head.u32() : type === 'g' ? head.signature() : head.text())
  }
  return {
    bytes,
    bodyAt,
    end: bodyAt + bodyBytes,
    serial,
    replyTo: (fields.get(5) as number | undefined) ?? null,
    member: String(fields.get(3)),
    sender: String(fields.get(7)),
  }
}

function readNotify(bytes: Uint8Array, bodyAt: number): Shown {
  const reader = new Reader(bytes, bodyAt)
  const [app, replaces, icon, summary, body] = [
    reader.text(),
    reader.u32(),
    reader.text(),
    reader.text(),
    reader.text(),
  ]
  const actions = reader.u32()
  const hintsBytes = reader.u32()
  const hintsEnd = reader.align(8).at + hintsBytes
  let urgency = NaN
  while (reader.at < hintsEnd) {
    const name = reader.align(8).text()
    const type = reader.signature()
    if (name === 'urgency' && type === 'y') urgency = reader.u8()
  }
  return { app, replaces, icon, summary, body, actions, urgency, timeoutMs: reader.u32() | 0 }
}

/** A method return with the number of the notification, or an error. */
function reply({ serial, sender }: Message, error: string | null, id: number): Uint8Array {
  const body = error === null ? new DbusWriter().u32(id).bytes() : new Uint8Array(0)
  const head = new DbusWriter()
    .u8(0x6c)
    .u8(error === null ? 2 : 3)
    .u8(0)
    .u8(1)
    .u32(body.length)
    .u32(1000 + serial)
  head.array(8, (fields) => {
    fields.align(8).u8(5).signature('u').u32(serial)
    fields.align(8).u8(6).signature('s').text(sender)
    if (error === null) fields.align(8).u8(8).signature('g').signature('u')
    else fields.align(8).u8(4).signature('s').text(error)
  })
  return concatBytes(head.align(8).bytes(), body)
}
