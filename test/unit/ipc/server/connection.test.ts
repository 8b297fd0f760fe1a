/** The timers of one connection, on a fake socket and a fake clock. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Connection } from '../../../../src/ipc/server/connection.ts'
import { DEFAULT_LIMITS, type Limits } from '../../../../src/ipc/server/limits.ts'
import { Room } from '../../../../src/ipc/server/room.ts'
import { LARGE_FRAME_BYTES, Turns } from '../../../../src/ipc/server/turns.ts'
import type { Dispatch } from '../../../../src/ipc/server/dispatch.ts'
import type { Frame } from '../../../../src/ipc/wire/frame.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
})

const FRAME = '{"type":"rpc","data":1}\f'
const HALF = FRAME.slice(0, 10)
const REST = FRAME.slice(10)

/** A room whose time slice never ends, however busy the machine is. */
function endlessRoom(): Room {
  return new Room(undefined, new Turns(Infinity))
}

class Peer {
  readonly connection: Connection
  readonly socket: Duplex
  received = ''
  calls = 0
  isReading = true
  #taken: (() => void)[] = []
  #finishCalls: ((frame: string) => void)[] = []

  constructor(dispatch: Dispatch | 'later' | 'large later', limits: Partial<Limits> = {}, room = endlessRoom()) {
    this.socket = new Duplex({
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        this.received += chunk.toString()
        if (this.isReading) done()
        else this.#taken.push(done)
      },
    })
    this.connection = new Connection({
      id: 1,
      role: 'app',
      socket: this.socket as Socket,
      limits: { ...DEFAULT_LIMITS, ...limits },
      dispatch: (data, caller, onLarge) => {
        this.calls++
        if (typeof dispatch === 'function') return dispatch(data, caller, onLarge)
        if (dispatch === 'large later') void onLarge?.(false)
        return new Promise((resolve) => this.#finishCalls.push(resolve))
      },
      log() {},
      room,
    })
  }

  send(chunk: string): void {
    this.connection.read(chunk, (frame: Frame) => this.connection.call(frame.data))
  }

  /** Publishes the event of this number, as the server does. */
  event(name: string, n: number, number = 0): void {
    this.connection.event(name, event(n), Buffer.from(event(n)), number)
  }

  /** Lets one write through. */
  takeOne(): void {
    this.#taken.shift()?.()
  }

  async finishOne(): Promise<void> {
    this.#finishCalls.shift()?.('')
    await Promise.resolve()
  }

  get isTimedOut(): boolean {
    return this.received.includes('FRAME_TIMEOUT')
  }
}

/** Waits until everything written in this turn has arrived. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('the time for a frame', () => {
  test('ends on time and not before', async () => {
    const peer = new Peer(() => '')
    peer.send(HALF)
    vi.advanceTimersByTime(DEFAULT_LIMITS.frameTimeoutMs - 1)
    await turn()
    expect(peer.isTimedOut).toBe(false)
    vi.advanceTimersByTime(1)
    await turn()
    expect(peer.isTimedOut).toBe(true)
  })

  test('does not grow when bytes drip in', async () => {
    const peer = new Peer(() => '')
    peer.send(HALF)
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(DEFAULT_LIMITS.frameTimeoutMs / 3)
      peer.send(' ')
    }
    await turn()
    expect(peer.isTimedOut).toBe(true)
  })

  test('starts again with each frame, so a client may pipeline and always stop inside a frame', async () => {
    const peer = new Peer(() => '')
    peer.send(HALF)
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(DEFAULT_LIMITS.frameTimeoutMs - 1)
      peer.send(REST + HALF)
    }
    // On a busy machine the slice of one turn may end after a single frame.
    for (let turns = 0; turns < 20; turns++) await turn()
    expect({ timedOut: peer.isTimedOut, calls: peer.calls }).toEqual({ timedOut: false, calls: 10 })
  })

  test('begins again after the daemon itself was stopped, since the rest may be waiting', async () => {
    const peer = new Peer(() => '')
    peer.send(HALF)
    const clock = vi
      .spyOn(performance, 'now')
      .mockReturnValue(performance.now() + DEFAULT_LIMITS.frameTimeoutMs + 33_000)
    onTestFinished(() => clock.mockRestore())
    vi.advanceTimersByTime(DEFAULT_LIMITS.frameTimeoutMs)
    await turn()
    expect(peer.isTimedOut).toBe(false)
    vi.advanceTimersByTime(DEFAULT_LIMITS.frameTimeoutMs)
    await turn()
    expect(peer.isTimedOut).toBe(true)
  })

  test('does not run between two frames', async () => {
    const peer = new Peer(() => '')
    peer.send(HALF)
    peer.send(REST)
    vi.advanceTimersByTime(10 * DEFAULT_LIMITS.frameTimeoutMs)
    peer.send(FRAME)
    await turn()
    expect({ timedOut: peer.isTimedOut, calls: peer.calls }).toEqual({ timedOut: false, calls: 2 })
  })

  test('stops while the server does not read, and runs again when it does', async () => {
    const peer = new Peer('later', { maxInFlight: 1 })
    peer.send(HALF)
    peer.send(REST + HALF)
    vi.advanceTimersByTime(10 * DEFAULT_LIMITS.frameTimeoutMs)
    await turn()
    expect({ timedOut: peer.isTimedOut, paused: peer.socket.isPaused() }).toEqual({ timedOut: false, paused: true })
    await peer.finishOne()
    expect(peer.socket.isPaused()).toBe(false)
    vi.advanceTimersByTime(DEFAULT_LIMITS.frameTimeoutMs)
    await turn()
    expect(peer.isTimedOut).toBe(true)
  })
})

test('calls with a large result run one at a time, and others up to the limit', async () => {
  for (const [kind, most] of [
    ['large later', 1],
    ['later', 3],
  ] as const) {
    const peer = new Peer(kind, { maxInFlight: 3 })
    peer.send(FRAME.repeat(5))
    expect(peer.calls, kind).toBe(most)
    await peer.finishOne()
    expect(peer.calls, kind).toBe(most + 1)
  }
})

test('a connection waits for its turn after its time slice, loses nothing, and answers a client that has ended its side', async () => {
  const peer = new Peer(() => 'answer', {}, new Room(undefined, new Turns(0)))
  peer.send(FRAME.repeat(3) + HALF)
  expect({ calls: peer.calls, paused: peer.socket.isPaused() }).toEqual({ calls: 1, paused: true })
  peer.socket.push(null)
  for (const calls of [2, 3]) {
    await turn()
    expect(peer.calls).toBe(calls)
  }
  await turn()
  expect(peer.received).toBe('answer'.repeat(3))
  expect(peer.socket.writableEnded).toBe(true)
})

describe('250 connections that each send 200 calls at once', () => {
  const CALL_MS = 0.1

  /** How many calls of others were begun, and how many turns of the event loop passed, before a client got its answer. */
  async function waits(
    others: number,
    dispatch: () => string | Promise<string>,
  ): Promise<{ calls: number; turns: number }> {
    let [nowMs, calls, turns] = [0, 0, 0]
    const room = new Room(undefined, new Turns(1, () => nowMs))
    const peers = Array.from({ length: others }, () => {
      return new Peer(
        () => {
          nowMs += CALL_MS
          calls++
          return dispatch()
        },
        {},
        room,
      )
    })
    for (const peer of peers) peer.send(FRAME.repeat(200))
    const honest = new Peer(() => 'answer', {}, room)
    const before = calls
    honest.send(FRAME)
    for (; honest.received === ''; turns++) await turn()
    return { calls: calls - before, turns }
  }

  test.each([
    ['at once', () => ''],
    ['a moment later', () => Promise.resolve('')],
  ])('and are answered %s keep another client waiting for one call of each, not for all', async (_, dispatch) => {
    const quiet = await waits(0, dispatch)
    expect(quiet).toEqual({ calls: 0, turns: 1 })
    const busy = await waits(250, dispatch)
    expect(busy.calls).toBeLessThanOrEqual(250 + 10)
    // Ten calls fit into the slice of one turn.
    expect(busy.turns - quiet.turns).toBeLessThanOrEqual(26)
  })
})

describe('60 connections that send one large frame after the other', () => {
  const LARGE_MS = 10
  const SMALL_MS = 0.125
  const LARGE = `{"type":"rpc","data":"${'x'.repeat(LARGE_FRAME_BYTES)}"}\f`

  /** A room in which a call takes as long as its frame asks for, by its own clock. */
  function slowRoom(): { room: Room; peer: (isHostile: boolean) => Peer; elapsedMs: () => number } {
    let nowMs = 0
    const room = new Room(undefined, new Turns(1, () => nowMs))
    const peer = (isHostile: boolean): Peer => {
      const made = new Peer(
        (data) => {
          nowMs += typeof data === 'string' ? LARGE_MS : SMALL_MS
          if (isHostile) setImmediate(() => made.send(LARGE))
          return 'answer'
        },
        {},
        room,
      )
      return made
    }
    return { room, peer, elapsedMs: () => nowMs }
  }

  test('keep a small call waiting for one of them, not for each', async () => {
    const { peer, elapsedMs } = slowRoom()
    const hostile = Array.from({ length: 60 }, () => peer(true))
    for (const each of hostile) each.send(LARGE)
    for (let n = 0; n < 20; n++) {
      const honest = peer(false)
      const beganMs = elapsedMs()
      honest.send(FRAME)
      while (honest.received === '') await turn()
      expect(elapsedMs() - beganMs).toBeLessThanOrEqual(LARGE_MS + SMALL_MS)
    }
  })

  test('leave half of the time to small calls, and get the other half', async () => {
    const { peer, elapsedMs } = slowRoom()
    const hostile = Array.from({ length: 60 }, () => peer(true))
    for (const each of hostile) each.send(LARGE)
    const busy = Array.from({ length: 10 }, () => peer(false))
    for (const each of busy) each.send(FRAME.repeat(1000))
    while (elapsedMs() < 1000) await turn()
    const largeMs = hostile.reduce((sum, { calls }) => sum + calls, 0) * LARGE_MS
    expect(largeMs / elapsedMs()).toBeCloseTo(0.5, 1)
  })

  test('are served one after the other', async () => {
    const { peer } = slowRoom()
    const hostile = Array.from({ length: 60 }, () => peer(true))
    for (const each of hostile) each.send(LARGE)
    for (let n = 0; n < 180; n++) await turn()
    const calls = hostile.map((each) => each.calls)
    expect(Math.max(...calls) - Math.min(...calls)).toBeLessThanOrEqual(1)
  })
})

/** Ten bytes. */
function event(n: number): string {
  return `${String(n).repeat(9)}\f`
}

describe('an event', () => {
  test('goes only to its subscribers', async () => {
    const peer = new Peer(() => '')
    peer.event('tick', 1)
    peer.connection.subscribe(['tick'])
    peer.event('tick', 2)
    peer.event('tock', 3)
    peer.connection.subscribe(['tock'])
    peer.event('tick', 4)
    peer.event('tock', 5)
    peer.connection.unsubscribe()
    peer.event('tock', 6)
    peer.connection.skip('tock')
    await turn()
    expect(peer.received).toBe(event(2) + event(5))
  })

  test('keeps its place among other frames of one turn, whether it goes out by its bytes or as a text', async () => {
    const peer = new Peer(() => 'answer\f')
    peer.connection.subscribe(['tick'])
    const write = vi.spyOn(peer.socket, 'write')
    peer.event('tick', 1)
    await turn()
    peer.event('tick', 2)
    peer.connection.call({})
    peer.event('tick', 3)
    await turn()
    expect(peer.received).toBe(`${event(1)}${event(2)}answer\f${event(3)}`)
    // Alone it is the array that all connections share; among others it is a part of a text.
    expect(write.mock.calls.map(([sent]) => typeof sent)).toEqual(['object', 'string'])
  })

  test('after missed ones waits for lagged, so that no gap stays hidden', async () => {
    const peer = new Peer(() => '', { maxPending: 45 })
    peer.isReading = false
    peer.connection.subscribe(['tick'])
    // Each event has 10 of 45 units. The first three are on their way, the fourth fits, the fifth does not.
    for (const n of [1, 2, 3, 4, 5]) {
      peer.event('tick', n)
      await turn()
    }
    peer.takeOne()
    await turn()
    // There is room again, but less than half of it.
    peer.event('tick', 6)
    for (let i = 0; i < 6; i++) {
      peer.takeOne()
      await turn()
    }
    peer.event('tick', 7)
    await turn()
    peer.takeOne()
    await turn()
    const lagged = '{"type":"event","data":{"event":"lagged","data":{"missed":2,"after":0}}}\f'
    expect(peer.received).toBe(event(1) + event(2) + event(3) + event(4) + lagged + event(7))
  })
})

describe('a replayed event', () => {
  test('arrives even without a subscription to it, and does not come twice', async () => {
    const peer = new Peer(() => '')
    expect(await peer.connection.replay({ event: 'tick' })).toBe(true)
    peer.connection.subscribe(['tick'], 7)
    peer.event('tick', 1, 7)
    peer.event('tick', 2, 8)
    await turn()
    expect(peer.received).toBe(`{"type":"event","data":{"event":"tick"}}\f${event(2)}`)
  })

  test('waits until the client has read half of its backlog', async () => {
    const peer = new Peer(() => '', { maxPending: 90 })
    peer.isReading = false
    const replayed: number[] = []
    const replay = async (n: number): Promise<void> => {
      await peer.connection.replay({ event: 'tick' })
      replayed.push(n)
    }
    const first = replay(1)
    await first
    const second = replay(2)
    await turn()
    expect(replayed).toEqual([1])
    peer.takeOne()
    await turn()
    peer.takeOne()
    await second
    expect(replayed).toEqual([1, 2])
  })

  test('is the last one for a client that went away', async () => {
    const peer = new Peer(() => '', { maxPending: 10 })
    peer.isReading = false
    const replayed = peer.connection.replay({ event: 'tick' })
    peer.socket.destroy()
    expect(await replayed).toBe(false)
  })
})

test('bytes after the last error are dropped, not stored', async () => {
  const peer = new Peer(() => '')
  peer.send('x\f')
  await turn()
  peer.send(FRAME)
  expect({ calls: peer.calls, paused: peer.socket.isPaused() }).toEqual({ calls: 0, paused: false })
})

test('a client that does not close after the last error is cut', async () => {
  const peer = new Peer(() => '')
  peer.send('x\f')
  await turn()
  expect(peer.received).toContain('FRAME_NOT_JSON')
  expect(peer.socket.destroyed).toBe(false)
  vi.advanceTimersByTime(DEFAULT_LIMITS.lingerMs)
  await once(peer.socket, 'close')
  expect(peer.socket.destroyed).toBe(true)
})

test('a dispatch that fails ends one connection, not the process', async () => {
  const failures: Dispatch[] = [
    () => {
      throw new Error('broken')
    },
    () => Promise.reject(new Error('broken')),
  ]
  for (const dispatch of failures) {
    const peer = new Peer(dispatch)
    peer.send(FRAME)
    await turn()
    expect(peer.received).toContain('INTERNAL')
    expect(peer.received).not.toContain('broken')
  }
})
