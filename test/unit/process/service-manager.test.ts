import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import koffi from 'koffi'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Log, LogFields } from '../../../src/process/log.ts'
import { openNotifier, type Libc, type Notifier } from '../../../src/process/service-manager.ts'

const MSG_DONTWAIT = 0x40
const directory = mkdtempSync(join(tmpdir(), 'personad-notify-'))
afterAll(() => rmSync(directory, { recursive: true }))

function recordingLog(): { log: Log; records: [string, LogFields][] } {
  const records: [string, LogFields][] = []
  const write = (event: string, fields: LogFields = {}): void => void records.push([event, fields])
  return { log: { error: write, warn: write, info: write, debug: write, setLevel: () => undefined }, records }
}

/** A real datagram socket, bound as a service manager does: to a path, or to an abstract name after `@`. */
function bindReceiver(name: string): { receive: () => string[]; close: () => void } {
  const program = koffi.load(null)
  const bytes = Buffer.from(name.startsWith('@') ? `\u0001\u0000\u0000${name.slice(1)}` : `\u0001\u0000${name}\u0000`)
  const fd: number = program.func('int socket(int, int, int)')(1, 2, 0)
  const bound: number = program.func('int bind(int, const void *, uint32_t)')(fd, bytes, bytes.length)
  if (bound !== 0) throw new Error(`bind ${name}: errno ${koffi.errno()}`)
  const recv = program.func('long recv(int, _Out_ uint8_t *, size_t, int)')
  const receive = (): string[] => {
    const got: string[] = []
    for (;;) {
      const buffer = Buffer.alloc(4096)
      const length = Number(recv(fd, buffer, buffer.length, MSG_DONTWAIT))
      if (length < 0) return got
      got.push(buffer.toString('utf8', 0, length))
    }
  }
  return { receive, close: () => void program.func('int close(int)')(fd) }
}

interface Sent {
  readonly text: string
  readonly flags: number
}

function fakeLibc(answers: Partial<Libc> = {}): { libc: Libc; sent: Sent[]; closed: number[] } {
  const sent: Sent[] = []
  const closed: number[] = []
  const libc: Libc = {
    socket: () => 77,
    sendto: (_fd, bytes, length, flags) => {
      sent.push({ text: Buffer.from(bytes).toString(), flags })
      return length
    },
    close: (fd) => closed.push(fd),
    errno: () => constants.errno.ECONNREFUSED,
    ...answers,
  }
  return { libc, sent, closed }
}

async function openFake(env: NodeJS.ProcessEnv, libc: Libc, pid = 10): Promise<Notifier> {
  return openNotifier({ env, log: recordingLog().log, pid, loadLibc: () => Promise.resolve(libc) })
}

function sayEverything(notifier: Notifier): void {
  notifier.ready('serving')
  notifier.reloading()
  notifier.stopping()
  notifier.startWatchdog(() => true)
  notifier.close()
}

describe('a service manager', () => {
  test.each([join(directory, 'notify.sock'), `@personad-test-${process.pid}`])(
    'at %s gets every change',
    async (name) => {
      const receiver = bindReceiver(name)
      const { log, records } = recordingLog()
      const notifier = await openNotifier({ env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: '2000000' }, log })
      const before = process.hrtime.bigint() / 1000n
      notifier.ready('serving 3 contacts')
      notifier.reloading()
      notifier.startWatchdog(() => true)
      notifier.stopping()
      notifier.close()
      const after = process.hrtime.bigint() / 1000n
      const got = receiver.receive()
      receiver.close()
      expect(records).toEqual([])
      expect(got).toEqual([
        'READY=1\nSTATUS=serving 3 contacts',
        expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+$/),
        'WATCHDOG=1',
        'STOPPING=1\nSTATUS=stopping',
      ])
      const usec = BigInt(/\d+$/.exec(got[1]!)![0])
      expect(usec >= before && usec <= after).toBe(true)
    },
  )

  test('is reached at a socket path of 107 bytes, while 108 bytes are refused with a warning', async () => {
    const longest = join(directory, 'n'.repeat(107 - directory.length - 1))
    const receiver = bindReceiver(longest)
    const notifier = await openNotifier({ env: { NOTIFY_SOCKET: longest }, log: recordingLog().log })
    notifier.stopping()
    notifier.close()
    expect(receiver.receive()).toHaveLength(1)
    receiver.close()
    const { log, records } = recordingLog()
    sayEverything(await openNotifier({ env: { NOTIFY_SOCKET: `${longest}n` }, log }))
    expect(records.map(([event]) => event)).toEqual(['notify.address'])
  })

  test('gets no reports from our children: the variables leave the environment', async () => {
    const env = { NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '1', WATCHDOG_PID: '10', KEPT: 'yes' }
    await openFake(env, fakeLibc().libc)
    expect(env).toEqual({ KEPT: 'yes' })
  })

  test('gets no other assignment through a line end in the status', async () => {
    const { libc, sent } = fakeLibc()
    const notifier = await openFake({ NOTIFY_SOCKET: '@x' }, libc)
    notifier.ready('a\nMAINPID=1\r\u0000b')
    expect(sent[0]!.text).toBe('READY=1\nSTATUS=a MAINPID=1 b')
  })

  test('that is gone causes one warning', async () => {
    const { log, records } = recordingLog()
    sayEverything(await openNotifier({ env: { NOTIFY_SOCKET: join(directory, 'gone') }, log }))
    expect(records).toEqual([['notify.send', expect.objectContaining({ errno: 'ENOENT' })]])
  })
})

describe('without a service manager', () => {
  test.each([undefined, ''])('the daemon loads no native code and logs nothing (NOTIFY_SOCKET is %j)', async (name) => {
    const { log, records } = recordingLog()
    const loadLibc = vi.fn<() => Promise<Libc>>()
    sayEverything(await openNotifier({ env: { NOTIFY_SOCKET: name }, log, loadLibc }))
    expect(loadLibc).not.toHaveBeenCalled()
    expect(records).toEqual([])
  })

  test.each(['vsock:2:1', 'relative', '/', '@'])(
    'at the unusable address %s the daemon warns and continues',
    async (name) => {
      const { log, records } = recordingLog()
      sayEverything(await openNotifier({ env: { NOTIFY_SOCKET: name }, log }))
      expect(records.map(([event]) => event)).toEqual(['notify.address'])
    },
  )

  test('because koffi is missing the daemon warns and continues', async () => {
    const { log, records } = recordingLog()
    const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    sayEverything(await openNotifier({ env: { NOTIFY_SOCKET: '@x' }, log, loadLibc: () => Promise.reject(missing) }))
    expect(records).toEqual([['notify.koffi', expect.objectContaining({ error: 'Error ERR_MODULE_NOT_FOUND' })]])
  })

  test('because no socket can be opened the daemon warns and continues', async () => {
    const { log, records } = recordingLog()
    const { libc, sent } = fakeLibc({ socket: () => -1, errno: () => constants.errno.EMFILE })
    sayEverything(await openNotifier({ env: { NOTIFY_SOCKET: '@x' }, log, loadLibc: () => Promise.resolve(libc) }))
    expect(records).toEqual([['notify.socket', { errno: 'EMFILE' }]])
    expect(sent).toEqual([])
  })
})

async function pingsIn10s(env: NodeJS.ProcessEnv, isHealthy = (): boolean => true): Promise<number> {
  const { libc, sent } = fakeLibc()
  const notifier = await openFake({ NOTIFY_SOCKET: '@x', ...env }, libc)
  notifier.startWatchdog(isHealthy)
  vi.advanceTimersByTime(10_000)
  notifier.close()
  expect(vi.getTimerCount()).toBe(0)
  expect(sent.every(({ text, flags }) => text === 'WATCHDOG=1' && (flags & MSG_DONTWAIT) !== 0)).toBe(true)
  return sent.length
}

describe('the watchdog', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('is pinged at once and at each half interval until closed, without waiting for a full queue', async () => {
    expect(await pingsIn10s({ WATCHDOG_USEC: '5000000' })).toBe(5)
    expect(await pingsIn10s({ WATCHDOG_USEC: '5000000', WATCHDOG_PID: '10' })).toBe(5)
  })

  test.each([
    ['no interval', {}],
    ['an interval of zero', { WATCHDOG_USEC: '0' }],
    ['an interval that is not a number', { WATCHDOG_USEC: '5s' }],
    ['an interval for another process', { WATCHDOG_USEC: '5000000', WATCHDOG_PID: '11' }],
  ])('is not pinged with %s', async (_title, env) => {
    expect(await pingsIn10s(env)).toBe(0)
  })

  test('is not pinged while the daemon is unhealthy', async () => {
    let looks = 0
    expect(await pingsIn10s({ WATCHDOG_USEC: '5000000' }, () => ++looks <= 2)).toBe(2)
  })

  test('has one timer even when started twice', async () => {
    const { libc, sent, closed } = fakeLibc()
    const notifier = await openFake({ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '5000000' }, libc)
    notifier.startWatchdog(() => true)
    notifier.startWatchdog(() => true)
    vi.advanceTimersByTime(2_500)
    expect(sent).toHaveLength(3)
    notifier.close()
    notifier.close()
    expect(closed).toEqual([77])
  })

  test('does not keep the process alive', async () => {
    vi.useRealTimers()
    const unref = vi.spyOn(globalThis, 'setInterval')
    const notifier = await openFake({ NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '5000000' }, fakeLibc().libc)
    notifier.startWatchdog(() => true)
    const timer = unref.mock.results[0]!.value as NodeJS.Timeout
    expect(timer.hasRef()).toBe(false)
    notifier.close()
    unref.mockRestore()
  })
})
