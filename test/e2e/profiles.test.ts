import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import type { FollowReport } from '../../src/cli/tox/follow.ts'
import type { RestoreReport } from '../../src/cli/tox/restore.ts'
import type { WatchLine } from '../../src/cli/tox/watch.ts'
import { connect, type Client } from '../../src/ipc/client.ts'
import type { DaemonEvent, EventData, EventName } from '../../src/ipc/methods/events.ts'
import { type StatusMessage } from '../../src/ipc/shapes/own.ts'
import { type DaemonStatus } from '../../src/ipc/methods/status.ts'
import { type KeptProfile, type ProfileList, type WatchedProfile } from '../../src/ipc/shapes/profiles.ts'
import { encryptSave } from '../../src/tox/save/esave.ts'
import { readFriends } from '../../src/tox/save/friends.ts'
import { newSave } from '../../src/tox/save/new-profile.ts'
import { withStatusMessage } from '../../src/tox/save/status-message.ts'
import { SECTION_FRIENDS, decodeSave, encodeSave, readStatusMessage, withSection } from '../../src/tox/save/savefile.ts'
import { libtoxcoreAbsence, loadInLibtoxcore } from '../support/libtoxcore.ts'
import { BOB, keyOf, LAPTOP, PHONE, putProfiles, readSave, seeFriend, whose } from '../support/people.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { person } from '../support/person.ts'
import { Home } from '../support/persona.ts'
import { engine as portable, publicKeyOf, secretKeyOf } from '../support/tox-people.ts'
import { fixturesAbsence, toxFixtures } from '../support/tox-fixtures.ts'

const NOW = Math.floor(Date.now() / 1000)
const NOBODY = { name: 'N', statusMessage: '', secretKey: secretKeyOf(9), nospam: Uint8Array.of(1, 2, 3, 4) }
const STRANGER = { name: 'Z', statusMessage: '', lastSeenSec: 1_700_000_000 }
const TOXIC_AWAY = 'Away from keyboard, be back soon!'
const SIGHT = fileURLToPath(new URL('../../src/tox/profile/sight.ts', import.meta.url))

let home: Home
let at: (file: string) => string

beforeEach(() => {
  home = new Home()
  mkdirSync(join(home.directory, 'tox'))
  at = (file) => join(home.directory, 'tox', file)
  putProfiles(join(home.directory, 'tox'))
})

function configure(of: Home, text: string): void {
  mkdirSync(join(of.directory, 'config'), { recursive: true })
  writeFileSync(join(of.directory, 'config/personad.yaml'), text, { mode: 0o600 })
}

async function client(of: Home): Promise<Client> {
  const opened = await connect({ socketPath: join(of.directory, 'run/admin/admin.sock') })
  onTestFinished(() => opened.close())
  return opened
}

/** Events from now on; `next` waits for the first that fits. */
class Told {
  readonly #events: DaemonEvent[] = []
  #arrived: () => void = () => {}

  static async by(events: Client): Promise<Told> {
    const told = new Told()
    await events.subscribe(null, (event) => {
      if (event.event !== 'lagged') told.#events.push(event)
      told.#arrived()
    })
    return told
  }

  async next<Name extends EventName>(
    name: Name,
    isMeant: (data: EventData[Name]) => boolean = () => true,
  ): Promise<EventData[Name]> {
    for (;;) {
      const at = this.#events.findIndex((event) => event.event === name && isMeant(event.data as EventData[Name]))
      if (at >= 0) return this.#events.splice(at, 1)[0]!.data as EventData[Name]
      await new Promise<void>((done) => (this.#arrived = done))
    }
  }
}

/** Saves like a client: the whole content, into a new file that replaces the old one. */
function save(path: string, statusMessage: string): void {
  const saved = withStatusMessage(readSave(path), statusMessage)
  writeFileSync(`${path}.new`, encodeSave(saved), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

const shownBy = (path: string): string => readStatusMessage(readSave(path)).text

/** A process with the command line of toxic on this profile. */
async function standIn(path: string): Promise<ChildProcess> {
  const script = 'console.log("up"); setInterval(() => {}, 1e6)'
  const child = spawn(process.execPath, ['-e', script, '--', '-f', path], {
    argv0: 'toxic',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

describe(`a daemon that watches, on ${whose}`, () => {
  test('imports the status messages of friends as soon as a client saves', async () => {
    const alice = new Home()
    configure(home, `watch:\n  profiles: [${at(BOB)}]\n`)
    await Promise.all([home.start(), alice.start()])
    const told = await Told.by(await client(home))
    await alice.done(['init', '--device', 'laptop', '--tox-profile', at(LAPTOP)])
    const { text } = (await alice.json(['blob'])) as StatusMessage
    // A copy replaces the watched file.
    copyFileSync(at(BOB), at('bob.new'))
    seeFriend(at('bob.new'), keyOf(at(LAPTOP)), text, NOW - 60)
    renameSync(at('bob.new'), at(BOB))
    const { contact, source } = await told.next('contact.changed')
    expect(source).toBe(`profile:${formatHex(keyOf(at(BOB)))}`)
    expect(contact.devices).toMatchObject([{ key: formatHex(keyOf(at(LAPTOP))), name: 'laptop', state: 'confirmed' }])
    expect(((await home.json(['status'])) as DaemonStatus).profiles).toEqual({ watched: 1, older: 0, lost: 0 })
  })

  test('reports that toxic replaced the own table, and which own profile shows an older one', async () => {
    configure(home, `watch:\n  profiles: [${at(LAPTOP)}]\n`)
    await home.start()
    const told = await Told.by(await client(home))
    await home.done(['init', '--device', 'laptop', '--tox-profile', at(LAPTOP)])
    await home.done(['tox', 'publish', at(LAPTOP)])
    // Seen there before it is lost, whether the daemon has read the file already or not.
    await home.done(['tox', 'scan', at(LAPTOP)])
    const list = async (): Promise<WatchedProfile> => {
      const { profiles } = (await home.json(['tox', 'watch'])) as ProfileList
      expect(profiles).toHaveLength(1)
      return profiles[0]!
    }
    save(at(LAPTOP), TOXIC_AWAY)
    const lost = await told.next('profile.blob-lost')
    expect(lost).toMatchObject({ path: at(LAPTOP), device: 'laptop', state: 'none' })
    expect(lost.message).toContain('ui = { mplex_away=false; };')
    expect((await list()).shows).toEqual({ state: 'none', epoch: null, seq: null })
    expect(await home.done(['status'])).toContain('mplex_away=false')
    expect(shownBy(at(LAPTOP))).toBe(TOXIC_AWAY)
    const watched = await home.done(['tox', 'watch'])
    expect(watched).toContain('shows:    no persona')
  })

  test('reports an own profile that uTox emptied, and puts the good copy back with the friends it lacks', async () => {
    configure(home, `watch:\n  profiles: [${at(LAPTOP)}]\n`)
    await home.start()
    const told = await Told.by(await client(home))
    await home.done(['init', '--device', 'laptop', '--tox-profile', at(LAPTOP)])
    const good = readFileSync(at(LAPTOP))
    const copies = async (): Promise<KeptProfile[]> =>
      (await home.json(['tox', 'restore', at(LAPTOP), '--list'])) as KeptProfile[]
    await expect.poll(async () => (await copies()).length, { timeout: 30_000 }).toBe(1)
    const [kept] = await copies()
    expect(readFileSync(kept!.copies[0]!.file).equals(good)).toBe(true)
    expect(await home.done(['tox', 'restore', at(LAPTOP)])).toContain('stays as it is')
    writeFileSync(at(LAPTOP), '')
    expect(await told.next('profile.lost')).toMatchObject({ path: at(LAPTOP), device: 'laptop', state: 'emptied' })
    expect((await home.done(['status'])).replaceAll(/\s+/g, ' ')).toContain('has emptied the profile of your laptop')
    expect((await home.run(['doctor'])).stdout).toContain(`persona tox restore '${at(LAPTOP)}'`)
    // uTox starts as a stranger.
    writeFileSync(at(LAPTOP), encodeSave(newSave({ ...NOBODY, friends: [] }, portable)))
    expect(await told.next('profile.lost')).toMatchObject({ state: 'replaced' })
    const toxic = await standIn(at(LAPTOP))
    expect(await home.failure(['tox', 'restore', at(LAPTOP)])).toBe('1 TOX_CLIENT_RUNNING')
    toxic.kill('SIGKILL')
    await once(toxic, 'exit')
    const report = (await home.json(['tox', 'restore', at(LAPTOP)])) as RestoreReport
    expect(readFileSync(at(LAPTOP)).equals(good)).toBe(true)
    expect(report).toMatchObject({ written: true, added: [], copy: kept!.copies[0]!.file })
    expect(statSync(at(LAPTOP)).mode & 0o777).toBe(0o600)
    const problems = async (): Promise<string> => (await home.run(['doctor'])).stdout
    await expect.poll(problems, { timeout: 30_000 }).not.toContain('tox restore')
    // An old save has none of the friends.
    const old = withSection(readSave(at(LAPTOP)), SECTION_FRIENDS, new Uint8Array())
    writeFileSync(at('old.tox'), encodeSave(old))
    // A friend without a status message is known only from a copy.
    const missing = ['tox', 'restore', at(LAPTOP), '--copy', at('old.tox'), '--missing-friends']
    const { added, friends } = (await home.json(missing)) as RestoreReport
    const all = readFriends(decodeSave(new Uint8Array(good))).friends
    expect(added.map(({ key }) => key).toSorted()).toEqual(all.map(({ publicKey }) => formatHex(publicKey)).toSorted())
    expect([friends, readFriends(readSave(at(LAPTOP))).friends.length]).toEqual([all.length, all.length])
    for (const { file } of (await copies())[0]!.copies) writeFileSync(file, encodeSave(old))
    const seen = all.filter(({ statusMessage }) => statusMessage.text !== '')
    const again = (await home.json(missing)) as RestoreReport
    expect(again.added.map(({ name }) => name).toSorted()).toEqual(seen.map(({ name }) => name.text).toSorted())
    expect(await home.failure(['tox', 'restore', at(BOB)])).toBe('1 NO_COPY')
    expect(await home.failure(['tox', 'restore', at(BOB), '--list', '--copy', 'x'])).toBe('2 USAGE')
  })

  test('writes the table back once toxic has ended, and not before', async () => {
    configure(home, `watch:\n  profiles: [${at(LAPTOP)}]\n  repair: true\n`)
    const words = shownBy(at(LAPTOP))
    await home.start()
    const told = await Told.by(await client(home))
    await home.done(['init', '--device', 'laptop', '--tox-profile', at(LAPTOP)])
    await home.done(['tox', 'publish', at(LAPTOP)])
    // Seen there before it is lost, whether the daemon has read the file already or not.
    await home.done(['tox', 'scan', at(LAPTOP)])
    const toxic = await standIn(at(LAPTOP))
    save(at(LAPTOP), TOXIC_AWAY)
    await told.next('profile.blob-lost')
    const daemon = await client(home)
    const [waiting] = (await daemon.call('profile.list')).profiles
    expect(waiting).toMatchObject({ client: 'toxic' })
    expect(waiting?.repair).toMatch(/^the daemon is about to try$|close it first/)
    expect(shownBy(at(LAPTOP))).toBe(TOXIC_AWAY)
    const ended = once(toxic, 'exit')
    toxic.kill('SIGKILL')
    await ended
    save(at(LAPTOP), TOXIC_AWAY)
    const repaired = await told.next('profile.repaired')
    expect(repaired).toMatchObject({ path: at(LAPTOP), device: 'laptop', epoch: 0, seq: 1 })
    expect(shownBy(at(LAPTOP))).toMatch(new RegExp(`^${words} persona:[A-Za-z0-9_-]+$`))
    expect(shownBy(repaired.backup)).toBe(TOXIC_AWAY)
    expect(statSync(at(LAPTOP)).mode & 0o777).toBe(0o600)
  })

  test('learns from publish which text was written, so that a client that overwrites it at once causes a loss', async () => {
    configure(home, `watch:\n  profiles: [${at(LAPTOP)}]\n`)
    await home.start()
    const told = await Told.by(await client(home))
    await home.done(['init', '--device', 'laptop', '--tox-profile', at(LAPTOP)])
    // The client saves its own words before the daemon reads the file, so only publish has seen its text.
    const words = readFileSync(at(LAPTOP))
    await home.done(['tox', 'publish', at(LAPTOP)])
    writeFileSync(at(`${LAPTOP}.new`), words, { mode: 0o600 })
    renameSync(at(`${LAPTOP}.new`), at(LAPTOP))
    expect(await told.next('profile.blob-lost')).toMatchObject({ path: at(LAPTOP), device: 'laptop', state: 'none' })
  })

  test('has persona tox repair write once the client has ended, and --once lists the profiles that still wait', async () => {
    configure(home, `watch:\n  profiles: [${at(LAPTOP)}]\n`)
    await home.start()
    const told = await Told.by(await client(home))
    await home.done(['init', '--device', 'laptop', '--tox-profile', at(LAPTOP)])
    await home.done(['tox', 'publish', at(LAPTOP)])
    expect(await home.json(['tox', 'repair', '--once'])).toEqual([])
    const toxic = await standIn(at(LAPTOP))
    save(at(LAPTOP), TOXIC_AWAY)
    await told.next('profile.due')
    const left = await home.run(['tox', 'repair', '--once', '--json'])
    expect(left.status).toBe(1)
    expect(JSON.parse(left.stdout)).toMatchObject([{ file: at(LAPTOP), written: false, seq: 1 }])
    expect(left.stdout).toContain('toxic (process')
    const hand = home.spawn(['tox', 'repair', '--json'])
    onTestFinished(() => void hand.kill('SIGKILL'))
    const lines = createInterface({ input: hand.stdout! })[Symbol.asyncIterator]()
    const read = async (): Promise<unknown> => JSON.parse((await lines.next()).value as string)
    expect(await read()).toMatchObject({ file: at(LAPTOP), device: 'laptop', written: false })
    expect(shownBy(at(LAPTOP))).toBe(TOXIC_AWAY)
    toxic.kill('SIGKILL')
    expect(await read()).toMatchObject({ file: at(LAPTOP), device: 'laptop', written: true, why: null })
    expect(shownBy(at(LAPTOP))).toContain('persona:')
    expect(await told.next('profile.repaired')).toMatchObject({ path: at(LAPTOP), device: 'laptop', seq: 1 })
    hand.kill('SIGTERM')
    expect(await once(hand, 'exit')).toEqual([0, null])
  })

  test('watches the profiles of the new configuration after a reload, even an encrypted one with its passphrase file', async () => {
    const daemon = await DaemonProcess.start({ home: home.directory })
    const told = await Told.by(await daemon.connect())
    const zoe = person('Zoe')
    const friends = [
      {
        publicKey: parseHex(zoe.key('phone'))!,
        name: 'Zoe',
        statusMessage: zoe.table(['phone']).text(),
        lastSeenSec: NOW,
      },
    ]
    const plain = encodeSave(newSave({ ...NOBODY, friends }, portable))
    writeFileSync(at('secret.tox'), await encryptSave(plain, 'sesame', portable), { mode: 0o600 })
    writeFileSync(join(home.directory, 'pass'), 'sesame\n', { mode: 0o600 })
    configure(home, `watch: {profiles: [${at('secret.tox')}], passphrase_file: ${join(home.directory, 'pass')}}\n`)
    daemon.child.kill('SIGHUP')
    const { contact, source } = await told.next('contact.changed')
    expect(contact.personaId).toBe(zoe.id)
    expect(source).toBe(`profile:${formatHex(publicKeyOf(9))}`)
    expect(daemon.log.join('\n')).not.toContain('sesame')
  })

  test('does not read a profile that another user could have written, and goes on with the others', async () => {
    configure(home, `watch:\n  profiles: [${join(home.directory, 'tox')}]\n`)
    chmodSync(at(BOB), 0o666)
    writeFileSync(at('junk.tox'), 'x'.repeat(5000))
    await home.start()
    const told = await Told.by(await client(home))
    const zoe = person('Zoe')
    const friends = [
      {
        publicKey: parseHex(zoe.key('phone'))!,
        name: 'Zoe',
        statusMessage: zoe.table(['phone']).text(),
        lastSeenSec: NOW,
      },
    ]
    writeFileSync(at('a.new'), encodeSave(newSave({ ...NOBODY, friends }, portable)), { mode: 0o600 })
    renameSync(at('a.new'), at('z.tox'))
    await told.next('contact.changed', ({ contact }) => contact.personaId === zoe.id)
    const { profiles } = (await home.json(['tox', 'watch'])) as ProfileList
    const problems = profiles.flatMap(({ path, problem }) => (problem === null ? [] : [[path, problem.code]]))
    expect(problems).toEqual([
      [at(BOB), 'TOX_FILE_UNREADABLE'],
      [at('junk.tox'), 'TOX_NOT_A_PROFILE'],
    ])
  })
})

test('a process in its own user namespace detects that it cannot see clients', ({ skip }) => {
  const script = `const { canSeeClients } = await import(${JSON.stringify(SIGHT)}); console.log(await canSeeClients())`
  const ask = (command: readonly string[]): ReturnType<typeof spawnSync> =>
    spawnSync(command[0]!, [...command.slice(1), process.execPath, '--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
  if (spawnSync('unshare', ['--user', 'true']).status !== 0) skip('user namespaces are not allowed here')
  expect(String(ask(['unshare', '--user']).stdout).trim()).toBe('false')
  expect(String(ask(['env']).stdout).trim()).toBe('true')
})

describe('persona tox watch', () => {
  test('with a directory reports each change from here until Ctrl-C', async () => {
    await home.start()
    const child = home.spawn(['tox', 'watch', 'tox', '--json'])
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
    const read = async (): Promise<WatchLine> => JSON.parse((await lines.next()).value as string) as WatchLine
    const first = [await read(), await read(), await read()].map((line) =>
      line.event === 'scanned' ? basename(line.profile.file) : line.event,
    )
    expect(first).toEqual([LAPTOP, PHONE, BOB])
    const zoe = person('Zoe')
    const [friend] = readFriends(readSave(at(BOB))).friends
    copyFileSync(at(BOB), at('new'))
    const table = zoe.table([{ name: 'phone', key: formatHex(friend!.publicKey) }])
    seeFriend(at('new'), friend!.publicKey, table.text(), NOW - 60)
    renameSync(at('new'), at(BOB))
    const line = await read()
    expect(line).toMatchObject({ event: 'scanned', profile: { file: at(BOB), error: null } })
    const results = line.event === 'scanned' ? line.profile.results : []
    expect(results.filter(({ personaId }) => personaId === zoe.id)).toMatchObject([
      { verdict: 'new', state: 'confirmed' },
    ])
    unlinkSync(at(PHONE))
    expect(await read()).toEqual({ event: 'gone', file: at(PHONE) })
    const ended = once(child, 'exit')
    child.kill('SIGINT')
    expect((await ended)[0]).toBe(0)
  })

  test('names the setting if no profile is watched, and fails without a daemon', async () => {
    expect(await home.failure(['tox', 'watch'])).toBe('3 DAEMON_UNREACHABLE')
    expect(await home.failure(['tox', 'watch', 'tox'])).toBe('3 DAEMON_UNREACHABLE')
    await home.start()
    expect(await home.done(['tox', 'watch'])).toContain('watch.profiles')
  })
})

/** Zoe has two devices, and Yan knows only the laptop. Uses the real profiles if they exist. */
function putUnknownPhone(): void {
  for (const [i, file] of ['zoe-laptop.tox', 'zoe-phone.tox', 'yan.tox'].entries()) {
    const fixture = toxFixtures.find((known) => known.file === file)
    const secretKey = secretKeyOf(20 + i)
    const friends =
      file === 'zoe-phone.tox' ? [] : [{ ...STRANGER, publicKey: publicKeyOf(file === 'yan.tox' ? 20 : 22) }]
    if (fixture !== undefined) copyFileSync(fixture.path, at(file))
    else
      writeFileSync(at(file), encodeSave(newSave({ ...NOBODY, name: file.slice(0, 3), secretKey, friends }, portable)))
    chmodSync(at(file), 0o600)
  }
}

describe(`persona tox follow, on ${fixturesAbsence === null ? 'real profiles' : 'made-up profiles'}`, () => {
  let yan: Home
  const yansFriends = (): string[] =>
    readFriends(readSave(at('yan.tox'))).friends.map(({ publicKey }) => formatHex(publicKey))

  beforeEach(async () => {
    putUnknownPhone()
    yan = new Home()
    await Promise.all([home.start(), yan.start()])
    await home.done(['init', '--device', 'laptop', '--tox-profile', at('zoe-laptop.tox')])
    await home.done(['device', 'add', 'phone', '--tox-profile', at('zoe-phone.tox')])
    const { text } = (await home.json(['blob'])) as StatusMessage
    seeFriend(at('yan.tox'), keyOf(at('zoe-laptop.tox')), text, NOW - 60)
    await yan.done(['tox', 'scan', at('yan.tox')])
  })

  test('a profile that has the laptop as a friend gets the phone, and libtoxcore loads it', async ({ annotate }) => {
    const phone = formatHex(keyOf(at('zoe-phone.tox')))
    const before = yansFriends()
    expect(before).not.toContain(phone)
    const human = await yan.done(['tox', 'follow', at('yan.tox'), '--json'])
    const report = JSON.parse(human) as FollowReport
    expect(report).toMatchObject({ written: true, withheld: [], gone: [] })
    expect(report.added).toMatchObject([{ key: phone, device: 'phone', state: 'claimed' }])
    const { friends } = readFriends(readSave(at('yan.tox')))
    const added = friends.at(-1)!
    expect([friends.length, formatHex(added.publicKey), added.status]).toEqual([before.length + 1, phone, 3])
    expect(added.name.text).toMatch(/ \(phone\)$/)
    expect(readdirSync(join(home.directory, 'tox')).filter((name) => name.startsWith('yan.tox.backup-'))).toHaveLength(
      1,
    )
    const absence = libtoxcoreAbsence()
    if (absence !== null) return await annotate(absence).then(() => {})
    const loaded = loadInLibtoxcore(new Uint8Array(readFileSync(at('yan.tox'))))
    expect(loaded.error).toBe(0)
    expect(loaded.friends.map(({ publicKey }) => publicKey)).toEqual([...before, phone])
  })

  test('a profile that needs no new friend is not written', async () => {
    await yan.done(['tox', 'follow', at('yan.tox')])
    const bytes = readFileSync(at('yan.tox'))
    const modified = statSync(at('yan.tox')).mtimeMs
    const report = (await yan.json(['tox', 'follow', at('yan.tox')])) as FollowReport
    expect(report).toMatchObject({ added: [], written: false, backup: null })
    expect(statSync(at('yan.tox')).mtimeMs).toBe(modified)
    expect(readFileSync(at('yan.tox')).equals(bytes)).toBe(true)
  })

  test('a removed device is reported and stays a friend', async () => {
    await yan.done(['tox', 'follow', at('yan.tox')])
    const phone = formatHex(keyOf(at('zoe-phone.tox')))
    const { text: both } = (await home.json(['blob'])) as StatusMessage
    await yan.done(['observe', both, '--from', phone])
    await home.done(['device', 'remove', 'phone', '--retired'])
    const { text } = (await home.json(['blob'])) as StatusMessage
    await yan.done(['observe', text, '--from', formatHex(keyOf(at('zoe-laptop.tox')))])
    const report = (await yan.json(['tox', 'follow', at('yan.tox')])) as FollowReport
    expect(report.gone).toMatchObject([{ key: phone, state: 'former' }])
    expect(report.written).toBe(false)
    expect(yansFriends()).toContain(phone)
  })

  test('own devices become friends of each other', async () => {
    const report = (await home.json(['tox', 'follow', at('zoe-phone.tox')])) as FollowReport
    const laptop = formatHex(keyOf(at('zoe-laptop.tox')))
    const known = fixturesAbsence === null
    expect(report.added.map(({ key }) => key)).toEqual(known ? [] : [laptop])
    expect(report.withheld).toEqual([])
    const keys = readFriends(readSave(at('zoe-phone.tox'))).friends.map(({ publicKey }) => formatHex(publicKey))
    expect(keys).toContain(laptop)
  })

  test('bad inputs are refused, and nothing is written', async () => {
    const toxic = await standIn(at('yan.tox'))
    const bytes = readFileSync(at('yan.tox'))
    expect(await yan.failure(['tox', 'follow', at('yan.tox')])).toBe('1 TOX_CLIENT_RUNNING')
    expect(await yan.failure(['tox', 'follow', at('yan.tox'), '--ask'])).toBe('1 NO_TERMINAL')
    expect(readFileSync(at('yan.tox')).equals(bytes)).toBe(true)
    const forced = (await yan.json(['tox', 'follow', at('yan.tox'), '--force'])) as FollowReport
    expect(forced.written).toBe(true)
    toxic.kill('SIGKILL')
    expect(await yan.failure(['tox', 'follow', at('none.tox')])).toBe('1 TOX_FILE_MISSING')
    writeFileSync(at('junk.tox'), 'junk')
    expect(await yan.failure(['tox', 'follow', at('junk.tox')])).toBe('1 TOX_NOT_A_PROFILE')
    writeFileSync(
      at('enc.tox'),
      await encryptSave(encodeSave(newSave({ ...NOBODY, friends: [] }, portable)), 'x', portable),
    )
    expect(await yan.failure(['tox', 'follow', at('enc.tox')])).toBe('1 TOX_ENCRYPTED')
    const wrong = ['--passphrase-file', '-']
    expect(await yan.failure(['tox', 'follow', at('enc.tox'), ...wrong], { stdin: 'y' })).toBe('1 TOX_WRONG_PASSPHRASE')
    await yan.stop()
    expect(await yan.failure(['tox', 'follow', at('yan.tox')])).toBe('3 DAEMON_UNREACHABLE')
  })
})
