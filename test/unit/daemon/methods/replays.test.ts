/** Events and replays: the connections that receive them, and the cost to others. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { DaemonEvent } from '../../../../src/ipc/methods/events.ts'
import type { Caller, Permission } from '../../../../src/ipc/methods/method.ts'
import { TestKeeper } from '../../../support/keeper.ts'

/** A connection of an app that reads an event only when it is asked to, or at once. */
class Reader implements Caller {
  readonly id = 9
  readonly role = 'app'
  isOpen = true
  isFast = true
  subscribed: readonly string[] | null = null
  readonly got: string[] = []
  #read: (() => void)[] = []

  subscribe(events: readonly string[]): void {
    this.subscribed = events
  }

  unsubscribe(): void {
    this.subscribed = null
  }

  async replay(message: { readonly event: string }): Promise<boolean> {
    this.got.push(message.event)
    if (!this.isFast) await new Promise<void>((resolve) => this.#read.push(resolve))
    return this.isOpen
  }

  readOne(): void {
    this.#read.shift()?.()
  }
}

async function withLocks(count: number, appDefaults: readonly Permission[] = ['read']): Promise<TestKeeper> {
  const test = await TestKeeper.withPersona({ appDefaults })
  for (let i = 0; i < count; i++) await test.keeper.emit({ event: 'locked', data: { locked: true, cause: 'idle' } })
  return test
}

async function hello(test: TestKeeper, reader: Reader, name = 'bot'): Promise<void> {
  const { token } = await test.call('app.allow', { name, can: ['read'] })
  await test.handlers['app.hello']({ token }, reader)
}

describe('an app', () => {
  it('subscribes to all events that a call with its capabilities could show, and to no others', async () => {
    const test = await TestKeeper.withPersona()
    const reader = new Reader()
    await hello(test, reader)
    const { events } = await test.handlers.subscribe({}, reader)
    expect(events).toContain('contact.changed')
    expect(events).toContain('app.changed')
    for (const name of [
      'alarm',
      'pending.new',
      'pending.answered',
      'own.intent-dropped',
      'profile.repaired',
    ] as const) {
      expect(events).not.toContain(name)
      await expect(test.handlers.subscribe({ events: [name] }, reader)).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        details: { permission: 'admin' },
      })
    }
  })

  it('receives what happens to itself, and nothing about other apps, now and in a replay', async () => {
    const test = await TestKeeper.withPersona()
    const reader = new Reader()
    await hello(test, reader)
    test.events.length = 0
    await test.call('app.allow', { name: 'cat', can: ['observe'] })
    await test.handlers['app.request']({ name: 'bot', can: ['publish'] }, reader)
    const heard = test.events.filter((event) => test.apps.mayHear(reader, event))
    expect(heard).toMatchObject([{ event: 'app.changed', data: { app: 'bot', what: 'requested' } }])
    await test.handlers.subscribe({ events: ['app.changed'], after: 0 }, reader)
    expect(reader.got).toStrictEqual(['app.changed', 'app.changed'])
  })

  it('receives nothing more once it is revoked, also in the middle of a slow replay', async () => {
    const test = await withLocks(20, [])
    const reader = new Reader()
    await hello(test, reader)
    reader.isFast = false
    const replay = Promise.resolve(test.handlers.subscribe({ events: ['locked'], after: 0 }, reader))
    const ended = expect(replay).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    await expect.poll(() => reader.got.length).toBe(1)
    reader.readOne()
    await expect.poll(() => reader.got.length).toBe(2)
    await test.call('app.revoke', { name: 'bot' })
    reader.readOne()
    await ended
    expect([reader.got.length, reader.subscribed]).toStrictEqual([2, null])
    expect(test.apps.mayHear(reader, { event: 'locked' } as DaemonEvent)).toBe(false)
  })
})

describe('a replay', () => {
  it.each([
    ['a later subscription', (test: TestKeeper, reader: Reader) => test.handlers.subscribe({ after: 20 }, reader)],
    ['the end of the subscription', (test: TestKeeper, reader: Reader) => test.handlers.unsubscribe({}, reader)],
    ['the end of the connection', (_: TestKeeper, reader: Reader) => void (reader.isOpen = false)],
  ])('ends at %s, also while it finds no event', async (_, end) => {
    const test = await withLocks(500)
    const reader = new Reader()
    const replay = Promise.resolve(test.handlers.subscribe({ events: ['clock'], after: 0 }, reader))
    const ended = expect(replay).rejects.toMatchObject({ code: 'REPLAY_ENDED' })
    await nextTurn()
    await end(test, reader)
    await ended
    expect(reader.got.filter((event) => event === 'clock')).toStrictEqual([])
  })

  it('takes one turn of the event loop with all others, so that a hundred delay nobody a hundred times', async () => {
    const test = await withLocks(300)
    const readers = Array.from({ length: 100 }, () => new Reader())
    const replays = readers.map(
      async (reader) => await test.handlers.subscribe({ events: ['clock'], after: 0 }, reader),
    )
    let turns = 0
    const count = (): void => {
      turns++
      counting = setImmediate(count)
    }
    let counting = setImmediate(count)
    await Promise.all(replays)
    clearImmediate(counting)
    // 300 entries are five slices or more.
    expect(turns).toBeGreaterThanOrEqual(100 * 5)
    expect(readers.every(({ subscribed }) => subscribed?.[0] === 'clock')).toBe(true)
  })
})
