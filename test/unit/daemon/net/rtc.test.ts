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

const MAX_TRIES = 5 // sanity: with three busy loops beside it, one try in 66 is lost
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
  isOpen = false
  connection!: Connection
  #woken: () => void = () => {}

  described(sdp: string): void {
    this.sdp.resolve(sdp)
  }

  connected(fingerprint: Uint8Array): void {
    this.isOpen = true
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

/** Two ends whose descriptions have met. @param toldOf the answer, as the offerer hears of it */
async function metPair(
  { rtc }: Program,
  toldOf: (answer: string) => string = (answer) => answer,
): Promise<[Peer, Peer]> {
  const [a, b] = [new Peer(), new Peer()]
  a.connection = rtc.connect(null, a)
  b.connection = rtc.connect(await a.sdp.promise, b)
  a.connection.answer(toldOf(await b.sdp.promise))
  return [a, b]
}

/** Two open ends. The library closes some tries on a busy machine (decision 78), and a channel offers again then. */
async function connectedPair(program: Program): Promise<[Peer, Peer]> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const [a, b] = await metPair(program)
    const opened = Promise.all([a.open.promise, b.open.promise]).then(() => true)
    const closed = Promise.race([a.over.promise, b.over.promise]).then(() => false)
    if (await Promise.race([opened, closed])) return [a, b]
  }
  throw new Error(`${MAX_TRIES} tries were closed before they opened`)
}

/** Another fingerprint in a description. */
function withOtherFingerprint(sdp: string): string {
  return sdp.replace(
    /(a=fingerprint:sha-256 )(.)/,
    (_, start: string, digit: string) => start + (digit === '0' ? '1' : '0'),
  )
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

  it('tells both ends of a handshake that one of them refuses', async () => {
    const [a, b] = await metPair(new Program(), withOtherFingerprint)
    await Promise.all([a.over.promise, b.over.promise])
    expect([a.isOpen, b.isOpen]).toEqual([false, false])
  })

  it('without sight of the library says so', async () => {
    const program = new Program(rtcFlags().filter((flag) => !flag.includes('node_modules')))
    const peer = new Peer()
    program.rtc.connect(null, peer)
    await peer.over.promise
    expect(program.rtc.problem?.code).toBe('RTC_LIBRARY')
  })
})
