import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { checkProfiles } from '../../../../src/daemon/profiles/check.ts'
import { LOSS_MS } from '../../../../src/daemon/profiles/identities.ts'
import { Profiles } from '../../../../src/daemon/profiles/profiles.ts'
import { QUIET_MS } from '../../../../src/tox/profile/watch.ts'
import { newSave } from '../../../../src/tox/save/new-profile.ts'
import { SECTION_FRIENDS, encodeSave, withSection } from '../../../../src/tox/save/savefile.ts'
import { fakeMachine } from '../../../support/fake-machine.ts'
import { FakeClock, FakeKernel } from '../../../support/fake-watch.ts'
import { OWN_LAPTOP, TestKeeper } from '../../../support/keeper.ts'
import { engine, seedOf } from '../../../support/person.ts'
import { tempDir } from '../../../support/temp-dir.ts'

let root: string
let directory: string
let keeper: TestKeeper
let clock: FakeClock
let kernel: FakeKernel
let profiles: Profiles

beforeEach(async () => {
  root = tempDir()
  directory = join(root, 'tox')
  mkdirSync(directory)
  clock = new FakeClock()
  kernel = new FakeKernel()
  keeper = await TestKeeper.withPersona()
})

const at = (name: string): string => join(directory, name)
const copies = (): string[] => readdirSync(join(root, 'kept', OWN_LAPTOP)).filter((name) => name.endsWith('.tox'))

function saveOf(device: string, statusMessage = ''): Uint8Array {
  const [nospam, secretKey] = [Uint8Array.of(1, 2, 3, 4), seedOf(`device ${device}`)]
  return encodeSave(newSave({ name: 'Me', statusMessage, secretKey, nospam, friends: [] }, engine))
}

/** A daemon that starts here, over the same state directory. */
async function start(places: readonly string[] = [directory]): Promise<void> {
  const silent = (): void => {}
  const log = { error: silent, warn: silent, info: silent, debug: silent, setLevel: silent }
  const nowSec = (): number => keeper.nowSec
  const { watchDirectory } = kernel
  const machine = fakeMachine(tempDir(), [])
  profiles = new Profiles({
    keeper: keeper.keeper,
    engine,
    nowSec,
    log,
    machine,
    clock,
    watchDirectory,
    copies: join(root, 'kept'),
  })
  onTestFinished(() => profiles.stop())
  await profiles.configure({ places, repair: false, passphrase: () => Promise.resolve(null) })
  await settle()
}

async function pass(ms: number): Promise<void> {
  clock.pass(ms)
  await profiles.idle()
}

async function settle(): Promise<void> {
  for (const ms of [60, QUIET_MS, LOSS_MS, LOSS_MS]) await pass(ms)
}

/** Something happens to the file, as a client or a crash does it. */
async function happens(change: () => void): Promise<void> {
  change()
  kernel.event(directory, 'laptop.tox')
  await settle()
}

const put = (bytes: Uint8Array, name = 'laptop.tox'): void => writeFileSync(at(name), bytes, { mode: 0o600 })

const GOOD = saveOf('own laptop', 'hello')
const LOSSES: readonly [string, string, () => void][] = [
  ['emptied, as uTox does at some exits', 'emptied', () => truncateSync(at('laptop.tox'), 0)],
  ['full of zeros, as after a crash', 'emptied', () => put(new Uint8Array(GOOD.length))],
  ['gone', 'gone', () => rmSync(at('laptop.tox'))],
  ['cut short', 'damaged', () => put(GOOD.subarray(0, 50))],
  ['another identity, as uTox makes one from an empty file', 'replaced', () => put(saveOf('a stranger'))],
]

describe('an own profile that loses its keys', () => {
  test.each(LOSSES)('%s', async (_, state, lose) => {
    put(GOOD)
    await start()
    expect(profiles.summary().profiles).toEqual({ watched: 1, older: 0, lost: 0 })
    await happens(lose)
    const [lost, ...more] = keeper.told('profile.lost')
    expect(more).toEqual([])
    const [name] = copies()
    const copy = join(root, 'kept', OWN_LAPTOP, name!)
    expect(lost).toMatchObject({ path: at('laptop.tox'), key: OWN_LAPTOP, device: 'laptop', state, copy })
    expect(new Uint8Array(readFileSync(copy))).toEqual(GOOD)
    expect([statSync(copy).mode & 0o777, statSync(join(root, 'kept')).mode & 0o777]).toEqual([0o600, 0o700])
    const { profiles: counts, findings } = profiles.summary()
    expect([counts.lost, findings[0]?.message]).toEqual([1, lost?.message])
    const finding = checkProfiles(await profiles.list(), keeper.keeper.ownTable)[0]
    expect(finding).toMatchObject({ code: 'PROFILE_LOST', severity: 'problem', message: lost?.message })
    await happens(() => put(GOOD))
    expect(profiles.summary().profiles.lost).toBe(0)
    expect(keeper.told('profile.lost')).toEqual([])
  })

  test.each(LOSSES)('while the daemon does not run: %s', async (_, state, lose) => {
    put(GOOD)
    await start()
    await profiles.stop()
    lose()
    await start()
    expect(keeper.told('profile.lost')).toMatchObject([{ state }])
  })

  test.each(LOSSES)('before the daemon ever read it, though a command named it: %s', async (_, state, lose) => {
    put(GOOD)
    await start([])
    const remember = profiles.handlers()['profile.remember']
    expect(await remember({ path: at('laptop.tox'), key: OWN_LAPTOP }, undefined as never)).toEqual({
      device: 'laptop',
    })
    lose()
    await start()
    expect(keeper.told('profile.lost')).toMatchObject([{ path: at('laptop.tox'), device: 'laptop', state, copy: null }])
    expect(profiles.summary().findings[0]?.code).toBe('PROFILE_LOST')
  })

  test('is noticed however its place is written', async () => {
    put(GOOD)
    await start([`${directory}/`])
    rmSync(at('laptop.tox'))
    kernel.event(`${directory}/`, 'laptop.tox')
    await settle()
    expect(keeper.told('profile.lost')).toMatchObject([{ state: 'gone' }])
  })

  test('has the newest copy of its saves, whatever date a file claims', async () => {
    put(GOOD)
    utimesSync(at('laptop.tox'), keeper.nowSec + 1e8, keeper.nowSec + 1e8)
    await start()
    keeper.nowSec += 60
    const newer = saveOf('own laptop', 'newer')
    await happens(() => {
      put(newer)
      utimesSync(at('laptop.tox'), keeper.nowSec, keeper.nowSec)
    })
    await happens(() => rmSync(at('laptop.tox')))
    const [lost] = keeper.told('profile.lost')
    expect(new Uint8Array(readFileSync(lost!.copy!))).toEqual(newer)
  })

  test('damaged friends are damage', async () => {
    put(GOOD)
    await start()
    const save = newSave(
      { name: 'Me', statusMessage: '', secretKey: seedOf('device own laptop'), nospam: new Uint8Array(4), friends: [] },
      engine,
    )
    await happens(() => put(encodeSave(withSection(save, SECTION_FRIENDS, new Uint8Array(5)))))
    expect(keeper.told('profile.lost')).toMatchObject([{ state: 'damaged' }])
    expect(copies()).toHaveLength(1)
  })

  test('is told again when it loses them in another way', async () => {
    put(GOOD)
    await start()
    await happens(() => truncateSync(at('laptop.tox'), 0))
    await happens(() => put(saveOf('a stranger')))
    expect(keeper.told('profile.lost')).toMatchObject([{ state: 'emptied' }, { state: 'replaced' }])
  })
})

describe('no loss', () => {
  test('is a profile that moved to another watched place, also while the daemon does not run', async () => {
    put(GOOD)
    await start()
    await happens(() => renameSync(at('laptop.tox'), at('moved.tox')))
    await profiles.stop()
    renameSync(at('moved.tox'), at('again.tox'))
    await start()
    expect(keeper.told('profile.lost')).toEqual([])
    expect((await profiles.list()).lost).toEqual([])
  })

  test('is one that is saved by removing it first', async () => {
    put(GOOD)
    await start()
    rmSync(at('laptop.tox'))
    kernel.event(directory, 'laptop.tox')
    await pass(60)
    put(saveOf('own laptop', 'new words'))
    kernel.event(directory, 'laptop.tox')
    await settle()
    expect(keeper.told('profile.lost')).toEqual([])
  })

  test('is one whose place is no longer watched, or that is not an own one', async () => {
    put(GOOD)
    put(saveOf('a stranger'), 'stranger.tox')
    await start()
    rmSync(at('laptop.tox'))
    rmSync(at('stranger.tox'))
    await profiles.configure({ places: [join(root, 'else')], repair: false, passphrase: () => Promise.resolve(null) })
    await settle()
    expect(keeper.told('profile.lost')).toEqual([])
    expect(readdirSync(join(root, 'kept'))).toEqual([OWN_LAPTOP])
  })
})

test('copies are listed for the owner, and one that cannot be kept is a trouble and stops nothing', async () => {
  put(GOOD)
  writeFileSync(join(root, 'kept'), 'a file in the way')
  await start()
  expect((await profiles.list()).troubles[0]).toContain(`no copy of ${at('laptop.tox')} was kept`)
  rmSync(join(root, 'kept'))
  await happens(() => put(saveOf('own laptop', 'more')))
  expect((await profiles.list()).troubles).toEqual([])
  const { profiles: kept } = await profiles.handlers()['profile.copies']({}, undefined as never)
  expect(kept).toMatchObject([{ path: at('laptop.tox'), key: OWN_LAPTOP, device: 'laptop', copies: [{}] }])
})

test('two watched files with one own key are reported, and a stranger or a link is no twin', async () => {
  put(GOOD)
  put(GOOD, 'copy.tox')
  put(saveOf('a stranger'), 'stranger.tox')
  put(saveOf('a stranger'), 'stranger-copy.tox')
  symlinkSync(at('laptop.tox'), at('link.tox'))
  await start()
  const isTwice = ({ code }: { readonly code: string }): boolean => code === 'PROFILE_TWICE'
  const [finding, ...more] = profiles.summary().findings.filter(isTwice)
  expect(more).toEqual([])
  expect(finding?.message).toContain(`${at('copy.tox')} and ${at('laptop.tox')} are the same device, your laptop`)
  expect(checkProfiles(await profiles.list(), keeper.keeper.ownTable).filter(isTwice)).toEqual([finding])
  await happens(() => rmSync(at('copy.tox')))
  expect(profiles.summary().findings.filter(isTwice)).toEqual([])
})
