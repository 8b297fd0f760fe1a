import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { clientsOn } from '../../../../src/tox/profile/clients.ts'
import type { Machine } from '../../../../src/tox/profile/lock-file.ts'
import { POLL_MS, Retries, RETRY_SEC } from '../../../../src/tox/profile/retries.ts'
import { fakeMachine } from '../../../support/fake-machine.ts'
import { FakeClock, FakeKernel } from '../../../support/fake-watch.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const MINUTE_MS = RETRY_SEC * 1000

let directory: string
let path: string
let machine: Machine
let clock: FakeClock
let kernel: FakeKernel
let tried: string[]
let triedOnce: Promise<void>
let retries: Retries

beforeEach(() => {
  directory = tempDir()
  path = join(directory, 'a.tox')
  writeFileSync(path, '')
  machine = fakeMachine(tempDir(), [{ pid: 4242, args: ['toxic', '-f', path], cwd: '/' }])
  clock = new FakeClock()
  kernel = new FakeKernel()
  tried = []
  triedOnce = new Promise((done) => {
    const again = (which: string): void => {
      tried.push(which)
      done()
    }
    retries = new Retries({ again, machine, clock, watchDirectory: kernel.watchDirectory })
  })
  onTestFinished(() => retries.close())
})

async function waitForToxic(): Promise<void> {
  await retries.later(path, await clientsOn(path, machine))
}

function endToxic(): void {
  renameSync(join(machine.procDir, '4242'), join(directory, 'ended'))
}

test('retries once after a minute when no client is known', async () => {
  await retries.later(path)
  clock.pass(MINUTE_MS - 1)
  expect(tried).toEqual([])
  expect(kernel.watched).toEqual([])
  clock.pass(1)
  clock.pass(10 * MINUTE_MS)
  expect(tried).toEqual([path])
})

test('retries as soon as a client without a lock ends, and until then polls only its process', async () => {
  await waitForToxic()
  expect(kernel.watched).toEqual([directory])
  expect(clock.timers.size).toBe(2)
  endToxic()
  clock.pass(POLL_MS)
  await triedOnce
  expect(tried).toEqual([path])
  expect(clock.timers.size).toBe(0)
  expect(kernel.watched).toEqual([])
})

test('retries as soon as a client is a zombie', async () => {
  await waitForToxic()
  writeFileSync(join(machine.procDir, '4242/cmdline'), '')
  clock.pass(POLL_MS)
  await triedOnce
  expect(tried).toEqual([path])
})

test.each(['a.lock', 'a.tox.lock'])('retries as soon as its lock %s changes, but not for other files', async (lock) => {
  writeFileSync(join(directory, lock), '4242\n')
  await waitForToxic()
  kernel.event(directory, 'b.lock')
  kernel.event(directory, 'a.tox')
  expect(tried).toEqual([])
  unlinkSync(join(directory, lock))
  kernel.event(directory, lock)
  expect(tried).toEqual([path])
})

test('retries when the client ended before its lock was watched', async () => {
  const clients = await clientsOn(path, machine)
  expect(clients).toHaveLength(1)
  endToxic()
  await retries.later(path, clients)
  await triedOnce
  expect(tried).toEqual([path])
})

test('retries after a minute even if the client still runs and no directory can be watched', async () => {
  kernel.refuses.set(directory, 'ENOSPC')
  await waitForToxic()
  clock.pass(MINUTE_MS)
  expect(tried).toEqual([path])
})

test('does not retry after forget() or close()', async () => {
  await waitForToxic()
  retries.forget(path)
  expect(clock.timers.size).toBe(0)
  await waitForToxic()
  retries.close()
  clock.pass(10 * MINUTE_MS)
  expect(clock.timers.size).toBe(0)
  expect(kernel.watched).toEqual([])
  expect(tried).toEqual([])
})

test('retries once when it was asked to wait twice', async () => {
  await waitForToxic()
  await waitForToxic()
  expect(clock.timers.size).toBe(2)
  clock.pass(MINUTE_MS)
  expect(tried).toEqual([path])
})

test('a profile just written is not written again for a minute', () => {
  expect(retries.isTooSoon(path)).toBe(false)
  retries.wrote(path)
  clock.pass(MINUTE_MS - 1)
  expect(retries.isTooSoon(path)).toBe(true)
  expect(retries.isTooSoon(`${path}2`)).toBe(false)
  clock.pass(1)
  expect(retries.isTooSoon(path)).toBe(false)
})

test("locks are watched beside a link's target", async () => {
  const elsewhere = join(directory, 'elsewhere')
  mkdirSync(elsewhere)
  renameSync(path, join(elsewhere, 'a.tox'))
  symlinkSync(join(elsewhere, 'a.tox'), path)
  await retries.later(path, await clientsOn(path, machine), join(elsewhere, 'a.tox'))
  expect(kernel.watched).toEqual([elsewhere])
})
