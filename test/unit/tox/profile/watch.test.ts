import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { defaultPlaces } from '../../../../src/tox/profile/places.ts'
import { MAX_WATCHED, survey } from '../../../../src/tox/profile/survey.ts'
import { ProfileWatch, QUIET_MS, SWEEP_MS } from '../../../../src/tox/profile/watch.ts'
import { FakeClock, FakeKernel } from '../../../support/fake-watch.ts'
import { tempDir } from '../../../support/temp-dir.ts'

let root: string
let directory: string
let clock: FakeClock
let kernel: FakeKernel
let told: string[]
let watch: ProfileWatch

beforeEach(() => {
  root = tempDir()
  directory = join(root, 'tox')
  mkdirSync(directory)
  clock = new FakeClock()
  kernel = new FakeKernel()
  told = []
})

async function start(
  places: readonly string[] = [directory],
  onProfile?: (path: string) => Promise<void>,
): Promise<void> {
  const named = (path: string): string => path.slice(root.length + 1)
  watch = new ProfileWatch({
    places,
    onProfile: async (path) => {
      told.push(named(path))
      await onProfile?.(path)
    },
    onGone: (path) => told.push(`gone ${named(path)}`),
    onTrouble: (message) => told.push(message.replaceAll(root, '')),
    clock,
    watchDirectory: kernel.watchDirectory,
  })
  onTestFinished(() => watch.close())
  await watch.start()
}

/** Waits until the current look has ended and its consequences have started. */
async function settle(): Promise<void> {
  await watch.looked()
  for (let i = 0; i < 5; i++) await turn()
  await watch.looked()
}

async function pass(ms: number): Promise<void> {
  clock.pass(ms)
  await settle()
}

/** Two looks, the second QUIET_MS after the first. */
async function quiet(): Promise<void> {
  await pass(60)
  await pass(QUIET_MS)
}

function take(): string[] {
  return told.splice(0)
}

const at = (name: string): string => join(directory, name)

/** Writes so many bytes with a distinct time: the file system's clock may be too coarse to tell two writes apart. */
let writes = 0
function write(path: string, bytes = 1): void {
  writeFileSync(path, 'x'.repeat(bytes))
  utimesSync(path, 1_700_000_000, 1_700_000_000 + ++writes)
}

/** Saves as a client does: writes a file beside the profile, renames it, and raises the events of both. */
function replace(path: string): void {
  write(`${path}.new`)
  renameSync(`${path}.new`, path)
  kernel.event(dirname(path), path.slice(dirname(path).length + 1))
}

describe('a watched directory', () => {
  test('reports the existing profiles in order and no other files', async () => {
    for (const name of ['b.tox', 'a.tox', 'a.tox.backup-20260101T000000Z', 'tox_save', 'a.ini']) write(at(name))
    mkdirSync(at('dir.tox'))
    await start()
    await quiet()
    expect(take()).toEqual(['tox/a.tox', 'tox/b.tox'])
  })

  test('reports a profile replaced by a rename within half a second', async () => {
    write(at('a.tox'))
    await start()
    await quiet()
    take()
    replace(at('a.tox'))
    await pass(60)
    expect(take()).toEqual([])
    await pass(QUIET_MS)
    expect(take()).toEqual(['tox/a.tox'])
    await pass(10_000)
    expect(take()).toEqual([])
  })

  test('waits until a file is completely written and reports it once', async () => {
    await start()
    for (let bytes = 1; bytes <= 20; bytes++) {
      write(at('a.tox'), bytes)
      kernel.event(directory, 'a.tox')
      await pass(100)
    }
    expect(take()).toEqual([])
    await pass(QUIET_MS)
    expect(take()).toEqual(['tox/a.tox'])
  })

  test('reports a profile again that changed while it was being read', async () => {
    write(at('a.tox'))
    let changed = false
    await start([directory], async () => {
      if (!changed) replace(at('a.tox'))
      changed = true
      await turn()
    })
    await quiet()
    await quiet()
    expect(take()).toEqual(['tox/a.tox', 'tox/a.tox'])
    await pass(1000)
    expect(take()).toEqual([])
  })

  test('reports one profile at a time, and afterwards one that changed meanwhile', async () => {
    write(at('a.tox'))
    write(at('b.tox'))
    let release = (): void => {}
    await start([directory], (path) => (path.endsWith('a.tox') ? new Promise((done) => (release = done)) : turn()))
    await quiet()
    expect(take()).toEqual(['tox/a.tox'])
    replace(at('b.tox'))
    await quiet()
    expect(take()).toEqual([])
    release()
    await settle()
    expect(take()).toEqual(['tox/b.tox'])
  })

  test('reports a profile as gone, and again when it is back', async () => {
    write(at('a.tox'))
    await start()
    await quiet()
    unlinkSync(at('a.tox'))
    kernel.event(directory, 'a.tox')
    await quiet()
    expect(take()).toEqual(['tox/a.tox', 'gone tox/a.tox'])
    replace(at('a.tox'))
    await quiet()
    expect(take()).toEqual(['tox/a.tox'])
  })

  test('does not look when another file in it changes', async () => {
    await start()
    const timers = clock.timers.size
    write(at('a.tox'))
    for (const name of ['a.ini', 'a.db', 'a.lock', 'a.tox.tmp', 'avatars']) kernel.event(directory, name)
    kernel.event(root, 'somebody-else')
    expect(clock.timers.size).toBe(timers)
    await quiet()
    expect(take()).toEqual([])
    kernel.event(directory, null)
    await quiet()
    expect(take()).toEqual(['tox/a.tox'])
  })

  test('costs one look every five minutes when nothing happens', async () => {
    write(at('a.tox'))
    await start()
    await quiet()
    take()
    expect([...clock.timers].map(({ atMs }) => atMs - clock.nowMs())).toEqual([SWEEP_MS])
  })

  test('finds at the next sweep what the kernel did not report', async () => {
    await start()
    write(at('a.tox'))
    await pass(SWEEP_MS)
    await pass(QUIET_MS)
    expect(take()).toEqual(['tox/a.tox'])
  })

  test(`watches at most ${MAX_WATCHED} profiles and warns once`, async () => {
    for (let i = 0; i <= MAX_WATCHED; i++) write(at(`${String(i).padStart(4, '0')}.tox`))
    await start()
    await quiet()
    await pass(SWEEP_MS)
    const all = take()
    expect(all.filter((line) => line.endsWith('.tox'))).toHaveLength(MAX_WATCHED)
    expect(all.filter((line) => line.includes('more than'))).toHaveLength(1)
    expect(watch.troubles).toHaveLength(1)
  })
})

describe('places that come and go', () => {
  test('a missing directory is awaited, level by level', async () => {
    const deep = join(root, 'one', 'two', 'tox')
    await start([deep])
    expect(kernel.watched).toEqual([root])
    mkdirSync(join(root, 'one'))
    expect(kernel.event(root, 'one')).toBe(true)
    await quiet()
    expect(kernel.watched).toEqual([join(root, 'one')])
    mkdirSync(deep, { recursive: true })
    write(join(deep, 'a.tox'))
    expect(kernel.event(join(root, 'one'), 'two')).toBe(true)
    await quiet()
    expect(take()).toEqual(['one/two/tox/a.tox'])
    replace(join(deep, 'a.tox'))
    await quiet()
    expect(take()).toEqual(['one/two/tox/a.tox'])
  })

  test('a directory that is deleted and recreated is watched again', async () => {
    write(at('a.tox'))
    await start()
    await quiet()
    rmSync(directory, { recursive: true })
    kernel.event(directory, 'tox')
    await quiet()
    expect(take()).toEqual(['tox/a.tox', 'gone tox/a.tox'])
    mkdirSync(directory)
    write(at('b.tox'))
    expect(kernel.event(root, 'tox')).toBe(true)
    await quiet()
    expect(take()).toEqual(['tox/b.tox'])
    const opened = kernel.opened
    renameSync(directory, join(root, 'old'))
    mkdirSync(directory)
    kernel.event(root, 'tox')
    await quiet()
    expect(kernel.opened).toBe(opened + 1)
  })

  test('a file is watched through its directory, whether it exists or not', async () => {
    await start([at('bot.tox')])
    write(at('other.tox'))
    kernel.event(directory, 'other.tox')
    replace(at('bot.tox'))
    await quiet()
    expect(take()).toEqual(['tox/bot.tox'])
  })

  test('a link is followed, and changes of its target are seen even if the target appears later', async () => {
    const elsewhere = join(root, 'elsewhere')
    mkdirSync(elsewhere)
    symlinkSync(join(elsewhere, 'real.tox'), at('a.tox'))
    await start()
    await quiet()
    expect(take()).toEqual([])
    replace(join(elsewhere, 'real.tox'))
    await quiet()
    replace(join(elsewhere, 'real.tox'))
    await quiet()
    expect(take()).toEqual(['tox/a.tox', 'tox/a.tox'])
  })

  test('a profile with two names through a link counts once', async () => {
    write(at('a.tox'))
    symlinkSync(at('a.tox'), at('b.tox'))
    linkSync(at('a.tox'), join(root, 'not-here.tox'))
    await start()
    await quiet()
    expect(take()).toEqual(['tox/a.tox'])
  })

  test('a ring of links and a place below a file are ignored', async () => {
    symlinkSync(at('b.tox'), at('a.tox'))
    symlinkSync(at('a.tox'), at('b.tox'))
    write(at('c.tox'))
    await start([directory, join(at('c.tox'), 'deeper', 'd.tox')])
    await quiet()
    expect(take()).toEqual(['tox/c.tox'])
  })
})

describe('a kernel that does not watch', () => {
  test.each([
    ['ENOSPC', 'max_user_watches'],
    ['EMFILE', 'max_user_instances'],
  ])('with %s is reported with its remedy, and polling takes over', async (errno, remedy) => {
    kernel.refuses.set(directory, errno)
    write(at('a.tox'))
    await start()
    await quiet()
    const [trouble, ...reported] = take()
    expect(trouble).toContain(`/tox cannot be watched (${errno}); checking it every 5 minutes`)
    expect(trouble).toContain(remedy)
    expect(reported).toEqual(['tox/a.tox'])
    write(at('a.tox'), 2)
    await pass(SWEEP_MS)
    await pass(QUIET_MS)
    expect(take()).toEqual(['tox/a.tox'])
    expect(watch.troubles).toHaveLength(1)
    kernel.refuses.clear()
    await pass(SWEEP_MS)
    expect(watch.troubles).toEqual([])
    replace(at('a.tox'))
    await quiet()
    expect(take()).toEqual(['tox/a.tox'])
  })

  test('because the directory has just gone is no trouble and is retried at once', async () => {
    kernel.refuses.set(directory, 'ENOENT')
    await start()
    expect(watch.troubles).toEqual([])
    kernel.refuses.clear()
    await pass(60)
    expect(kernel.watched).toContain(directory)
    expect(take()).toEqual([])
  })

  test('or stops watching is asked again at once', async () => {
    write(at('a.tox'))
    await start()
    await quiet()
    take()
    kernel.fail(directory, 'EIO')
    expect(watch.troubles).toHaveLength(1)
    await quiet()
    expect(kernel.watched).toContain(directory)
    expect(watch.troubles).toEqual([])
  })
})

test('close() waits for the current report, and nothing is reported after it', async () => {
  write(at('a.tox'))
  write(at('b.tox'))
  let release = (): void => {}
  await start([directory], () => new Promise((done) => (release = done)))
  await quiet()
  let ended = false
  const closed = watch.close().then(() => (ended = true))
  await settle()
  expect(ended).toBe(false)
  release()
  await closed
  replace(at('a.tox'))
  await pass(SWEEP_MS)
  expect(take()).toEqual(['tox/a.tox'])
  expect(clock.timers.size).toBe(0)
  expect(kernel.watched).toEqual([])
})

test('a change between the listing of a directory and its watching is not lost', async () => {
  const watchDirectory = kernel.watchDirectory
  const late = (...args: Parameters<typeof watchDirectory>): { close(): void } => {
    if (args[0] === directory) write(at('late.tox'))
    return watchDirectory(...args)
  }
  watch = new ProfileWatch({
    places: [directory],
    onProfile: (path) => Promise.resolve(void told.push(path)),
    onGone: () => {},
    onTrouble: () => {},
    clock,
    watchDirectory: late,
  })
  onTestFinished(() => watch.close())
  await watch.start()
  await pass(QUIET_MS)
  expect(told).toEqual([at('late.tox')])
})

test('the real kernel reports a rename', async () => {
  let reported = (_path: string): void => {}
  const report = new Promise<string>((done) => (reported = done))
  const real = new ProfileWatch({
    places: [directory],
    onProfile: (path) => Promise.resolve(reported(path)),
    onGone: () => {},
    onTrouble: () => {},
  })
  onTestFinished(() => real.close())
  await real.start()
  write(join(root, 'new'))
  renameSync(join(root, 'new'), at('a.tox'))
  expect(await report).toBe(at('a.tox'))
})

describe('places', () => {
  test('default to the XDG directories of qTox, toxic and uTox', () => {
    const rest = (data: string): string[] => [
      `${data}/tox`,
      '/home/u/.weechat/tox',
      `${data}/weechat/tox`,
      '/home/u/.var/app/io.github.qtox.qTox/config/tox',
      '/home/u/.var/app/io.github.qtox.qTox/data/tox',
    ]
    const usual = rest('/home/u/.local/share')
    expect(defaultPlaces({ HOME: '/home/u' })).toEqual(['/home/u/.config/tox', ...usual])
    expect(defaultPlaces({ HOME: '/home/u', XDG_CONFIG_HOME: '/c' })).toEqual(['/c/tox', ...usual])
    expect(defaultPlaces({ HOME: '/home/u', XDG_CONFIG_HOME: 'relative' })).toEqual(['/home/u/.config/tox', ...usual])
    expect(defaultPlaces({ HOME: '/home/u', XDG_DATA_HOME: '/d' })).toEqual(['/home/u/.config/tox', ...rest('/d')])
  })

  test('include Flatpaks and snaps of Tox clients that are installed, and of no other apps', () => {
    const HOME = join(root, 'home')
    for (const app of ['.var/app/io.github.utox.uTox', '.var/app/org.gimp.GIMP', 'snap/toxic', 'snap/firefox'])
      mkdirSync(join(HOME, app), { recursive: true })
    const found = defaultPlaces({ HOME }).map((place) => place.slice(HOME.length + 1))
    expect(found).toContain('.var/app/io.github.utox.uTox/config/tox')
    expect(found).toContain('.var/app/io.github.qtox.qTox/config/tox')
    expect(found).toContain('snap/toxic/current/.config/tox')
    expect(found.filter((place) => /GIMP|firefox/.test(place))).toEqual([])
  })

  test('that cannot be read count as missing', async () => {
    const found = await survey([join(root, 'missing'), '/proc/1/no/such.tox'])
    expect(found.files).toEqual([])
    expect(found.isCut).toBe(false)
  })
})
