import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseHex } from '../../../../src/core/encoding/bytes.ts'
import { LOSS_MS } from '../../../../src/daemon/profiles/identities.ts'
import type { LogFields } from '../../../../src/process/log.ts'
import { Profiles, type ProfilesConfig } from '../../../../src/daemon/profiles/profiles.ts'
import type { WatchedProfile } from '../../../../src/ipc/shapes/profiles.ts'
import { encryptSave } from '../../../../src/tox/save/esave.ts'
import type { Machine } from '../../../../src/tox/profile/lock-file.ts'
import { newSave, type NewFriend } from '../../../../src/tox/save/new-profile.ts'
import { decodeSave, encodeSave, readStatusMessage, type ToxSave } from '../../../../src/tox/save/savefile.ts'
import { POLL_MS, RETRY_SEC } from '../../../../src/tox/profile/retries.ts'
import { QUIET_MS } from '../../../../src/tox/profile/watch.ts'
import { fakeMachine, type FakeProcess } from '../../../support/fake-machine.ts'
import { FakeClock, FakeKernel } from '../../../support/fake-watch.ts'
import { OWN_LAPTOP, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, engine, person, seedOf, type Person } from '../../../support/person.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const TOXIC_AWAY = 'Away from keyboard, be back soon!'
const TOXIC_LINE = 'ui = { mplex_away=false; };'

let root: string
let directory: string
let keeper: TestKeeper
let clock: FakeClock
let kernel: FakeKernel
let logged: { event: string; fields: LogFields }[]
let profiles: Profiles
let zoe: Person

beforeEach(async () => {
  root = tempDir()
  directory = join(root, 'tox')
  mkdirSync(directory)
  clock = new FakeClock()
  kernel = new FakeKernel()
  logged = []
  keeper = await TestKeeper.withPersona()
  zoe = person('Zoe')
})

const at = (name: string): string => join(directory, name)

function machineWith(processes: readonly FakeProcess[] = [], uidMap = '         0          0 4294967295\n'): Machine {
  const machine = fakeMachine(tempDir(), processes)
  mkdirSync(join(machine.procDir, 'self/ns'), { recursive: true })
  writeFileSync(join(machine.procDir, 'self/uid_map'), uidMap)
  return machine
}

async function watchWith(config: Partial<ProfilesConfig> = {}, machine: Machine = machineWith()): Promise<void> {
  const note = (event: string, fields: LogFields = {}): void => void logged.push({ event, fields })
  const log = { error: note, warn: note, info: note, debug: note, setLevel: () => {} }
  const { watchDirectory } = kernel
  const nowSec = (): number => keeper.nowSec
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
  await profiles.configure({ places: [directory], repair: false, passphrase: () => Promise.resolve(null), ...config })
  await quiet()
}

async function pass(ms: number): Promise<void> {
  clock.pass(ms)
  await profiles.idle()
}

async function quiet(): Promise<void> {
  await pass(60)
  await pass(QUIET_MS)
}

let writes = 0
/** Saves like a client: temporary file, then rename. The time of the file is the present time of the test. */
async function put(name: string, bytes: Uint8Array): Promise<void> {
  writeFileSync(at(`${name}.new`), bytes, { mode: 0o600 })
  utimesSync(at(`${name}.new`), keeper.nowSec, keeper.nowSec + ++writes / 1e6)
  renameSync(at(`${name}.new`), at(name))
  kernel.event(directory, name)
  if (profiles !== undefined) await quiet()
}

function saveOf(device: string, statusMessage: string, friends: readonly NewFriend[] = []): ToxSave {
  const secretKey = seedOf(`device ${device}`)
  return newSave({ name: 'Me', statusMessage, secretKey, nospam: Uint8Array.of(1, 2, 3, 4), friends }, engine)
}

const laptop = (statusMessage: string, friends: readonly NewFriend[] = []): Uint8Array =>
  encodeSave(saveOf('own laptop', statusMessage, friends))

function friend(key: string, statusMessage: string, name = 'Zoe'): NewFriend {
  return { publicKey: parseHex(key)!, name, statusMessage, lastSeenSec: keeper.nowSec - 60 }
}

async function tokenWith(words: string): Promise<string> {
  return (await keeper.call('blob.get', { words })).text
}

function shownBy(name: string): string {
  return readStatusMessage(decodeSave(new Uint8Array(readFileSync(at(name))))).text
}

async function only(): Promise<WatchedProfile> {
  const { profiles: list } = await profiles.list()
  expect(list).toHaveLength(1)
  return list[0]!
}

/** Changes the own table, and notifies the profiles as the daemon does. */
async function edit(change: () => Promise<unknown>): Promise<void> {
  await change()
  profiles.ownChanged()
  await profiles.idle()
}

const addPhone = (): Promise<unknown> => keeper.call('device.add', { name: 'phone', key: deviceKey('own phone') })

beforeEach(() => {
  profiles = undefined as unknown as Profiles
})

describe('friends of a watched profile', () => {
  test("are observations under the profile's key, with the time when the friend was last seen", async () => {
    await put('a.tox', laptop('hi', [friend(zoe.key('phone'), zoe.table(['phone']).text())]))
    await watchWith()
    const [told] = keeper.told('contact.changed')
    expect(told).toMatchObject({ source: `profile:${OWN_LAPTOP}`, contact: { name: 'Zoe', personaId: zoe.id } })
    expect(told?.contact.devices[0]).toMatchObject({ state: 'confirmed', seenAtSec: keeper.nowSec - 60 })
    expect(await only()).toMatchObject({ path: at('a.tox'), key: OWN_LAPTOP, device: 'laptop', problem: null })
  })

  test('are reported again only if their status message is new', async () => {
    const others = Array.from({ length: 40 }, (_, i) => friend(deviceKey(`friend ${i}`), `text ${i}`, `F${i}`))
    await put('a.tox', laptop('hi', [friend(zoe.key('phone'), 'no table yet'), ...others]))
    await watchWith()
    expect((await keeper.call('status')).counts.provisional).toBe(41)
    const observe = vi.spyOn(keeper.keeper, 'observe')
    await put('a.tox', laptop('hi', [friend(zoe.key('phone'), zoe.table(['phone']).text()), ...others]))
    expect(keeper.told('contact.changed')).toHaveLength(1)
    const reported = observe.mock.calls.flatMap(([observations]) => observations.map(({ from }) => from))
    expect(reported).toEqual([zoe.key('phone'), OWN_LAPTOP])
  })

  test('are all reported again if another profile replaces the file', async () => {
    const friends = [friend(zoe.key('phone'), zoe.table(['phone']).text())]
    await put('a.tox', encodeSave(saveOf('a bot', 'beep', friends)))
    await watchWith()
    await put('a.tox', laptop('hi', friends))
    const { devices } = await keeper.call('contact.show', { contact: zoe.id })
    expect(devices[0]?.sources).toEqual([`profile:${OWN_LAPTOP}`, `profile:${deviceKey('a bot')}`])
  })

  test.skipIf(process.geteuid?.() !== 0)(
    'are not believed if another user’s file replaces the profile while it is read',
    async () => {
      const plain = laptop('hi', [friend(zoe.key('phone'), zoe.table(['phone']).text())])
      writeFileSync(at('a.tox'), await encryptSave(laptop('hi'), 'sesame', engine), { mode: 0o600 })
      writeFileSync(at('other'), await encryptSave(plain, 'sesame', engine), { mode: 0o600 })
      chownSync(at('other'), 65_534, 65_534)
      const passphrase = (): Promise<string> => {
        renameSync(at('other'), at('a.tox'))
        return Promise.resolve('sesame')
      }
      await watchWith({ passphrase })
      expect((await only()).problem?.message).toContain('belongs to user 65534')
      expect(keeper.told('contact.changed')).toEqual([])
    },
  )

  test('count in a foreign profile too, whose own status message is not compared', async () => {
    await put('bot.tox', encodeSave(saveOf('a bot', 'beep', [friend(zoe.key('phone'), zoe.table(['phone']).text())])))
    const observe = vi.spyOn(keeper.keeper, 'observe')
    await watchWith({ repair: true })
    expect(keeper.told('contact.changed')).toHaveLength(1)
    expect(observe.mock.calls.flatMap(([observations]) => observations)).toHaveLength(1)
    expect(await only()).toMatchObject({ device: null, shows: null, repair: null })
    expect(keeper.told('profile.blob-lost')).toEqual([])
  })

  test.each([
    ['is open to everybody', 0o606, 'TOX_FILE_UNREADABLE', 'chmod o-w'],
    ['is no profile', 0o600, 'TOX_NOT_A_PROFILE', 'not a Tox profile'],
  ])('are not believed if the file %s', async (what, mode, code, says) => {
    const friends = [friend(zoe.key('phone'), zoe.table(['phone']).text())]
    writeFileSync(at('a.tox'), what === 'is no profile' ? 'hello, world' : laptop('hi', friends))
    chmodSync(at('a.tox'), mode)
    await watchWith()
    const profile = await only()
    expect(profile.problem).toMatchObject({ code })
    expect(profile.problem?.message).toContain(says)
    expect(profile.shows).toEqual({ state: 'unread', epoch: null, seq: null })
    expect(keeper.told('contact.changed')).toEqual([])
    expect(logged.map(({ event }) => event)).toEqual(['profile.unread'])
  })

  test.skipIf(process.geteuid?.() !== 0)("are not believed if the file is another user's (needs root)", async () => {
    writeFileSync(at('a.tox'), laptop('hi', [friend(zoe.key('phone'), zoe.table(['phone']).text())]), { mode: 0o600 })
    chownSync(at('a.tox'), 65_534, 65_534)
    await watchWith()
    expect((await only()).problem?.message).toContain('belongs to user 65534')
    expect(keeper.told('contact.changed')).toEqual([])
  })

  test('of an encrypted profile need the passphrase; with a wrong one it is listed and not read', async () => {
    const plain = laptop('hi', [friend(zoe.key('phone'), zoe.table(['phone']).text())])
    writeFileSync(at('a.tox'), await encryptSave(plain, 'sesame', engine))
    await watchWith()
    expect(await only()).toMatchObject({ key: null, encrypted: true, problem: { code: 'TOX_ENCRYPTED' } })
    await profiles.configure({ places: [directory], repair: false, passphrase: () => Promise.resolve('wrong') })
    await quiet()
    expect(await only()).toMatchObject({ key: null, encrypted: true, problem: { code: 'TOX_WRONG_PASSPHRASE' } })
    await profiles.configure({ places: [directory], repair: false, passphrase: () => Promise.resolve('sesame') })
    await quiet()
    expect(await only()).toMatchObject({ key: OWN_LAPTOP, encrypted: true, problem: null })
    expect(keeper.told('contact.changed')).toHaveLength(1)
  })

  test('are not watched after a reload without places, and a deleted profile is not listed', async () => {
    await put('a.tox', laptop('hi'))
    await watchWith()
    renameSync(at('a.tox'), at('a.old'))
    kernel.event(directory, 'a.tox')
    await quiet()
    expect((await profiles.list()).profiles).toEqual([])
    await put('b.tox', laptop('hi'))
    await profiles.configure({ places: [], repair: false, passphrase: () => Promise.resolve(null) })
    expect(await profiles.list()).toEqual({ profiles: [], lost: [], troubles: [] })
    expect(kernel.watched).toEqual([])
    expect(clock.timers.size).toBe(0)
  })
})

describe('what an own profile shows', () => {
  test('is compared with the own table, and again after the table changes', async () => {
    await put('a.tox', laptop(await tokenWith('words')))
    await watchWith()
    expect((await only()).shows).toEqual({ state: 'current', epoch: 0, seq: 1 })
    expect(profiles.summary()).toEqual({ profiles: { watched: 1, older: 0, lost: 0 }, findings: [] })
    await edit(addPhone)
    expect((await only()).shows).toEqual({ state: 'older', epoch: 0, seq: 1 })
    const message = `${at('a.tox')} still shows an older table of yours`
    expect(profiles.summary()).toMatchObject({
      profiles: { watched: 1, older: 1, lost: 0 },
      findings: [{ code: 'PROFILE_OLDER', message, hint: 'publish the table into it', about: { path: at('a.tox') } }],
    })
    await put('a.tox', laptop(await tokenWith('words')))
    expect((await only()).shows).toEqual({ state: 'current', epoch: 0, seq: 2 })
  })

  test('is a sighting without the table, which the finding of the profile names', async () => {
    await watchWith()
    expect(profiles.sees(OWN_LAPTOP)).toBeNull()
    await put('a.tox', laptop(await tokenWith('words')))
    expect((await only()).shows?.state).toBe('current')
    const { table, ...seen } = keeper.keeper.shownBy(OWN_LAPTOP)!
    expect(table).toEqual({ epoch: 0, seq: 1 })
    expect(profiles.sees(OWN_LAPTOP)).toEqual(seen)
    expect(profiles.sees(zoe.key('phone'))).toBeNull()
  })

  test('can be another persona, or no table', async () => {
    await put('a.tox', laptop(zoe.table(['phone']).text()))
    await watchWith({ repair: true })
    expect((await only()).shows?.state).toBe('other')
    expect(profiles.summary().findings[0]?.message).toContain('shows another persona')
    await put('a.tox', laptop('just words'))
    expect((await only()).shows?.state).toBe('none')
    // The device showed another persona last, so no own table was lost, and nothing is written.
    expect(keeper.told('profile.blob-lost')).toEqual([])
    expect(shownBy('a.tox')).toBe('just words')
  })

  test('is reported once the device is added to the table', async () => {
    await put('p.tox', encodeSave(saveOf('own phone', 'hello')))
    await watchWith()
    expect(await only()).toMatchObject({ device: null, shows: null })
    const observe = vi.spyOn(keeper.keeper, 'observe')
    await edit(addPhone)
    expect(observe.mock.calls.flatMap(([observations]) => observations)).toMatchObject([{ text: 'hello' }])
    expect(await only()).toMatchObject({ device: 'phone', shows: { state: 'none' } })
    expect(profiles.summary().findings[0]).toMatchObject({
      code: 'PROFILE_SHOWS_NONE',
      hint: 'publish the table into it',
    })
  })
})

describe('a table that a client lost', () => {
  async function publishThenLose(lost: string, config: Partial<ProfilesConfig> = {}): Promise<void> {
    await put('a.tox', laptop(await tokenWith('in the garden')))
    await watchWith(config)
    expect(keeper.told('profile.blob-lost')).toEqual([])
    await put('a.tox', laptop(lost))
  }

  test('to toxic causes one event, which names the line of toxic.conf that prevents it', async () => {
    await publishThenLose(TOXIC_AWAY)
    const [lost, ...more] = keeper.told('profile.blob-lost')
    expect(more).toEqual([])
    expect(lost).toMatchObject({ path: at('a.tox'), key: OWN_LAPTOP, device: 'laptop', state: 'none' })
    expect(lost?.message).toContain(TOXIC_LINE)
    expect(lost?.message).toContain('publish the table into it again')
    expect(profiles.summary().findings[0]?.hint).toContain(TOXIC_LINE)
    await put('a.tox', laptop(TOXIC_AWAY, [friend(zoe.key('phone'), '')]))
    expect(keeper.told('profile.blob-lost')).toEqual([])
    await put('a.tox', laptop('other words'))
    const [again] = keeper.told('profile.blob-lost')
    expect(again?.message).not.toContain('toxic')
  })

  test('by cutting it off causes an event with the state "damaged"', async () => {
    await publishThenLose((await tokenWith('in the garden')).slice(0, -5))
    expect(keeper.told('profile.blob-lost')).toMatchObject([{ state: 'damaged' }])
    expect((await only()).shows?.state).toBe('damaged')
  })

  test('while the daemon was down causes an event at its start', async () => {
    await keeper.sees(OWN_LAPTOP, await tokenWith(''))
    await put('a.tox', laptop('only words'))
    await watchWith()
    expect(keeper.told('profile.blob-lost')).toHaveLength(1)
  })

  test('causes no event and no write if the profile never showed it', async () => {
    await put('a.tox', laptop('only words'))
    await watchWith({ repair: true })
    expect(keeper.told('profile.blob-lost')).toEqual([])
    expect(shownBy('a.tox')).toBe('only words')
    expect(await only()).toMatchObject({ shows: { state: 'none' }, repair: null })
  })

  test('is not written back without the setting repair', async () => {
    await publishThenLose(TOXIC_AWAY)
    await pass(10 * RETRY_SEC * 1000)
    expect(shownBy('a.tox')).toBe(TOXIC_AWAY)
    expect(readdirSync(directory)).toEqual(['a.tox'])
  })

  test.each([
    ['toxic', TOXIC_AWAY, 'in the garden'],
    ['the user, who set other words', 'on the road', 'on the road'],
  ])("to %s is written back with the words that are the user's", async (_who, lost, words) => {
    await publishThenLose(lost, { repair: true })
    expect(shownBy('a.tox')).toBe(await tokenWith(words))
    const [repaired] = keeper.told('profile.repaired')
    expect(repaired).toMatchObject({ path: at('a.tox'), key: OWN_LAPTOP, device: 'laptop', epoch: 0, seq: 1 })
    const backup = decodeSave(new Uint8Array(readFileSync(repaired!.backup)))
    expect(readStatusMessage(backup).text).toBe(lost)
    kernel.event(directory, 'a.tox')
    await quiet()
    expect(await only()).toMatchObject({ shows: { state: 'current', seq: 1 }, repair: null })
    expect(keeper.told('profile.repaired')).toEqual([])
  })

  test('by cutting it off is written back without the fragment of the token', async () => {
    await publishThenLose((await tokenWith('in the garden')).slice(0, 150), { repair: true })
    expect(shownBy('a.tox')).toBe(await tokenWith('in the garden'))
  })

  test('is written back without the words if both do not fit', async () => {
    await publishThenLose('w'.repeat(1000), { repair: true })
    expect(shownBy('a.tox')).toBe(await tokenWith(''))
  })

  test('is written back at most once a minute if somebody keeps replacing it', async () => {
    await publishThenLose(TOXIC_AWAY, { repair: true })
    expect(keeper.told('profile.repaired')).toHaveLength(1)
    kernel.event(directory, 'a.tox')
    await quiet()
    await put('a.tox', laptop('replaced again'))
    expect(keeper.told('profile.repaired')).toEqual([])
    expect((await only()).repair).toContain('a moment ago')
    keeper.later(RETRY_SEC)
    await pass(RETRY_SEC * 1000)
    expect(keeper.told('profile.repaired')).toHaveLength(1)
    expect(shownBy('a.tox')).toBe(await tokenWith('replaced again'))
  })

  test('is not written while a client has the profile open, but as soon as the client ends', async () => {
    const process: FakeProcess = { pid: 4242, args: ['toxic', '-f', at('a.tox')], cwd: '/' }
    const machine = machineWith([process])
    await put('a.tox', laptop(await tokenWith('in the garden')))
    await watchWith({ repair: true }, machine)
    await put('a.tox', laptop(TOXIC_AWAY))
    expect(shownBy('a.tox')).toBe(TOXIC_AWAY)
    expect(keeper.told('profile.repaired')).toEqual([])
    const waiting = await only()
    expect(waiting.client).toBe('toxic')
    expect(waiting.repair).toContain('toxic (process 4242)')
    for (let ms = 0; ms < RETRY_SEC * 1000; ms += POLL_MS) await pass(POLL_MS)
    expect(keeper.told('profile.repaired')).toEqual([])
    keeper.later(RETRY_SEC)
    const tell = keeper.keeper.emit.bind(keeper.keeper)
    const repaired = new Promise<void>((done) => {
      vi.spyOn(keeper.keeper, 'emit').mockImplementation(async (event) => {
        await tell(event)
        if (event.event === 'profile.repaired') done()
      })
    })
    renameSync(join(machine.procDir, '4242'), join(root, 'ended'))
    clock.pass(POLL_MS)
    await repaired
    await profiles.idle()
    expect(keeper.told('profile.repaired')).toHaveLength(1)
    expect(shownBy('a.tox')).toBe(await tokenWith('in the garden'))
    expect(await only()).toMatchObject({ client: null, repair: null })
  })

  test('is never written by a daemon in a sandbox, which sees no clients', async () => {
    await put('a.tox', laptop(await tokenWith('in the garden')))
    await watchWith({ repair: true }, machineWith([], '      1000       1000          1\n'))
    await put('a.tox', laptop(TOXIC_AWAY))
    expect(shownBy('a.tox')).toBe(TOXIC_AWAY)
    expect((await only()).repair).toContain('sandbox')
    expect((await only()).repair).toContain('persona service install --repair')
    expect(profiles.summary().findings[0]?.hint).toContain('the repair service writes it')
    expect(keeper.told('profile.blob-lost')[0]?.message).toContain('the repair service writes it back')
    expect(logged.map(({ event }) => event)).toContain('profile.not-repaired')
    await pass(LOSS_MS)
    expect(clock.timers.size).toBe(1)
  })

  test('is due for the hand outside of the sandbox, with the text to write and the text that it replaces', async () => {
    await put('a.tox', laptop(await tokenWith('in the garden')))
    await watchWith({ passphraseFile: '/pass' })
    expect(await profiles.due()).toEqual({ profiles: [], passphraseFile: '/pass' })
    await put('a.tox', laptop(TOXIC_AWAY))
    expect(keeper.told('profile.due')).toEqual([{ path: at('a.tox'), key: OWN_LAPTOP, device: 'laptop' }])
    const [due, ...more] = (await profiles.due()).profiles
    expect(more).toEqual([])
    expect(due).toMatchObject({ path: at('a.tox'), key: OWN_LAPTOP, device: 'laptop', epoch: 0, seq: 1 })
    expect(due).toMatchObject({ shown: TOXIC_AWAY, text: await tokenWith('in the garden') })
    // An edit emits the event again, with the newer table.
    await edit(addPhone)
    expect(keeper.told('profile.due')).toHaveLength(1)
    expect((await profiles.due()).profiles).toMatchObject([{ seq: 2, text: await tokenWith('in the garden') }])
  })

  test('causes an event even if only the writer saw the table in the profile', async () => {
    const text = await tokenWith('')
    await put('a.tox', laptop(TOXIC_AWAY))
    await watchWith()
    expect(keeper.told('profile.blob-lost')).toEqual([])
    const wrote = { path: at('a.tox'), key: OWN_LAPTOP, text, backup: null, repaired: false }
    expect(await profiles.wrote(wrote)).toEqual({ device: 'laptop' })
    await profiles.idle()
    expect(keeper.told('profile.blob-lost')).toMatchObject([{ path: at('a.tox'), state: 'none' }])
    // A second write and a second loss to the same text cause a second event.
    await profiles.wrote(wrote)
    await profiles.idle()
    expect(keeper.told('profile.blob-lost')).toHaveLength(1)
    expect(keeper.told('profile.repaired')).toEqual([])
    await profiles.wrote({ ...wrote, backup: '/backup', repaired: true })
    const repaired = { path: at('a.tox'), key: OWN_LAPTOP, device: 'laptop', epoch: 0, seq: 1, backup: '/backup' }
    expect(keeper.told('profile.repaired')).toEqual([repaired])
  })

  test('in a foreign profile is not reported', async () => {
    await watchWith()
    const wrote = { path: at('a.tox'), key: zoe.key('phone'), text: zoe.table(['phone']).text(), backup: null }
    expect(await profiles.wrote({ ...wrote, repaired: true })).toEqual({ device: null })
    expect((await keeper.call('lookup', { query: zoe.key('phone') })).by).toBe('none')
    expect(keeper.told('profile.repaired')).toEqual([])
  })

  test('is written back encrypted into an encrypted profile', async () => {
    await put('a.tox', await encryptSave(laptop(await tokenWith('')), 'sesame', engine))
    await watchWith({ repair: true, passphrase: () => Promise.resolve('sesame') })
    await put('a.tox', await encryptSave(laptop(TOXIC_AWAY), 'sesame', engine))
    expect(keeper.told('profile.repaired')).toHaveLength(1)
    expect(new TextDecoder().decode(readFileSync(at('a.tox')).subarray(0, 8))).toBe('toxEsave')
  })
})

test('after an own edit, the new table is written into every own profile and into no other', async () => {
  await put('laptop.tox', laptop(await tokenWith('mine')))
  await put('bot.tox', encodeSave(saveOf('a bot', await tokenWith('copied'))))
  await watchWith({ repair: true })
  const copied = shownBy('bot.tox')
  await edit(addPhone)
  expect(shownBy('laptop.tox')).toBe(await tokenWith('mine'))
  expect(shownBy('bot.tox')).toBe(copied)
  expect(keeper.told('profile.repaired')).toMatchObject([{ path: at('laptop.tox'), seq: 2 }])
})

test('the weekly new signature of the table is written too', async () => {
  await put('laptop.tox', laptop(await tokenWith('mine')))
  await watchWith({ repair: true })
  keeper.later(8 * 86_400)
  await edit(() => keeper.keeper.resign())
  expect(shownBy('laptop.tox')).toBe(await tokenWith('mine'))
  expect(keeper.told('profile.repaired')).toHaveLength(1)
})

test('without a persona, profiles are watched only for their friends', async () => {
  keeper = await TestKeeper.open()
  await put('a.tox', laptop('hi', [friend(zoe.key('phone'), zoe.table(['phone']).text())]))
  await watchWith({ repair: true })
  expect(keeper.told('contact.changed')).toHaveLength(1)
  expect(await only()).toMatchObject({ key: OWN_LAPTOP, device: null, shows: null })
  expect(profiles.summary()).toEqual({ profiles: { watched: 1, older: 0, lost: 0 }, findings: [] })
})

test('after a stop in the middle of a long list, the next scan reports the rest', async () => {
  const many = Array.from({ length: 200 }, (_, i) => friend(deviceKey(`friend ${i}`), `text ${i}`, `F${i}`))
  await put('a.tox', laptop('hi', many))
  const observe = vi.spyOn(keeper.keeper, 'observe')
  const stops: Promise<void>[] = []
  observe.mockImplementationOnce((observations, source) => {
    stops.push(profiles.stop())
    return keeper.keeper.observe(observations, source)
  })
  await watchWith()
  await Promise.all(stops)
  const some = (await keeper.call('status')).counts.provisional
  expect(some).toBeGreaterThan(0)
  expect(some).toBeLessThan(200)
  await profiles.configure({ places: [directory], repair: false, passphrase: () => Promise.resolve(null) })
  await quiet()
  expect((await keeper.call('status')).counts.provisional).toBe(200)
})

describe('an own profile with a short status', () => {
  const set = async (key: 'read' | 'announce', value: string | null): Promise<void> => {
    const { own } = keeper.keeper
    await edit(() => keeper.keeper.change(() => own.edit({ kind: 'set', key, found: own.setting(key), value })))
  }
  const shortWith = async (words: string): Promise<string> =>
    (await keeper.call('blob.get', { words, short: true })).text

  beforeEach(async () => {
    profiles = { ownChanged: () => {}, idle: () => Promise.resolve() } as unknown as Profiles
    await set('read', 'A'.repeat(22))
    await set('announce', 'contacts')
    profiles = undefined as unknown as Profiles
  })

  test('shows the current table, and is not written for a new one', async () => {
    const text = await shortWith('in the garden')
    await put('a.tox', laptop(text))
    await watchWith({ repair: true })
    const { seq } = await keeper.call('device.list')
    expect(await only()).toMatchObject({ shows: { state: 'current', epoch: 0, seq }, repair: null })
    await edit(addPhone)
    expect(await only()).toMatchObject({ shows: { state: 'current', seq: seq + 1 }, repair: null })
    expect(shownBy('a.tox')).toBe(text)
    expect(readdirSync(directory)).toEqual(['a.tox'])
  })

  test('gets the new one after a reread, with its words', async () => {
    await put('a.tox', laptop(await shortWith('in the garden')))
    await watchWith({ repair: true })
    await set('read', 'B'.repeat(21) + 'A')
    expect(shownBy('a.tox')).toBe(await shortWith('in the garden'))
    expect(keeper.told('profile.repaired')).toHaveLength(1)
    kernel.event(directory, 'a.tox')
    await quiet()
    expect((await only()).shows).toMatchObject({ state: 'current' })
  })

  test('is due for a hand in the same form', async () => {
    await put('a.tox', laptop(await shortWith('in the garden')))
    await watchWith()
    await set('read', 'B'.repeat(21) + 'A')
    expect((await only()).shows).toMatchObject({ state: 'older', epoch: null })
    const { text, path, key, device } = (await profiles.due()).profiles[0]!
    expect([text, device]).toEqual([await shortWith('in the garden'), 'laptop'])
    await profiles.wrote({ path, key, text, backup: '/backup', repaired: true })
    expect(keeper.told('profile.repaired')).toMatchObject([{ device: 'laptop', backup: '/backup' }])
  })

  test('gets the table once nothing is announced any more', async () => {
    await put('a.tox', laptop(await shortWith('in the garden')))
    await watchWith({ repair: true })
    await set('announce', null)
    expect(shownBy('a.tox')).toBe(await tokenWith('in the garden'))
  })

  test('of another persona is left alone', async () => {
    const other = await TestKeeper.withPersona()
    const { own } = other.keeper
    await other.keeper.change(() => own.edit({ kind: 'set', key: 'announce', found: null, value: 'contacts' }))
    const { text } = await other.call('blob.get', { short: true })
    await put('a.tox', laptop(text))
    await watchWith({ repair: true })
    expect((await only()).shows).toMatchObject({ state: 'other', epoch: null, seq: null })
    expect(shownBy('a.tox')).toBe(text)
  })

  test('that was cut is damaged', async () => {
    const text = await shortWith('in the garden')
    await put('a.tox', laptop(text))
    await watchWith()
    await put('a.tox', laptop(text.slice(0, -1)))
    expect((await only()).shows).toMatchObject({ state: 'damaged' })
    expect(keeper.told('profile.blob-lost')).toMatchObject([{ state: 'damaged' }])
  })
})
