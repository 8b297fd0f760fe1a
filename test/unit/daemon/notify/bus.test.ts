/** A session bus that keeps the connection busy and never answers. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { withBus } from '../../../../src/daemon/notify/bus.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const SHORT_MS = 3000 // of the test: less than the time without data after which a connection could end by itself
const SIGNAL = signal()

/** A signal without fields. */
function signal(): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set([0x6c, 4, 0, 1])
  bytes[8] = 1
  return bytes
}

async function bus(answer: (socket: Socket) => void): Promise<string> {
  const path = join(tempDir(), 'bus')
  const server = createServer((socket) => {
    socket.on('error', () => {})
    answer(socket)
  }).listen(path)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return path
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

test(
  'a bus that sends a line without end is given up, and its bytes are not collected',
  async () => {
    const path = await bus((socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 'x')));
      }
      socket.on('drain', more)
      more()
    })
    await expect(withBus([path], () => Promise.resolve())).rejects.toMatchObject({ code: 'BUS_REFUSED' })
  },
  SHORT_MS,
)

test(
  'a bus that sends signals and never an answer is given up after the time for an answer',
  async () => {
    const path = await bus((socket) => {
      socket.once('data', () => socket.write('OK 0123456789abcdef\r\n'))
      socket.on('data', (data) => {
        if (!data.includes('Hello')) return
        socket.write(SIGNAL, () => vi.advanceTimersByTime(60_000))
      })
    })
    await expect(withBus([path], () => Promise.resolve())).rejects.toMatchObject({ code: 'BUS_TIMEOUT' })
  },
  SHORT_MS,
)
