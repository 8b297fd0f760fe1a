/** A request whose body comes in parts, in personad-net: it takes what was announced, and it waits for nobody without an end. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WINDOW_BYTES, type CallForm, type Report } from '../../../src/netnode/protocol.ts'
import { WebCalls } from '../../../src/netnode/web-calls.ts'
import { HandClock } from '../../support/hand-clock.ts'

const MIB = 1 << 20
const ID = 7

/** One call of a server that reads nothing by itself. */
class PartedCall {
  readonly clock = new HandClock()
  readonly reports: Report[] = []
  readonly calls: WebCalls
  readonly asked: Promise<Socket>
  readonly #url: string
  #news: () => void = () => {}

  private constructor(url: string, asked: Promise<Socket>) {
    this.#url = url
    this.asked = asked
    const settings = { bootstrap: [], proxy: null, private: ['127.0.0.1'], ca: null }
    this.calls = new WebCalls(
      settings,
      () => Promise.resolve([]),
      this.clock,
      (report) => {
        this.reports.push(report)
        this.#news()
      },
    )
    onTestFinished(() => this.calls.close())
  }

  static async start(): Promise<PartedCall> {
    const { promise: asked, resolve: take } = Promise.withResolvers<Socket>()
    const server = createServer({ pauseOnConnect: true }, take)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void server.close())
    return new PartedCall(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked)
  }

  open(bodyBytes: number, firstBytes: number, more: Partial<CallForm> = {}): void {
    const form: CallForm = { method: 'PUT', url: this.#url, headers: {}, bodyBytes, maxBytes: 1000, ...more }
    this.calls.open({ id: ID, ...form }, new Uint8Array(firstBytes))
  }

  add(bytes: number): void {
    this.calls.add(ID, new Uint8Array(bytes))
  }

  /** Resolves once there are so many reports. */
  async reported(count: number): Promise<Report[]> {
    while (this.reports.length < count) await new Promise<void>((done) => (this.#news = done))
    return this.reports
  }
}

describe('a part', () => {
  test.each([
    ['none', 2, 0],
    ['longer than the whole', 2, 3],
  ])('that comes first and is %s is refused, and no server is called', async (_title, bodyBytes, firstBytes) => {
    const call = await PartedCall.start()
    expect(() => call.open(bodyBytes, firstBytes)).toThrow(expect.objectContaining({ code: 'NET_FAILED' }) as Error)
    expect(call.clock.waits).toEqual([])
  })

  test.each([
    ['is empty', 2, 0],
    ['is longer than the rest', 2, 2],
    ['is longer than a window', MIB, WINDOW_BYTES + 1],
  ])('that comes later and %s ends the call', async (_title, bodyBytes, bytes) => {
    const call = await PartedCall.start()
    call.open(bodyBytes, 1)
    expect(await call.reported(1)).toEqual([{ type: 'http.sent', id: ID }])
    call.add(bytes)
    expect((await call.reported(2))[1]).toMatchObject({ type: 'refused', code: 'NET_FAILED' })
    expect(call.clock.waits).toEqual([])
  })

  test('that comes before the one before it is sent on ends the call', async () => {
    const call = await PartedCall.start()
    call.open(3, 1)
    call.add(1)
    expect(await call.reported(1)).toMatchObject([{ type: 'refused', code: 'NET_FAILED' }])
  })

  test('that comes after the answer changes nothing', async () => {
    const call = await PartedCall.start()
    call.open(MIB, 1)
    await call.reported(1)
    const socket = await call.asked
    socket.write('HTTP/1.1 413 Payload Too Large\r\nTransfer-Encoding: chunked\r\n\r\n')
    expect((await call.reported(2))[1]).toMatchObject({ type: 'http.head', status: 413 })
    call.add(MIB)
    socket.write('0\r\n\r\n')
    expect((await call.reported(3)).slice(2)).toEqual([{ type: 'http.end', id: ID }])
  })
})

describe('a server', () => {
  test('that takes nothing for 60 seconds loses the call; after the last part it has the time that the bytes need, too', async () => {
    const call = await PartedCall.start()
    call.open(2 * WINDOW_BYTES, WINDOW_BYTES)
    await call.reported(1)
    expect(call.clock.waits).toEqual([60_000])
    call.clock.turn(59_999)
    call.add(WINDOW_BYTES)
    expect(call.clock.waits).toEqual([68_000])
    call.clock.turn(68_000)
    expect((await call.reported(2))[1]).toMatchObject({
      code: 'NET_SILENT',
      message: expect.stringMatching(/does not answer: .*, 68 s$/) as string,
    })

    const stopped = await PartedCall.start()
    stopped.open(2 * WINDOW_BYTES, WINDOW_BYTES)
    await stopped.reported(1)
    stopped.clock.turn(60_000)
    expect((await stopped.reported(2))[1]).toMatchObject({
      code: 'NET_SILENT',
      message: expect.stringMatching(/does not go on: .*, 60 s$/) as string,
    })
  })

  test('that answers at length has the time that the bytes need, and no more than those that are wanted do', async () => {
    for (const [announced, wanted, waitMs] of [
      [MIB, 20 * MIB, 124_000],
      [20 * MIB, MIB, 124_000],
      [null, MIB, 124_000],
      [100, 20 * MIB, 60_006],
    ] as const) {
      const call = await PartedCall.start()
      call.open(0, 0, { method: 'GET', maxBytes: wanted })
      const length = announced === null ? '' : `Content-Length: ${announced}\r\n`
      const socket = await call.asked
      socket.write(`HTTP/1.1 200 OK\r\n${length}\r\nx`)
      await call.clock.waited(waitMs)
      call.calls.cancel(ID)
    }
  })
})
