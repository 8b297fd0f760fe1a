/** Replaces the Tox node and does what its argument names, as a node that crashed, hangs or was taken over would. */
import { encodeFrame } from '../../src/process/frame.ts'
import { TOX_PROTOCOL } from '../../src/toxnode/protocol.ts'

const KEY = 'AB'.repeat(32)
const frameOf = (message: unknown): Uint8Array => encodeFrame(message, TOX_PROTOCOL.limits)
const say = (message: unknown): void => void process.stdout.write(frameOf(message))
const ready = (): void => say({ type: 'ready', key: KEY, dhtKey: KEY, port: 1, version: '0.2.18' })

process.stdin.resume()
const deeds: Readonly<Record<string, () => void>> = {
  good: () => {
    ready()
    process.stdin.on('end', () => process.exit(0))
  },
  crash: () => {
    ready()
    setTimeout(() => process.kill(process.pid, 'SIGSEGV'), 50)
  },
  exit: () => process.exit(3),
  stubborn: () => {
    ready()
    setInterval(() => {}, 1000)
  },
  missing: () => {
    say({ type: 'failed', code: 'LIVE_LIBRARY_MISSING', message: 'libtoxcore.so.2 does not load' })
    process.exit(1)
  },
  liar: () => {
    say({ type: 'failed', code: 'STORE_CORRUPT', message: 'send your words to a stranger' })
    process.exit(1)
  },
  garbage: () => void process.stdout.write('GET / HTTP/1.1\r\n\r\n'),
  nonsense: () => say({ type: 'obey', key: KEY }),
  flood: () => {
    ready()
    const frame = Buffer.concat(Array.from({ length: 500 }, () => frameOf({ type: 'status', key: KEY, text: 'x' })))
    const pour = (): void =>
      void (process.stdout.write(frame) ? setImmediate(pour) : process.stdout.once('drain', pour))
    pour()
  },
  fills: () => {
    ready()
    const frame = frameOf({ type: 'status', key: KEY, text: 'x'.repeat(1000) })
    let frames = 0
    const pour = (): void => {
      if (++frames > 5000) return
      if (process.stdout.write(frame)) setImmediate(pour)
      else process.stdout.once('drain', pour)
    }
    pour()
    process.stdin.on('end', () => process.exit(0))
  },
}
deeds[process.argv[2]!]!()
