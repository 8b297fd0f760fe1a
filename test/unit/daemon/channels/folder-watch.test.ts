import { mkdirSync, promises, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { Watched } from '../../../../src/channel/carriers/carrier.ts'
import { FolderWatch, LOOK_MS, LOOKS_TO_ALL } from '../../../../src/daemon/channels/carriers/folder-watch.ts'
import { FirstMessages } from '../../../../src/daemon/channels/carriers/first-messages.ts'
import { firstName, parseFolderUrl } from '../../../../src/daemon/channels/carriers/folder-names.ts'
import { folderPlace, TestEnd, type TestPlace } from '../../../support/carrier-places.ts'
import { FakeClock, FakeKernel } from '../../../support/fake-watch.ts'

interface World {
  readonly place: TestPlace
  readonly alice: TestEnd
  readonly bob: TestEnd
  readonly clock: FakeClock
  readonly kernel: FakeKernel
  readonly told: Watched[]
  readonly stop: AbortController
  /** The lines are other ones now. */
  readonly changed: () => void
  /** The subdirectory of Alice, which Bob watches. */
  readonly directory: string
  /** Lets the next look happen, and gives what it told. */
  readonly look: () => Promise<number>
  /** The news up to now. */
  readonly news: () => Promise<number>
}

/** Bob watches what Alice leaves, by a kernel and a clock of the test. */
async function watching(
  kernel = new FakeKernel(),
  lines = (alice: TestEnd, bob: TestEnd) => [{ line: bob.lineTo(alice), own: bob.intake }],
): Promise<World> {
  const place = folderPlace()
  const [alice, bob] = [await TestEnd.at(place), await TestEnd.at(place)]
  const clock = new FakeClock()
  const told: Watched[] = []
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const watch = new FolderWatch({
    folders: [place.at],
    clock,
    firsts: new FirstMessages(),
    watchDirectory: kernel.watchDirectory,
    lines: () => lines(alice, bob),
    onNews: (watched) => void told.push(watched),
    signal: stop.signal,
  })
  watch.changed()
  const news = async (): Promise<number> => {
    await looked(clock)
    await setImmediate()
    return told.splice(0).length
  }
  const look = async (): Promise<number> => {
    clock.pass(LOOK_MS)
    return await news()
  }
  const directory = join(place.at, parseFolderUrl(alice.address.where[0]!.url)!)
  const changed = (): void => watch.changed()
  return { place, alice, bob, clock, kernel, told, stop, changed, directory, look, news }
}

/** Resolves when no look is in progress: each ends by setting the timer of the next. */
async function looked(clock: FakeClock): Promise<void> {
  while (clock.timers.size === 0) await setImmediate()
}

/** Gives a directory another time, as a change in it does. */
function touch(directory: string, sec: number): void {
  utimesSync(directory, sec, sec)
}

it('a burst of events is told once, and names of others not at all', async () => {
  const { kernel, place, directory, news } = await watching()
  expect(await news()).toBeGreaterThan(0)
  expect(kernel.watched).toEqual([place.at, directory].toSorted())
  for (let n = 1; n <= 64; n++) kernel.event(directory, `${n}.frame`)
  expect(await news()).toBe(1)
  for (const name of ['photo.jpg', 'closed', `.personad-${'0'.repeat(32)}.tmp`]) kernel.event(directory, name)
  expect(await news()).toBe(0)
  kernel.event(directory, null)
  expect(await news()).toBe(1)
})

it('a folder without events is looked at every few seconds', async () => {
  const kernel = new FakeKernel()
  const { directory, look, news } = await watching(kernel)
  expect(await news()).toBeGreaterThan(0)
  expect(await look()).toBe(0)
  touch(directory, 1_000_000)
  expect(await look()).toBe(1)
  expect(await look()).toBe(0)
})

it('each minute everything counts as changed, for file systems that keep no time of a directory', async () => {
  const { look, news } = await watching()
  await news()
  let told = 0
  for (let n = 0; n < 2 * LOOKS_TO_ALL; n++) told += await look()
  expect(told).toBe(2)
})

it('a folder that cannot be watched is looked at', async () => {
  const place = new FakeKernel()
  const { kernel, directory, look, news } = await watching(place)
  await news()
  kernel.refuses.set(directory, 'ENOSPC')
  kernel.fail(directory, 'ENOSPC')
  expect(kernel.watched).not.toContain(directory)
  expect(await look()).toBe(0)
  touch(directory, 1_000_000)
  expect(await look()).toBe(1)
  kernel.refuses.clear()
  await look()
  expect(kernel.watched).toContain(directory)
})

it('a folder that was pulled out is news when it is back', async () => {
  const { place, kernel, directory, look, news } = await watching()
  await news()
  const comeBack = place.takeAway()
  expect(await look()).toBe(0)
  expect(kernel.watched).toEqual([])
  comeBack()
  expect(await look()).toBe(1)
  expect(kernel.watched).toEqual([place.at, directory].toSorted())
})

it('the subdirectory of a peer that comes later is news', async () => {
  const { place, kernel, directory, news } = await watching()
  await news()
  renameSync(directory, `${directory}-aside`)
  kernel.event(place.at, directory.split('/').at(-1)!)
  expect(await news()).toBe(0)
  expect(kernel.watched).toEqual([place.at])
  renameSync(`${directory}-aside`, directory)
  kernel.event(place.at, directory.split('/').at(-1)!)
  await setImmediate()
  expect(await news()).toBe(1)
})

it('another directory in the place of one is watched anew', async () => {
  const { kernel, directory, look, news } = await watching()
  await news()
  const opened = kernel.opened
  renameSync(directory, `${directory}-aside`)
  mkdirSync(directory)
  expect(await look()).toBe(1)
  expect(kernel.opened).toBe(opened + 1)
})

it('a host hears of first messages for its invite, and not of those for others', async () => {
  const { place, kernel, bob, news } = await watching(new FakeKernel(), (_alice, host) => [
    { line: host.lineTo(null), own: host.intake },
  ])
  await news()
  const digits = parseFolderUrl(bob.address.where[0]!.url)!
  kernel.event(place.at, `${digits}-0000000000000001.m1`)
  expect(await news()).toBe(1)
  kernel.event(place.at, '0000000000000002-0000000000000001.m1')
  expect(await news()).toBe(0)
})

it('a change of the lines looks at new directories alone', async () => {
  const peers: TestEnd[] = []
  const { place, changed, look, news } = await watching(new FakeKernel(), (alice, bob) =>
    [alice, ...peers].map((peer) => ({ line: { ...bob.lineTo(peer), id: `to ${peer.intake.url}` }, own: bob.intake })),
  )
  for (let n = 0; n < 10; n++) peers.push(await TestEnd.at(place))
  changed()
  await news()
  const lstat = vi.spyOn(promises, 'lstat')
  onTestFinished(() => lstat.mockRestore())
  peers.push(await TestEnd.at(place))
  lstat.mockClear()
  changed()
  expect(await news()).toBeGreaterThan(0)
  expect(lstat).toHaveBeenCalledTimes(1)
  peers.pop()
  changed()
  expect(await news()).toBe(0)
  expect(lstat).toHaveBeenCalledTimes(1)
  await look()
  expect(lstat).toHaveBeenCalledTimes(1 + 11)
})

it('looks at single directories do not put off the look at all of them', async () => {
  const { place, kernel, clock, directory, news } = await watching()
  await news()
  touch(directory, 1_000_000)
  clock.pass(LOOK_MS - 1)
  expect(await news()).toBe(0)
  // A subdirectory that nobody waits for.
  kernel.event(place.at, '0123456789abcdef')
  expect(await news()).toBe(0)
  clock.pass(1)
  expect(await news()).toBe(1)
})

it('a folder that changes without an event is news for the hosts alone that a first message is for', async () => {
  const { place, bob, clock, look, news, told } = await watching(new FakeKernel(), (alice, host) =>
    [alice, host].map((end) => ({ line: end.lineTo(null), own: end.intake })),
  )
  expect(await news()).toBeGreaterThan(0)
  touch(place.at, 1_000_000)
  expect(await look()).toBe(0)
  writeFileSync(join(place.at, firstName(parseFolderUrl(bob.intake.url)!, '0123456789abcdef')), '')
  touch(place.at, 1_000_001)
  clock.pass(LOOK_MS)
  await looked(clock)
  await setImmediate()
  expect(told.map(({ own }) => own.url)).toEqual([bob.intake.url])
})

it('nothing is watched or told after its end, also when the end comes during a look', async () => {
  const { kernel, clock, directory, stop, told, news } = await watching()
  await news()
  kernel.event(directory, '1.frame')
  clock.pass(LOOK_MS)
  stop.abort()
  await setImmediate()
  await setImmediate()
  expect(told).toEqual([])
  expect(kernel.watched).toEqual([])
  expect(clock.timers.size).toBe(0)
  rmSync(directory, { recursive: true })
})
