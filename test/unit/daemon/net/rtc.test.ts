/** Connections of WebRTC through the real program personad-rtc, over loopback. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Rtc, REST_MS } from '../../../../src/daemon/net/rtc.ts'
import type { Connection, ConnectionListener } from '../../../../src/channel/rtc/connections.ts'
import { fingerprintOf } from '../../../../src/channel/direct/signal.ts'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { processLink } from '../../../../src/process/link.ts'
import { systemClock, type Clock } from '../../../../src/process/pulse.ts'
import { isLibraryInstalled } from '../../../../src/rtcnode/installed.ts'
import { MAX_MESSAGE_BYTES } from '../../../../src/channel/rtc/connection.ts'
import { rtcFlags, RTC_MAIN } from '../../../../src/rtcnode/start.ts'
import { silentLog } from '../../../support/silent-log.ts'

const LACKS = isLibraryInstalled() ? '' : ' (needs node-datachannel)'

/** The time of day, but a rest ends when the test says so. */
class RestClock implements Clock {
  endRest: () => void = () => {}

  nowMs(): number {
    return systemClock.nowMs()
  }

  after(ms: number, run: () => void): () => void {
    if (ms !== REST_MS) return systemClock.after(ms, run)
    this.endRest = run
    return () => (this.endRest = () => {})
  }
}

class Program {
  readonly children: ChildProcess[] = []
  readonly clock = new RestClock()
  readonly rtc: Rtc

  constructor(flags: readonly string[] = rtcFlags()) {
    this.rtc = new Rtc({
      settings: { ice: [], address: '127.0.0.1' },
      log: silentLog,
      clock: this.clock,
      open: () => {
        const child = spawn(process.execPath, [...flags, RTC_MAIN], { stdio: ['pipe', 'pipe', 'inherit'], env: {} })
        this.children.push(child)
        return processLink(child)
      },
    })
    onTestFinished(async () => {
      await this.rtc.close()
      for (const child of this.children) child.kill('SIGKILL')
    })
  }
}

/** One end of a connection, as its listener sees it. */
class Peer implements ConnectionListener {
  readonly sdp = Promise.withResolvers<string>()
  readonly open = Promise.withResolvers<Uint8Array>()
  readonly over = Promise.withResolvers<void>()
  readonly messages: Uint8Array[] = []
  connection!: Connection
  #woken: () => void = () => {}

  described(sdp: string): void {
    this.sdp.resolve(sdp)
  }

  connected(fingerprint: Uint8Array): void {
    this.open.resolve(fingerprint)
  }

  message(message: Uint8Array): void {
    this.messages.push(message)
    this.#woken()
  }

  closed(): void {
    this.over.resolve()
  }

  async heard(count: number): Promise<Uint8Array[]> {
    while (this.messages.length < count) await new Promise<void>((done) => (this.#woken = done))
    return this.messages
  }
}

async function connectedPair({ rtc }: Program): Promise<[Peer, Peer]> {
  const [a, b] = [new Peer(), new Peer()]
  a.connection = rtc.connect(null, a)
  b.connection = rtc.connect(await a.sdp.promise, b)
  a.connection.answer(await b.sdp.promise)
  await Promise.all([a.open.promise, b.open.promise])
  return [a, b]
}

describe.skipIf(LACKS !== '')(`personad-rtc${LACKS}`, () => {
  it('connects two ends, reports the certificate that each has shown, and brings messages in order', async () => {
    const [a, b] = await connectedPair(new Program())
    expect(formatHex(await a.open.promise)).toBe(formatHex(fingerprintOf(await b.sdp.promise)!))
    expect(formatHex(await b.open.promise)).toBe(formatHex(fingerprintOf(await a.sdp.promise)!))
    const sent = [1, 256, MAX_MESSAGE_BYTES].map((bytes, i) => new Uint8Array(bytes).fill(i))
    for (const message of sent) a.connection.send(message)
    expect((await b.heard(3)).map((message) => Buffer.from(message))).toEqual(sent.map((each) => Buffer.from(each)))
  })

  it('tells both ends when one hangs up, and ends once nobody has used it for a minute', async () => {
    const program = new Program()
    const [a, b] = await connectedPair(program)
    const ended = once(program.children[0]!, 'exit')
    a.connection.close()
    await Promise.all([a.over.promise, b.over.promise])
    expect(program.rtc.isRunning).toBe(true)
    program.clock.endRest()
    await ended
    // The next connection starts it again.
    await connectedPair(program)
    expect(program.children).toHaveLength(2)
  })

  it('that is killed closes its connections, and the next one starts it again', async () => {
    const program = new Program()
    const [a, b] = await connectedPair(program)
    program.children[0]!.kill('SIGKILL')
    await Promise.all([a.over.promise, b.over.promise])
    await connectedPair(program)
    expect(program.children).toHaveLength(2)
    expect(program.rtc.problem).toBeNull()
  })

  it('closes a connection whose description makes no sense, and goes on', async () => {
    const program = new Program()
    const wrong = new Peer()
    wrong.connection = program.rtc.connect('v=0\r\nnothing\r\n', wrong)
    await wrong.over.promise
    await connectedPair(program)
    expect(program.children).toHaveLength(1)
  })

  it('without sight of the library says so', async () => {
    const program = new Program(rtcFlags().filter((flag) => !flag.includes('node_modules')))
    const peer = new Peer()
    program.rtc.connect(null, peer)
    await peer.over.promise
    expect(program.rtc.problem?.code).toBe('RTC_LIBRARY')
  })
})
