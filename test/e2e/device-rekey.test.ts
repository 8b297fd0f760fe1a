import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import type { DeviceRekeyReport } from '../../src/cli/own/rekey.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { judgeStatus } from '../../src/core/verify.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import type { OwnTable } from '../../src/ipc/shapes/own.ts'
import type { Contact } from '../../src/ipc/shapes/contact.ts'
import { readFriends } from '../../src/tox/save/friends.ts'
import { readStatusMessage } from '../../src/tox/save/savefile.ts'
import { keyOf, LAPTOP, PHONE, putProfiles, readSave, seeFriend } from '../support/people.ts'
import { Home, type RunOptions } from '../support/persona.ts'

const PRELOAD = fileURLToPath(new URL('../support/kill-at.mjs', import.meta.url))

let home: Home
beforeEach(async () => {
  home = new Home()
  putProfiles(home.directory)
  await home.start()
  await home.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP])
  await home.done(['device', 'add', 'phone', '--tox-profile', PHONE])
})

function path(file: string): string {
  return join(home.directory, file)
}

function keyIn(file: string): string {
  return formatHex(keyOf(path(file)))
}

async function table(): Promise<OwnTable> {
  return (await home.json(['device', 'list'])) as OwnTable
}

async function phoneKey(): Promise<string> {
  return (await table()).devices.find(({ name }) => name === 'phone')!.key
}

/** The seq of the table that a profile shows. That table must list the profile's own key. */
function seqShown(file: string): number {
  const { blob } = judgeStatus(readStatusMessage(readSave(path(file))).text, portableEngine)
  expect(blob!.deviceKeys.map(formatHex)).toContain(keyIn(file))
  return blob!.seq
}

const REKEY = ['device', 'rekey', 'phone', '--tox-profile', PHONE] as const

test('the table and the profile get the new key together, under the old nickname and in the old place', async () => {
  await home.done(['device', 'activate', 'phone'])
  const [old, friends] = [keyIn(PHONE), readFriends(readSave(path(PHONE))).friends]
  const report = (await home.json(REKEY)) as DeviceRekeyReport
  const { devices, seq } = await table()
  expect(devices.map(({ name }) => name)).toEqual(['phone', 'laptop'])
  expect([report.oldKey, report.key, report.resumed]).toEqual([old, devices[0]!.key, false])
  expect([keyIn(PHONE), seqShown(PHONE)]).toEqual([report.key, seq])
  expect(formatHex(keyOf(report.backup!))).toBe(old)
  expect(readFriends(readSave(path(PHONE))).friends.map(({ publicKey }) => formatHex(publicKey))).toEqual(
    friends.map(({ publicKey }) => formatHex(publicKey)),
  )
  expect(existsSync(path(`${PHONE}.rekey`))).toBe(false)
  const lookup = (await home.json(['lookup', old])) as { contact: Contact; device: { state: string } }
  expect([lookup.contact.kind, lookup.device.state]).toEqual(['own', 'former'])
})

test('with --out the old profile stays, and the same command again finds nothing to do', async () => {
  const old = keyIn(PHONE)
  const before = readFileSync(path(PHONE))
  await home.done([...REKEY, '--out', 'new.tox'])
  expect(readFileSync(path(PHONE))).toEqual(before)
  expect([keyIn('new.tox'), keyIn(PHONE)]).toEqual([await phoneKey(), old])
  const { seq } = await table()
  const again = (await home.json([...REKEY, '--out', 'new.tox'])) as DeviceRekeyReport
  expect([again.resumed, again.key, (await table()).seq]).toEqual([true, keyIn('new.tox'), seq])
  expect(await home.failure(['device', 'rekey', 'laptop', '--tox-profile', LAPTOP, '--out', 'new.tox'])).toBe(
    '1 TOX_FILE_EXISTS',
  )
  expect(await home.failure(['device', 'rekey', 'laptop', '--tox-profile', LAPTOP, '--out', LAPTOP])).toBe(
    '1 TOX_SAME_FILE',
  )
})

test('the profile of another device, or a device that is not listed, is refused before anything is written', async () => {
  const files = readdirSync(home.directory).toSorted()
  expect(await home.failure(['device', 'rekey', 'phone', '--tox-profile', LAPTOP])).toBe('1 DEVICE_NOT_LISTED')
  expect(await home.failure(['device', 'rekey', 'tablet', '--tox-profile', PHONE])).toBe('1 DEVICE_NOT_LISTED')
  expect(readdirSync(home.directory).toSorted()).toEqual(files)
  expect((await table()).seq).toBe(2)
})

test('an encrypted profile stays encrypted, and so does the pending file', async () => {
  const passphrase = { stdin: 'correct horse' }
  await home.done(['tox', 'encrypt', PHONE, '--passphrase-file', '-'], passphrase)
  const before = keyHeader(PHONE)
  const killed = await home.run([...REKEY, '--profile-passphrase-file', '-'], { ...passphrase, ...killing('1 after') })
  expect([killed.status, keyHeader(`${PHONE}.rekey`)]).toEqual([null, before])
  const report = (await home.json([...REKEY, '--profile-passphrase-file', '-'], passphrase)) as DeviceRekeyReport
  expect([report.resumed, report.key, keyHeader(PHONE)]).toEqual([true, await phoneKey(), before])
})

function keyHeader(file: string): string {
  return readFileSync(path(file)).subarray(0, 8).toString('latin1')
}

function killing(at: string): RunOptions {
  return { env: { NODE_OPTIONS: `--import ${PRELOAD}`, KILL_AT: at, KILL_LOG: path('changes.log') } }
}

/** The keys in the profiles of the home. */
function keysOnDisk(): string[] {
  return readdirSync(home.directory)
    .filter((file) => file.startsWith(PHONE) || file.startsWith('new-'))
    .map(keyIn)
}

const ALL_WAYS: readonly [string, number][] = [
  ['in place', 4],
  ['into another file', 3],
]

// The second way has the same steps in the same order; `npm run test:slow` goes it too.
test.each(process.env['STORIES'] === undefined ? ALL_WAYS.slice(0, 1) : ALL_WAYS)(
  'killed before or after any write, %s, it loses no key of the table, and the same command again finishes it',
  async (mode, writes) => {
    let kills = 0
    let source = PHONE
    for (let at = 1; ; at++) {
      const out = mode === 'in place' ? [] : ['--out', `new-${at}.tox`]
      for (const when of ['before', 'after']) {
        const command = [
          'device',
          'rekey',
          'phone',
          '--tox-profile',
          source,
          ...out.map((file) => file.replace('.tox', `-${when}.tox`)),
        ]
        const target = command.at(-1)!
        for (const file of readdirSync(home.directory)) if (file.includes('.backup-')) rmSync(path(file))
        const { status, stderr } = await home.run(command, killing(`${at} ${when}`))
        if (status === 0) {
          // The command made fewer writes than that.
          expect([kills, at]).toEqual([2 * writes, writes + 1])
          return
        }
        expect(status, `${at} ${when}: ${stderr}`).toBeNull()
        kills++
        expect(keysOnDisk(), `${at} ${when}`).toContain(await phoneKey())
        await home.done(command)
        expect([keyIn(target), seqShown(target)], `${at} ${when}`).toEqual([await phoneKey(), (await table()).seq])
        expect(existsSync(path(`${target}.rekey`))).toBe(false)
        if (mode !== 'in place') source = target
      }
    }
  },
)

test('the new profile has what a client saved between the kill and the next run', async () => {
  await home.run(REKEY, killing('1 after'))
  expect(existsSync(path(`${PHONE}.rekey`))).toBe(true)
  const friend = keyOf(path(LAPTOP))
  seeFriend(path(PHONE), friend, 'a new day', 1_767_225_600)
  const report = (await home.json(REKEY)) as DeviceRekeyReport
  expect(report.resumed).toBe(true)
  const seen = readFriends(readSave(path(PHONE))).friends.find(
    ({ statusMessage }) => statusMessage.text === 'a new day',
  )
  expect(seen).toBeDefined()
})
