import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { MAX_STATUS_BYTES } from '../../src/core/limits.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { METHODS } from '../../src/ipc/methods/all-methods.ts'
import type { DaemonEvent } from '../../src/ipc/methods/events.ts'
import { type EditResult, type OwnTable, type StatusMessage, ownTable } from '../../src/ipc/shapes/own.ts'
import type { Contact, ContactPage, LookupResult } from '../../src/ipc/shapes/contact.ts'
import { type ObserveResult, verifyResult } from '../../src/ipc/shapes/judged.ts'
import { type DaemonStatus } from '../../src/ipc/methods/status.ts'
import { encryptSave } from '../../src/tox/save/esave.ts'
import { newSave } from '../../src/tox/save/new-profile.ts'
import { encodeSave, readStatusMessage, SECTION_KEYS, sectionData, withSection } from '../../src/tox/save/savefile.ts'
import { withStatusMessage } from '../../src/tox/save/status-message.ts'
import { keyOf, BOB, LAPTOP, PHONE, putProfiles, readSave, seeFriend, whose, writeSave } from '../support/people.ts'
import { Home } from '../support/persona.ts'
import { launcherOf } from '../support/programs.ts'

const NOW = Math.floor(Date.now() / 1000)
const OTHER_KEY = '9'.repeat(62) + '11'

let home: Home
let at: (file: string) => string

function hexKey(file: string): string {
  return formatHex(keyOf(at(file)))
}

function shownBy(file: string): string {
  return readStatusMessage(readSave(at(file))).text
}

beforeEach(() => {
  home = new Home()
  at = (file) => join(home.directory, file)
  putProfiles(home.directory)
})

async function startWithPersona(): Promise<void> {
  await home.start()
  await home.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP])
}

/** Lets Bob see what a profile of Alice shows. */
function bobSees(file: string, seenAtSec: number = NOW - 60): void {
  seeFriend(at(BOB), keyOf(at(file)), shownBy(file), seenAtSec)
}

describe(`the main job, on ${whose}`, () => {
  test('a friend sees the devices of the owner as one person, and follows the changes of the owner', async () => {
    const bob = new Home()
    await Promise.all([home.start(), bob.start()])
    const laptop = hexKey(LAPTOP)
    const phone = hexKey(PHONE)

    const made = (await home.json(['init', '--device', 'laptop', '--tox-profile', LAPTOP])) as {
      table: OwnTable
    }
    const personaId = made.table.personaId
    expect(await home.done([])).toMatch(/^Your persona is [^]*persona recovery show[^]*All commands: persona --help/)
    expect(made.table.devices).toEqual([{ name: 'laptop', key: laptop }])
    const added = (await home.json(['device', 'add', 'phone', '--tox-profile', PHONE])) as EditResult
    expect(added.table.devices).toEqual([
      { name: 'laptop', key: laptop },
      { name: 'phone', key: phone },
    ])

    const words = shownBy(LAPTOP)
    const report = (await home.json(['tox', 'publish', LAPTOP])) as { written: boolean; backup: string }
    const published = await home.done(['publish'])
    expect(published).toMatch(/^laptop .*\n  \S+ already shows your current table.*\nphone .*\n  wrote /)
    expect(report.written).toBe(true)
    expect(readStatusMessage(readSave(report.backup)).text).toBe(words)
    expect(shownBy(LAPTOP)).toMatch(new RegExp(`^${words} persona:[A-Za-z0-9_-]+$`))

    bobSees(LAPTOP)
    bobSees(PHONE)
    const human = await bob.done(['tox', 'scan', at(BOB)])
    expect(human).toMatch(/2 show a persona, 1 new contact\n/)
    const found = (await bob.json(['lookup', phone.toLowerCase()])) as LookupResult
    expect(found.contact).toMatchObject({ kind: 'persona', personaId, active: laptop })
    expect(found.contact?.devices.map(({ key, state }) => [key, state])).toEqual([
      [laptop, 'confirmed'],
      [phone, 'confirmed'],
    ])
    expect(found.device).toMatchObject({ name: 'phone', key: phone })

    await home.done(['device', 'activate', 'phone'])
    await home.done(['device', 'rename', 'laptop', 'old laptop'])
    await home.done(['tox', 'publish', LAPTOP, '--text', 'moved'])
    expect(shownBy(LAPTOP)).toMatch(/^moved persona:\S+$/)
    bobSees(LAPTOP, NOW - 10)
    expect(await bob.done(['tox', 'scan', at(BOB)])).toMatch(/2 show a persona, 0 new contacts, 1 changed\n/)
    const shown = (await bob.json(['contact', 'show', personaId.slice(0, 8)])) as Contact
    expect(shown.active).toBe(phone)
    expect(shown.devices.map(({ name }) => name)).toEqual(['phone', 'old laptop'])

    const removal = await home.done(['device', 'remove', 'old laptop', '--retired'])
    expect(removal).toContain('the removed device is not shut out')
    expect(((await home.json(['device', 'list'])) as OwnTable).devices).toEqual([{ name: 'phone', key: phone }])
    expect(await home.failure(['device', 'add', 'laptop', '--key', laptop])).toBe('1 DEVICE_TOMBSTONED')
    await home.done(['device', 'add', 'laptop', '--key', laptop, '--again'])
  })

  test('publish writes no profile that was put in the place of another one, and writes the others', async () => {
    await startWithPersona()
    await home.done(['device', 'add', 'phone', '--tox-profile', PHONE])
    writeSave(at(LAPTOP), readSave(at(PHONE)))
    const { status, stdout } = await home.run(['publish', '--json'])
    const profiles = (JSON.parse(stdout) as { profiles: { error: { code: string } | null }[] }).profiles
    expect([status, ...profiles.map(({ error }) => error?.code)]).toEqual([1, 'PROFILE_OTHER_DEVICE', undefined])
  })

  test('a profile of 300 friends takes several calls and several pages', async () => {
    await home.start()
    const friends = Array.from({ length: 300 }, (_, i) => ({
      publicKey: new Uint8Array(32)
        .fill(7)
        .with(0, i & 0xff)
        .with(1, i >> 8),
      name: `friend ${i}`,
      statusMessage: '',
      lastSeenSec: 0,
    }))
    const secretKey = new Uint8Array(32).fill(77)
    const profile = { name: 'Many', statusMessage: '', secretKey, nospam: new Uint8Array(4), friends }
    writeSave(at('many.tox'), newSave(profile, portableEngine))
    const report = (await home.json(['tox', 'scan', 'many.tox'])) as { profiles: { results: unknown[] }[] }
    expect(report.profiles[0]?.results).toHaveLength(300)
    const page = METHODS['contact.list'].result.parse(await home.json(['contact', 'list']))
    expect(new Set(page.contacts.map(({ name }) => name)).size).toBe(300)
    expect([page.total, page.next]).toEqual([300, null])
  })

  test('publishing an unchanged table writes nothing and leaves no second backup', async () => {
    await startWithPersona()
    await home.done(['tox', 'publish', LAPTOP])
    const bytes = readFileSync(at(LAPTOP))
    const { mtimeMs } = statSync(at(LAPTOP))
    expect(await home.done(['tox', 'publish', LAPTOP])).toContain('it was not changed')
    expect(readFileSync(at(LAPTOP)).equals(bytes)).toBe(true)
    expect(statSync(at(LAPTOP)).mtimeMs).toBe(mtimeMs)
    expect(readdirSync(home.directory).filter((name) => name.includes('.backup-'))).toHaveLength(1)
  })

  test('refuses own words that do not fit, with the number of bytes too many', async () => {
    await startWithPersona()
    const words = 'x'.repeat(1000)
    writeSave(at(LAPTOP), withStatusMessage(readSave(at(LAPTOP)), words))
    const before = readFileSync(at(LAPTOP))
    const refusal = await home.run(['tox', 'publish', LAPTOP])
    const { token } = (await home.json(['blob'])) as { token: string }
    expect(refusal.stderr).toContain(
      `your own words are ${1001 + token.length - MAX_STATUS_BYTES} bytes too long beside the table`,
    )
    expect(refusal.stderr).toContain('--drop-words')
    for (const length of [MAX_STATUS_BYTES, MAX_STATUS_BYTES + 1, 5000])
      expect(await home.failure(['tox', 'publish', LAPTOP, '--text', 'y'.repeat(length)])).toBe('1 WORDS_TOO_LONG')
    expect(readFileSync(at(LAPTOP)).equals(before)).toBe(true)
    await home.done(['tox', 'publish', LAPTOP, '--text', 'y'.repeat(MAX_STATUS_BYTES - 1 - token.length)])
  })

  test('leaves words out only with --drop-words, and puts them back when they fit', async () => {
    await startWithPersona()
    const { token } = (await home.json(['blob'])) as { token: string }
    const words = 'x'.repeat(MAX_STATUS_BYTES - 1 - token.length)
    await home.done(['tox', 'publish', LAPTOP, '--text', words])
    await home.done(['device', 'add', 'phone', '--tox-profile', PHONE])
    expect(await home.failure(['tox', 'publish', LAPTOP])).toBe('1 WORDS_TOO_LONG')
    expect(shownBy(LAPTOP)).toBe(`${words} ${token}`)
    const report = await home.json(['tox', 'publish', LAPTOP, '--drop-words'])
    expect(report).toMatchObject({ wordsDropped: true, leftOut: words })
    expect(shownBy(LAPTOP)).toMatch(/^persona:\S+$/)
    // Twice: the words are not in the profile any more, and are still not forgotten.
    expect(await home.done(['tox', 'publish', LAPTOP])).toContain('your own words are left out')
    await home.done(['device', 'remove', 'phone', '--retired'])
    await home.done(['tox', 'publish', LAPTOP])
    expect(shownBy(LAPTOP).startsWith(`${words} persona:`)).toBe(true)
    // New words replace them for good.
    await home.done(['device', 'add', 'tablet', '--key', hexKey(BOB)])
    await home.done(['tox', 'publish', LAPTOP, '--drop-words'])
    await home.done(['tox', 'publish', LAPTOP, '--text', 'short'])
    await home.done(['tox', 'publish', LAPTOP, '--text', ''])
    await home.done(['tox', 'publish', LAPTOP])
    expect(shownBy(LAPTOP)).toMatch(/^persona:\S+$/)
  })

  test('an encrypted profile is written with its passphrase, and stays encrypted', async () => {
    await home.start()
    const plain = encodeSave(readSave(at(LAPTOP)))
    writeFileSync(at('sealed.tox'), await encryptSave(plain, 'tox secret', portableEngine))
    writeFileSync(at('right'), 'tox secret\n')
    writeFileSync(at('wrong'), 'tox secreT\n')
    const init = ['init', '--device', 'laptop', '--tox-profile', 'sealed.tox']
    expect(await home.failure(init)).toBe('1 TOX_ENCRYPTED')
    expect(await home.failure([...init, '--profile-passphrase-file', 'wrong'])).toBe('1 TOX_WRONG_PASSPHRASE')
    await home.done([...init, '--profile-passphrase-file', 'right'])
    const publish = ['tox', 'publish', 'sealed.tox', '--passphrase-file']
    expect(await home.failure([...publish, 'wrong'])).toBe('1 TOX_WRONG_PASSPHRASE')
    await home.done([...publish, '-'], { stdin: 'tox secret\n' })
    expect(readFileSync(at('sealed.tox')).subarray(0, 8).toString()).toBe('toxEsave')
    const report = await home.json(['tox', 'inspect', 'sealed.tox', '--passphrase-file', 'right'])
    expect(report).toMatchObject({ encrypted: true, status: { valid: true, listsSender: true } })
  })
})

describe('publishing refuses', () => {
  test('a profile of no listed device, without --unlisted', async () => {
    await startWithPersona()
    const before = readFileSync(at(BOB))
    expect(await home.failure(['tox', 'publish', BOB])).toBe('1 DEVICE_NOT_LISTED')
    // A running client is another matter.
    expect(await home.failure(['tox', 'publish', BOB, '--force'])).toBe('1 DEVICE_NOT_LISTED')
    expect(readFileSync(at(BOB)).equals(before)).toBe(true)
    await home.done(['tox', 'publish', BOB, '--unlisted'])
    expect(shownBy(BOB)).toContain('persona:')
  })

  test('a profile that a running client has open, without --force', async () => {
    await startWithPersona()
    const client = spawn('/bin/sh', ['-c', `exec 3<>"$0"; echo ready; exec sleep 600`, at(LAPTOP)])
    onTestFinished(() => void client.kill('SIGKILL'))
    await once(client.stdout, 'data')
    const before = readFileSync(at(LAPTOP))
    expect(await home.failure(['tox', 'publish', LAPTOP])).toBe('1 TOX_CLIENT_RUNNING')
    expect(await home.failure(['tox', 'publish', LAPTOP, '--unlisted'])).toBe('1 TOX_CLIENT_RUNNING')
    expect(readFileSync(at(LAPTOP)).equals(before)).toBe(true)
    await home.done(['tox', 'publish', LAPTOP, '--force'])
    expect(shownBy(LAPTOP)).toContain('persona:')
  })

  test('a profile whose keys do not match, because a client would empty it', async () => {
    await startWithPersona()
    const save = readSave(at(LAPTOP))
    const keys = sectionData(save, SECTION_KEYS)!.slice()
    keys[67]! ^= 1
    writeSave(at(LAPTOP), withSection(save, SECTION_KEYS, keys))
    expect(await home.failure(['tox', 'publish', LAPTOP, '--unlisted'])).toBe('1 TOX_BAD_KEYS')
  })
})

describe('bad input has a stable code and changes nothing', () => {
  test('files that are not profiles', async () => {
    await startWithPersona()
    writeFileSync(at('short.tox'), readFileSync(at(LAPTOP)).subarray(0, 100))
    writeFileSync(at('empty.tox'), '')
    symlinkSync('/dev/zero', at('endless.tox'))
    mkdirSync(at('directory.tox'))
    const cases = [
      ['/etc/passwd', '1 TOX_NOT_A_PROFILE'],
      ['empty.tox', '1 TOX_EMPTY'],
      ['short.tox', '1 TOX_TRUNCATED'],
      ['nothing.tox', '1 TOX_FILE_MISSING'],
      ['endless.tox', '1 TOX_FILE_UNREADABLE'],
      ['directory.tox', '1 TOX_FILE_UNREADABLE'],
    ] as const
    let count = 0
    for (const [file, expected] of cases) {
      for (const command of [
        ['tox', 'scan', file],
        ['tox', 'publish', file],
        ['tox', 'inspect', file],
        ['device', 'add', 'x', '--tox-profile', file],
      ]) {
        expect(await home.failure(command), command.join(' ')).toBe(expected)
        count++
      }
    }
    expect(count).toBe(24)
  })

  test('readable profiles are scanned even if others fail, and the exit status is 1', async () => {
    await startWithPersona()
    const { status, stdout } = await home.run(['tox', 'scan', '/etc/passwd', BOB, '--json'])
    const { profiles } = JSON.parse(stdout) as { profiles: { error: { code: string } | null; friends: number }[] }
    expect(status).toBe(1)
    expect(profiles.map(({ error }) => error?.code ?? null)).toEqual(['TOX_NOT_A_PROFILE', null])
    expect(profiles[1]!.friends).toBeGreaterThan(0)
    expect(((await home.json(['contact', 'list'])) as ContactPage).total).toBe(profiles[1]!.friends - 1) // the owner's own laptop is nobody's contact
  })

  test('device keys', async () => {
    await startWithPersona()
    const key = hexKey(LAPTOP)
    const { toxId } = (await home.json(['tox', 'inspect', PHONE])) as { toxId: string }
    const wrongSum = toxId.slice(0, -1) + (toxId.endsWith('0') ? '1' : '0')
    const add = (text: string): Promise<string> => home.failure(['device', 'add', 'x', '--key', text])
    expect(await add('xyz')).toBe('1 TOX_BAD_ID')
    expect(await add(OTHER_KEY.slice(1))).toBe('1 TOX_BAD_ID')
    expect(await add(wrongSum)).toBe('1 TOX_BAD_ID')
    expect(await add(key)).toBe('1 DEVICE_LISTED')
    expect(await add('0'.repeat(64))).toBe('1 DEVICE_KEY_LOW_ORDER')
    expect(await add('F'.repeat(64))).toBe('1 DEVICE_KEY_NOT_CANONICAL')
    await home.done(['device', 'add', 'phone', '--key', toxId.toLowerCase()])
    expect(((await home.json(['device', 'list'])) as OwnTable).devices[1]?.key).toBe(toxId.slice(0, 64))
  })

  test('nicknames', async () => {
    await startWithPersona()
    const cases = [
      ['', 'NICKNAME_EMPTY'],
      ['x'.repeat(33), 'NICKNAME_TOO_LONG'],
      [' x', 'NICKNAME_SPACES'],
      ['a\x1bb', 'NICKNAME_CHARACTER'],
      ['a\u202Eb', 'NICKNAME_CHARACTER'],
      ['e\u0301', 'NICKNAME_NOT_NFC'],
      ['Laptop', 'NICKNAME_TWICE'],
    ] as const
    let count = 0
    for (const [name, code] of cases) {
      expect(await home.failure(['device', 'add', name, '--key', OTHER_KEY]), name).toBe(`1 ${code}`)
      count++
    }
    expect(count).toBe(7)
  })

  test('a table that does not fit is refused before signing, with the number of bytes', async () => {
    await startWithPersona()
    let added = 1
    let refusal = ''
    for (let i = 1; i <= 20 && refusal === ''; i++) {
      const key = formatHex(portableEngine.boxPublicKey(new Uint8Array(32).fill(100 + i)))
      const { status, stderr } = await home.run(['device', 'add', `device number ${i}`, '--key', key])
      if (status === 0) added++
      else refusal = stderr
    }
    expect(refusal).toContain('TABLE_TOO_LARGE')
    expect(refusal).toMatch(/\d+ bytes?/)
    expect(((await home.json(['device', 'list'])) as OwnTable).devices).toHaveLength(added)
    await home.done(['device', 'remove', 'laptop', '--retired'])
  })

  test('missing personas, devices and contacts', async () => {
    await home.start()
    for (const command of [
      ['blob'],
      ['device', 'list'],
      ['device', 'remove', 'x', '--retired'],
      ['tox', 'publish', LAPTOP],
    ]) {
      expect(await home.failure(command), command.join(' ')).toBe('1 NO_PERSONA')
    }
    await home.done(['init'])
    expect(await home.failure(['init'])).toBe('1 PERSONA_EXISTS')
    for (const command of [
      ['device', 'activate', 'x'],
      ['contact', 'show', 'nobody'],
    ]) {
      expect(await home.failure(command), command.join(' ')).toBe('1 NOT_FOUND')
    }
    const { status, stdout } = await home.run(['lookup', 'nobody'])
    expect([status, stdout]).toEqual([1, 'no contact matches "nobody"\n'])
  })

  test('command lines that make no sense', async () => {
    const cases = [
      ['frobnicate'],
      ['device', 'frobnicate'],
      ['device', 'add'],
      ['device', 'add', 'x'],
      ['device', 'add', 'x', '--key', OTHER_KEY, '--tox-profile', LAPTOP],
      ['device', 'add', 'x', '--key'],
      ['device', 'rename', 'x'],
      ['device', 'list', 'excess'],
      ['init', '--key', OTHER_KEY],
      ['init', '--device', 'laptop'],
      ['observe', 'text'],
      ['lookup'],
      ['lookup', ''],
      ['app', 'accept', 'x'],
      ['contact', 'rename', 'x', ''],
      ['tox', 'scan', 'x', ''],
      ['status', '--frobnicate'],
      ['tox', 'scan'],
    ]
    for (const command of cases) expect(await home.failure(command), command.join(' ')).toBe('2 USAGE')
    expect(cases).toHaveLength(18)
    const bare = await home.run([])
    expect([bare.status, bare.stdout]).toEqual([
      3,
      expect.stringMatching(/^The daemon does not run\.\n {2}-> run: personad/),
    ])
    expect((await home.run(['help', 'device', 'add'])).stdout).toMatch(/^Usage: persona device add /)
    expect(await home.failure(['help', 'device', 'frobnicate'])).toBe('2 USAGE')
    expect((await home.run(['--help'])).status).toBe(0)
    expect((await home.run(['device', 'add', '--help'])).status).toBe(0)
    expect((await home.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('a failure is two lines for people: the error and the hint', async () => {
    const { status, stdout, stderr } = await home.run(['status'])
    expect([status, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(/^persona: error: [a-z].*\(DAEMON_UNREACHABLE\)\npersona: hint: [a-z].*npm start.*\n$/)
  })
})

/** The token with one byte of its blob changed. */
function withByte(token: string, at: number, value: number): string {
  const blob = Buffer.from(token.slice('persona:'.length), 'base64url')
  blob[at] = value
  return `persona:${blob.toString('base64url')}`
}

describe('status messages', () => {
  test('are judged the same with and without a daemon, except for the order', async () => {
    const owner = new Home()
    await owner.start()
    await owner.done(['init', '--device', 'laptop', '--key', hexKey(LAPTOP)])
    const { text } = (await owner.json(['blob', '--text', 'hello'])) as StatusMessage
    const token = text.slice('hello '.length)
    const cases = [
      [text, null],
      [`${text} ${'x'.repeat(2000)}`, null],
      ['hello', 'NO_TOKEN'],
      ['', 'NO_TOKEN'],
      [token.slice(0, 150), 'NO_TOKEN'],
      [`${token} ${token}`, 'TOKEN_TWICE'],
      [token.slice(0, 220), 'BLOB_TRUNCATED'],
      [token.replace(/.$/, '/'), 'TOKEN_DAMAGED'],
      [`${token}${'A'.repeat(1000)}`, 'TOKEN_TOO_LONG'],
      [withByte(token, 0, 2), 'BLOB_UNKNOWN_VERSION'],
      [withByte(token, 1, 1), 'BLOB_SEALED_UNSUPPORTED'],
      [withByte(token, 104, 0), 'SIGNATURE_BAD'],
    ] as const
    for (const [given, code] of cases) {
      const command = ['verify', '--json', '--from', hexKey(LAPTOP)]
      const alone = await home.run(command, { stdin: given })
      const asked = await owner.run([...command, '-'], { stdin: given })
      const result = verifyResult.parse(JSON.parse(alone.stdout))
      expect([result.code, result.valid, alone.status]).toEqual([code, code === null, code === null ? 0 : 1])
      expect(JSON.parse(asked.stdout)).toEqual({ ...result, verdict: code === null ? 'refresh' : null })
      expect(asked.status).toBe(alone.status)
      // Whoever writes words after the token quotes it.
      expect(result.listsSender).toBe(code === null ? given === text : null)
    }
    expect(cases).toHaveLength(12)
    expect((await home.run(['verify', text])).stdout).toMatch(/^valid\n/)
    expect(await home.failure(['verify', '--from', 'xyz', text])).toBe('1 TOX_BAD_ID')
    expect(await home.failure(['verify'], { stdin: 'x'.repeat(65_537) })).toBe('1 INPUT_TOO_LONG')
    expect(await home.failure(['verify'], { stdin: Uint8Array.of(0xff) })).toBe('1 INPUT_NOT_UTF8')
  })

  test('can be reported, and a forged one binds no device', async () => {
    const owner = new Home()
    await Promise.all([owner.start(), home.start()])
    const laptop = hexKey(LAPTOP)
    await owner.done(['init', '--device', 'laptop', '--key', laptop])
    const { text } = (await owner.json(['blob'])) as StatusMessage
    const copied = (await home.json(['observe', '--from', hexKey(PHONE), text])) as ObserveResult
    expect(copied).toMatchObject({ shown: 'valid' })
    expect(((await home.json(['lookup', hexKey(PHONE)])) as LookupResult).contact?.kind).toBe('provisional')
    const seen = (await home.json(['observe', '--from', laptop, '-'], { stdin: text })) as ObserveResult
    expect(seen).toMatchObject({ shown: 'valid', state: 'confirmed', verdict: 'new' })
    const broken = text.slice(0, 220)
    expect((await home.run(['observe', '--from', laptop, broken])).status).toBe(1)
    expect(await home.failure(['alarms', 'Nobody'])).toBe('1 NOT_FOUND')
    expect(await home.json(['alarms', laptop])).toEqual({ alarms: [] })
    expect(((await home.json(['lookup', laptop])) as LookupResult).contact?.kind).toBe('persona')
  })

  test('of friends are inspected without a daemon, without printing a secret key', async () => {
    const report = await home.done(['tox', 'inspect', LAPTOP, '--json'])
    const human = await home.done(['tox', 'inspect', LAPTOP])
    const secret = formatHex(sectionData(readSave(at(LAPTOP)), SECTION_KEYS)!.subarray(36))
    expect(report).toContain(hexKey(LAPTOP))
    expect(report + human).not.toContain(secret)
    expect(JSON.parse(report)).toMatchObject({ status: { code: 'NO_TOKEN', valid: false } })
  })
})

describe('the passphrase of the persona', () => {
  test('seals the signing key: after a start nothing is signed before unlock', async () => {
    await home.start()
    writeFileSync(at('passphrase'), 'correct horse\n')
    await home.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP, '--passphrase-file', 'passphrase'])
    await home.done(['device', 'rename', 'laptop', 'desk'])
    await home.stop()
    await home.start()
    expect(await home.failure(['device', 'rename', 'desk', 'chair'])).toBe('1 LOCKED')
    expect(((await home.json(['status'])) as DaemonStatus).locked).toBe(true)
    expect(await home.failure(['unlock', '--passphrase-file', '-'], { stdin: 'wrong horse' })).toBe(
      '1 SEAL_WRONG_PASSPHRASE',
    )
    expect(await home.failure(['unlock'])).toBe('1 NO_TERMINAL')
    await home.done(['unlock', '--passphrase-file', 'passphrase'])
    await home.done(['device', 'rename', 'desk', 'chair'])
  })

  test('is never an argument, and must not be empty', async () => {
    await home.start()
    expect(await home.failure(['init', '--passphrase', 'secret'])).toBe('2 USAGE')
    expect(await home.failure(['init', '--passphrase'])).toBe('1 NO_TERMINAL')
    expect(await home.failure(['init', '--passphrase-file', '-'], { stdin: '\n' })).toBe('1 PASSPHRASE_FILE')
    expect(((await home.json(['status'])) as DaemonStatus).persona).toBeNull()
  })
})

/** Three of the words, as they are typed into a pipe. */
function threeLines(words: readonly string[]): string {
  return [3, 9, 20].map((place) => `${place} ${words[place - 1]}\n`).join('')
}

describe('the recovery words without a terminal', () => {
  test('are shown only by recovery show, confirmed through stdin, and then erased', async () => {
    await home.start()
    const { stdout, stderr } = await home.run(['init'])
    expect(stderr).toContain('persona recovery show')
    const recovery = (await home.json(['recovery', 'show'])) as { words: string[]; confirmed: boolean }
    expect(recovery.confirmed).toBe(false)
    expect(recovery.words).toHaveLength(24)
    // One of them may well be an ordinary word of the output, such as "device"; two in their order are not there by chance.
    const said = stdout.split(/\W+/).join(' ')
    for (let i = 1; i < 24; i++) expect(said).not.toContain(`${recovery.words[i - 1]} ${recovery.words[i]}`)
    expect(await home.done(['recovery', 'show'])).toContain(`24 ${recovery.words[23]}`)
    const wrong = recovery.words.map((word) => (word === 'zoo' ? 'zone' : 'zoo'))
    expect(await home.failure(['recovery', 'confirm'], { stdin: threeLines(wrong) })).toBe('1 RECOVERY_MISMATCH')
    expect(await home.failure(['recovery', 'confirm'], { stdin: '' })).toBe('1 WORDS_WRONG')
    expect(((await home.json(['status'])) as DaemonStatus).theftProtection).toBe(false)
    await home.done(['recovery', 'confirm'], { stdin: threeLines(recovery.words) })
    expect(await home.failure(['recovery', 'show'])).toBe('1 RECOVERY_CONFIRMED')
    expect(((await home.json(['status'])) as DaemonStatus).theftProtection).toBe(true)
  })
})

describe('watching', () => {
  test('prints each event as one line of JSON, unchanged, and ends at Ctrl-C with 0', async () => {
    await startWithPersona()
    const watching = home.spawn(['watch', '--json'])
    onTestFinished(() => void watching.kill('SIGKILL'))
    const seen: string[] = []
    const first = readLines(watching)
      .next()
      .then(({ value }) => seen.push(value as string))
    // Edits until the watcher listens; each is an event, and the first one that it sees will do.
    for (let i = 0; seen.length === 0; i++) await home.done(['device', 'rename', hexKey(LAPTOP), `laptop ${i}`])
    await first
    const event = JSON.parse(seen[0]!) as DaemonEvent
    expect(event.event).toBe('own.changed')
    const ended = once(watching, 'exit')
    watching.kill('SIGINT')
    expect((await ended)[0]).toBe(0)
  })

  test('waits for a daemon that restarts, and goes on with what happened since', async () => {
    await startWithPersona()
    const watching = home.spawn(['watch', '--after', '0', '--json'])
    onTestFinished(() => void watching.kill('SIGKILL'))
    const lines = readLines(watching)
    const next = async (): Promise<DaemonEvent> => JSON.parse((await lines.next()).value as string) as DaemonEvent
    const first = await next()
    await home.stop()
    await home.start()
    await home.done(['device', 'rename', 'laptop', 'desk'])
    let event = first
    while (!(event.event === 'own.changed' && event.data.cause === 'rename')) event = await next()
    expect(event.id).toBeGreaterThan(first.id)
    const ended = once(watching, 'exit')
    watching.kill('SIGINT')
    expect((await ended)[0]).toBe(0)
  })

  test('fails at once if no daemon runs at the beginning', async () => {
    expect(await home.failure(['watch'])).toBe('3 DAEMON_UNREACHABLE')
  })
})

async function* readLines(child: { stdout: NodeJS.ReadableStream | null }): AsyncGenerator<string> {
  let rest = ''
  for await (const part of child.stdout!) {
    rest += String(part)
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield rest.slice(0, end)
      rest = rest.slice(end + 1)
    }
  }
}

describe('for programs', () => {
  test('--json prints exactly the shapes of the socket', async () => {
    await home.start()
    const init = await home.json(['init', '--device', 'laptop', '--tox-profile', LAPTOP])
    await home.done(['tox', 'scan', BOB])
    const calls: readonly (readonly [schema: z.ZodType, args: readonly string[]])[] = [
      [METHODS.status.result, ['status']],
      [METHODS['device.list'].result, ['device', 'list']],
      [METHODS['device.list'].result, ['device', 'list', '--yaml']],
      [METHODS['blob.get'].result, ['blob']],
      [METHODS['contact.list'].result, ['contact', 'list']],
      [METHODS['contact.show'].result, ['contact', 'show', hexKey(PHONE)]],
      [METHODS.lookup.result, ['lookup', hexKey(PHONE)]],
      [METHODS['device.add'].result, ['device', 'add', 'x', '--key', OTHER_KEY]],
      [METHODS['device.rename'].result, ['device', 'rename', 'x', 'y']],
      [METHODS['device.activate'].result, ['device', 'activate', 'y']],
      [METHODS['device.remove'].result, ['device', 'remove', 'y', '--retired']],
      [METHODS['recovery.show'].result, ['recovery', 'show']],
      [METHODS.observe.result, ['observe', '--from', OTHER_KEY, 'hello']],
    ]
    METHODS['persona.init'].result.parse(init)
    for (const [schema, args] of calls) expect(() => schema.parse(undefined), args.join(' ')).toThrow()
    for (const [schema, args] of calls) schema.parse(await home.json(args))
    expect(calls).toHaveLength(13)
  })

  test('--json and --home stand before or after the command, and --home wins over PERSONAD_HOME', async () => {
    await startWithPersona()
    const elsewhere = { env: { PERSONAD_HOME: at('elsewhere') } }
    for (const args of [
      ['--home', home.directory, '--json', 'device', 'list'],
      ['device', '--json', '--home', home.directory, 'list'],
      ['device', 'list', '--home', home.directory, '--json'],
    ]) {
      ownTable.parse(JSON.parse(await home.done(args, elsewhere)))
    }
    expect(await home.failure(['device', 'list'], elsewhere)).toBe('3 DAEMON_UNREACHABLE')
    expect(await home.failure(['device', 'list', '--home', ''])).toBe('1 HOME_EMPTY')
  })

  test('the YAML of the table has the PersonaID, then nicknames and keys in order', async () => {
    await startWithPersona()
    await home.done(['device', 'add', '1e5', '--key', OTHER_KEY])
    const { personaId } = (await home.json(['device', 'list'])) as OwnTable
    expect(await home.done(['device', 'list', '--yaml'])).toBe(
      `${personaId}:\n  laptop: ${hexKey(LAPTOP)}\n  "1e5": "${OTHER_KEY}"\n`,
    )
  })
})

describe('starting up', () => {
  test('a run directory that others may enter is refused, so that no passphrase goes there', async () => {
    await home.start()
    chmodSync(at('run/admin'), 0o755)
    expect(await home.failure(['status'])).toBe('1 SOCKET_DIR_OPEN')
  })

  test('a socket path that is too long has its own error', async () => {
    const long = join(home.directory, 'x'.repeat(100))
    expect(await home.failure(['status', '--home', long])).toBe('1 SOCKET_PATH_TOO_LONG')
  })

  test('another program on the socket is not taken for a missing daemon', async () => {
    mkdirSync(at('run/admin'), { recursive: true, mode: 0o700 })
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n\f')).listen(
      at('run/admin/admin.sock'),
    )
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    expect(await home.failure(['status'])).toMatch(/^1 (FRAME_NOT_JSON|CONNECTION_CLOSED|PROTOCOL)$/)
  })

  test('compiled code is cached only in a private directory of the user', async () => {
    vi.stubEnv('NODE_COMPILE_CACHE', undefined)
    onTestFinished(() => void vi.unstubAllEnvs())
    await home.run(['status'])
    const cache = at('cache/personad')
    expect(statSync(cache).mode & 0o777).toBe(0o700)
    expect(readdirSync(cache)).toHaveLength(1)
    const open = new Home()
    mkdirSync(join(open.directory, 'cache/personad'), { recursive: true })
    chmodSync(join(open.directory, 'cache/personad'), 0o755)
    await open.run(['status'])
    expect(readdirSync(join(open.directory, 'cache/personad'))).toEqual([])
    const temp = join(open.directory, 'tmp')
    mkdirSync(temp)
    await open.run(['status'], { env: { TMPDIR: temp, TMP: temp, TEMP: temp } })
    expect(readdirSync(temp)).toEqual([])
  })

  test('a Node.js that is too old gives one line of error', async () => {
    const launcher = pathToFileURL(launcherOf('persona')).href
    const script = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.17.9' } }); import('${launcher}')`
    const child = spawn(process.execPath, ['-e', script])
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const [status] = (await once(child, 'close')) as [number]
    expect(status).toBe(1)
    expect(stderr).toMatch(/^persona: error: persona needs Node\.js 22\.18 or newer.*\n$/)
  })

  test('a closed pipe ends a list quietly', async () => {
    await startWithPersona()
    const child = home.spawn(['device', 'list'])
    child.stdout!.destroy()
    let stderr = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    await once(child, 'close')
    expect(stderr).toBe('')
  })
})

test('a stopped daemon leaves no sockets, and a command then exits with 3', async () => {
  await startWithPersona()
  await home.stop()
  expect(existsSync(at('run/admin/admin.sock'))).toBe(false)
  expect(await home.failure(['lookup', 'x'])).toBe('3 DAEMON_UNREACHABLE')
})
