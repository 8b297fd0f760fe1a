import * as fc from 'fast-check'
import { readFileSync, writeFileSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createSocket } from 'node:dgram'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { dial, listen, type Line, type Listener } from '../../../../src/cli/pairing/connection.ts'
import { announce, decodeAnnouncement, encodeAnnouncement, seek } from '../../../../src/cli/pairing/discovery.ts'
import { decodeLeg, encodeLeg, FileLine, legFile, removeLegs } from '../../../../src/cli/pairing/files.ts'
import { codeThrownBy } from '../../../support/failing.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const NEVER = new AbortController().signal
const HOST = '127.0.0.1'

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'nothing',
    (error: unknown) => (error as { code: string }).code,
  )
}

async function listening(): Promise<Listener> {
  const listener = await listen(HOST, 0)
  onTestFinished(() => listener.close())
  return listener
}

async function rawPeer(port: number): Promise<Socket> {
  const socket = connect(port, HOST)
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A line and the peer at its other end. */
async function oneLine(): Promise<{ listener: Listener; line: Line; peer: Socket }> {
  const listener = await listening()
  const peer = await rawPeer(listener.port)
  const line = (await listener.next(NEVER))!
  return { listener, line, peer }
}

afterEach(() => void vi.useRealTimers())

describe('a connection', () => {
  it('carries messages of 1 to 65535 bytes in both directions', async () => {
    const listener = await listening()
    const there = await dial({ host: HOST, port: listener.port })
    const here = (await listener.next(NEVER))!
    for (const length of [1, 2, 65_535]) {
      const message = new Uint8Array(length).fill(length & 255)
      await here.send(message)
      await there.send(message)
      expect(new Uint8Array(await there.receive(5000))).toEqual(message)
      expect(new Uint8Array(await here.receive(5000))).toEqual(message)
    }
    for (const length of [0, 65_536]) await expect(here.send(new Uint8Array(length))).rejects.toThrow()
  })

  it('gives the same messages no matter how the network cuts them', async () => {
    const { line, peer } = await oneLine()
    peer.setNoDelay(true)
    for (const byte of [0, 3, 7, 8, 9, 0, 1, 5])
      await new Promise<void>((sent) => peer.write(Uint8Array.of(byte), () => sent()))
    expect([...(await line.receive(5000))]).toEqual([7, 8, 9])
    expect([...(await line.receive(5000))]).toEqual([5])
  })

  it('hangs up on a second peer while one is connected, and accepts the next one afterwards', async () => {
    const { listener, line, peer } = await oneLine()
    const second = await rawPeer(listener.port)
    await once(second, 'close')
    expect(line.isGone).toBe(false)
    peer.destroy()
    expect(await codeOf(line.receive(5000))).toBe('PAIRING_PEER_GONE')
    const third = await rawPeer(listener.port)
    const next = (await listener.next(NEVER))!
    third.write(Uint8Array.of(0, 1, 9))
    expect([...(await next.receive(5000))]).toEqual([9])
  })

  it('refuses an empty message, a message that ends early and a peer that hangs up halfway', async () => {
    const empty = await oneLine()
    empty.peer.write(Uint8Array.of(0, 0))
    expect(await codeOf(empty.line.receive(5000))).toBe('PAIRING_FRAME')
    for (const bytes of [[], [0], [0, 9], [0, 9, 1, 2]]) {
      const { line, peer } = await oneLine()
      peer.end(Uint8Array.from(bytes))
      expect(await codeOf(line.receive(5000))).toBe('PAIRING_PEER_GONE')
    }
    const reset = await oneLine()
    reset.peer.resetAndDestroy()
    expect(await codeOf(reset.line.receive(5000))).toBe('PAIRING_PEER_GONE')
    expect(await codeOf(reset.line.send(Uint8Array.of(1)))).toBe('PAIRING_PEER_GONE')
  })

  it('gives up on a peer that falls silent, also within a message, and on a peer that reads nothing', async () => {
    for (const bytes of [[], [0, 9, 1]]) {
      const { line, peer } = await oneLine()
      if (bytes.length > 0) await new Promise<void>((sent) => peer.write(Uint8Array.from(bytes), () => sent()))
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      const outcome = codeOf(line.receive(10_000))
      await vi.advanceTimersByTimeAsync(9999)
      expect(await Promise.race([outcome, Promise.resolve('waiting')])).toBe('waiting')
      await vi.advanceTimersByTimeAsync(2)
      expect(await outcome).toBe('PAIRING_PEER_SILENT')
      vi.useRealTimers()
    }
    const { line } = await oneLine()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const flood = (async (): Promise<void> => {
      for (;;) await line.send(new Uint8Array(65_535))
    })()
    const state = { outcome: 'sending' }
    void codeOf(flood).then((code) => (state.outcome = code))
    while (state.outcome === 'sending') {
      await vi.advanceTimersByTimeAsync(30_000)
      await new Promise((turn) => setImmediate(turn))
    }
    expect(state.outcome).toBe('PAIRING_PEER_SILENT')
  })

  it('fails with PAIRING_CONNECTION if nobody listens or the port is taken, and stops waiting on abort', async () => {
    const listener = await listening()
    expect(await codeOf(listen(HOST, listener.port))).toBe('PAIRING_CONNECTION')
    const stop = new AbortController()
    const next = listener.next(stop.signal)
    stop.abort()
    expect(await next).toBeNull()
    listener.close()
    expect(await codeOf(dial({ host: HOST, port: listener.port }))).toBe('PAIRING_CONNECTION')
  })
})

describe('an announcement', () => {
  const key = new Uint8Array(32).fill(1)
  const otherKey = new Uint8Array(32).fill(2)

  it('means something only to a device with the code', () => {
    const datagram = encodeAnnouncement(key, 40_123)
    expect(datagram).toHaveLength(18)
    expect(decodeAnnouncement(key, datagram)).toBe(40_123)
    expect(decodeAnnouncement(otherKey, datagram)).toBeNull()
  })

  it('is refused if any bit is altered, or if it is too short or too long', () => {
    const datagram = encodeAnnouncement(key, 40_123)
    let ran = 0
    for (let bit = 0; bit < datagram.length * 8; bit++) {
      const altered = Uint8Array.from(datagram)
      altered[bit >> 3]! ^= 1 << (bit & 7)
      expect(decodeAnnouncement(key, altered)).toBeNull()
      ran++
    }
    expect(ran).toBe(144)
    expect(decodeAnnouncement(key, datagram.subarray(0, 17))).toBeNull()
    expect(decodeAnnouncement(key, Uint8Array.from([...datagram, 0]))).toBeNull()
    expect(decodeAnnouncement(key, encodeAnnouncement(key, 0))).toBeNull()
  })

  it('reaches a device on this machine, which ignores foreign announcements and noise', async () => {
    const port = await freeUdpPort()
    const seeker = (await seek(key, port))!
    onTestFinished(() => seeker.close())
    const noise = createSocket('udp4')
    onTestFinished(() => void noise.close())
    for (const bytes of [[], [1], encodeAnnouncement(otherKey, 1)]) noise.send(Uint8Array.from(bytes), port, HOST)
    onTestFinished(await announce(otherKey, 1, [HOST], port))
    onTestFinished(await announce(key, 40_123, [HOST], port))
    expect(await seeker.next(NEVER)).toEqual({ host: HOST, port: 40_123 })
    const stop = new AbortController()
    const next = seeker.next(stop.signal)
    stop.abort()
    expect(await next).toBeNull()
  })
})

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind()
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

describe('files', () => {
  const messages = [Uint8Array.of(1), new Uint8Array(65_535).fill(2), Uint8Array.of(3, 3)]

  it('carry the messages of a leg', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 })), fc.constantFrom(1, 2, 3), (some, leg) => {
        expect(decodeLeg(leg, encodeLeg(leg, some))).toEqual(some)
      }),
    )
  })

  it('that are incomplete at any length are waited for', () => {
    const whole = encodeLeg(2, [Uint8Array.of(1, 2, 3), Uint8Array.of(4)])
    let ran = 0
    for (let length = 0; length < whole.length; length++) {
      expect(decodeLeg(2, whole.subarray(0, length))).toBeNull()
      ran++
    }
    expect(ran).toBe(17 + 5 + 3)
  })

  it('with other or damaged content are refused', () => {
    const whole = encodeLeg(2, [Uint8Array.of(1, 2, 3)])
    const bad = [
      encodeLeg(1, [Uint8Array.of(1, 2, 3)]),
      Uint8Array.from([...whole, 0]),
      whole.map((byte, at) => (at === 0 ? 0 : byte)),
      whole.map((byte, at) => (at === 18 ? 4 : byte)), // a message longer than the file
      whole.map((byte, at) => (at === 18 ? 2 : byte)), // a byte left over
      encodeLeg(2, [new Uint8Array(0)]),
    ]
    for (const bytes of bad) expect(codeThrownBy(() => decodeLeg(2, bytes))).toBe('PAIRING_FILE')
  })

  it('are written and read in turn by both sides, and only their owner can read them', async () => {
    const path = join(tempDir(), 'pair')
    const waited: string[] = []
    const old = new FileLine(path, (file) => waited.push(file))
    const joining = new FileLine(path, () => {})
    await old.send(messages[0]!)
    await old.flush()
    expect(statSync(legFile(path, 1)).mode & 0o777).toBe(0o600)
    expect(new Uint8Array(await joining.receive(5000))).toEqual(messages[0])
    await joining.send(messages[2]!)
    await joining.flush()
    expect(new Uint8Array(await old.receive(5000))).toEqual(messages[2])
    for (const message of messages) await old.send(message)
    await old.flush()
    for (const message of messages) expect(new Uint8Array(await joining.receive(5000))).toEqual(message)
    expect(waited).toEqual([legFile(path, 2)])
    await removeLegs(path)
    expect(await codeOf(new FileLine(path, () => {}).receive(0))).toBe('PAIRING_PEER_SILENT')
  })

  it('that arrive during the wait are read once they are complete', async () => {
    const path = join(tempDir(), 'pair')
    const line = new FileLine(path, () => {
      const whole = encodeLeg(1, [messages[2]!])
      writeFileSync(legFile(path, 1), whole.subarray(0, 18))
      setTimeout(() => writeFileSync(legFile(path, 1), whole), 1)
    })
    expect(new Uint8Array(await line.receive(20_000))).toEqual(messages[2])
    expect(readFileSync(legFile(path, 1))).toHaveLength(21)
  })
})
