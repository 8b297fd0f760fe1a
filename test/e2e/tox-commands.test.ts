import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { concatBytes, encodeUtf8, formatHex } from '../../src/core/encoding/bytes.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import type * as shapes from '../../src/ipc/shapes/contact.ts'
import { formatToxId } from '../../src/tox/save/address.ts'
import { splitRecords, withWords } from '../../src/tox/save/edit.ts'
import { FRIEND_BYTES, readFriends } from '../../src/tox/save/friends.ts'
import type { Group } from '../../src/tox/save/groups.ts'
import {
  SECTION_CONFERENCES,
  SECTION_FRIENDS,
  SECTION_GROUPS,
  SECTION_KEYS,
  SECTION_STATUS_MESSAGE,
  encodeSave,
  readKeys,
  readName,
  readStatusMessage,
  sectionData,
  toxText,
  withSection,
} from '../../src/tox/save/savefile.ts'
import type { InspectReport } from '../../src/cli/tox/inspect.ts'
import type { RekeyReport } from '../../src/cli/tox/rekey-report.ts'
import { keyOf, BOB, LAPTOP, PHONE, putProfiles, readSave, seeFriend, whose, writeSave } from '../support/people.ts'
import { Home } from '../support/persona.ts'
import { packGroups } from '../support/tox-sections.ts'

let home: Home
let at: (file: string) => string

const OTHER = '9'.repeat(62) + '11'
const PASSPHRASE = 'correct horse'

const text = (value: string): ReturnType<typeof toxText> => toxText(encodeUtf8(value))
const GROUP: Group = {
  chatId: new Uint8Array(32).fill(0xa1),
  name: text('Gardeners'),
  topic: text('rain'),
  isDisconnected: false,
  privacyState: 0,
  voiceState: 0,
  topicLock: 0,
  maxPeers: 100,
  version: 1,
  founderKey: new Uint8Array(64).fill(0xa2),
  moderators: [],
  self: { publicKey: new Uint8Array(64).fill(0xa3), nick: text('Alice'), role: 2, userStatus: 0 },
  savedPeers: new Uint8Array(0),
  secrets: {
    chatSecretKey: new Uint8Array(96).fill(0xb1),
    selfSecretKey: new Uint8Array(96).fill(0xb2),
    password: encodeUtf8('swordfish'),
  },
}

beforeEach(() => {
  home = new Home()
  at = (file) => join(home.directory, file)
  putProfiles(home.directory)
  writeFileSync(at('word'), `${PASSPHRASE}\n`)
})

const hexKey = (file: string): string => formatHex(keyOf(at(file)))
const bytesOf = (file: string): Buffer => readFileSync(at(file))
const shownBy = (file: string): string => readStatusMessage(readSave(at(file))).text
const friendKeys = (file: string): string[] =>
  readFriends(readSave(at(file))).friends.map((one) => formatHex(one.publicKey))
const backupsOf = (file: string): string[] =>
  readdirSync(home.directory).filter((name) => name.startsWith(`${file}.backup-`))

async function rekey(args: readonly string[] = [], from = LAPTOP): Promise<RekeyReport> {
  return (await home.json(['tox', 'rekey', from, 'new.tox', '--device', 'tablet', ...args])) as RekeyReport
}

describe(`rekey, on ${whose}`, () => {
  test('makes a second device that a friend sees as the same person, in one command', async () => {
    const bob = new Home()
    await Promise.all([home.start(), bob.start()])
    await home.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP])
    const before = bytesOf(LAPTOP)
    const words = shownBy(LAPTOP)
    const report = await rekey()
    expect(report).toMatchObject({
      persona: 'published',
      error: null,
      fromListed: true,
      encrypted: false,
      backup: null,
    })
    expect(report.table?.devices).toEqual([
      { name: 'laptop', key: hexKey(LAPTOP) },
      { name: 'tablet', key: report.key },
    ])
    expect(report.key).toBe(hexKey('new.tox'))
    expect(report.toxId).toBe(formatToxId(readKeys(readSave(at('new.tox')), portableEngine)))
    expect(bytesOf(LAPTOP).equals(before)).toBe(true)
    expect(friendKeys('new.tox')).toEqual([...friendKeys(LAPTOP), hexKey(LAPTOP)])
    expect(shownBy('new.tox')).toMatch(new RegExp(`^${words} persona:`))
    expect(statSync(at('new.tox')).mode & 0o777).toBe(0o600)
    // The first version needs no backup.
    expect(backupsOf('new.tox')).toEqual([])

    await home.done(['tox', 'publish', LAPTOP])
    const minuteAgo = Math.floor(Date.now() / 1000) - 60
    seeFriend(at(BOB), keyOf(at(LAPTOP)), shownBy(LAPTOP), minuteAgo)
    await bob.done(['tox', 'scan', at(BOB)])
    // Until the device itself shows the table it is only a claim, and a lookup finds no contact.
    const claimed = await bob.run(['lookup', report.key, '--json'])
    expect(JSON.parse(claimed.stdout)).toMatchObject({ contact: null, claimedBy: [report.table?.personaId] })
    await bob.done(['tox', 'friends', at(BOB), 'add', report.key, '--name', 'Alice (tablet)'])
    seeFriend(at(BOB), keyOf(at('new.tox')), shownBy('new.tox'), minuteAgo)
    await bob.done(['tox', 'scan', at(BOB)])
    const { contact } = (await bob.json(['lookup', report.key])) as shapes.LookupResult
    expect(contact?.devices.map(({ name, key, state }) => [name, key, state])).toEqual([
      ['laptop', hexKey(LAPTOP), 'confirmed'],
      ['tablet', report.key, 'confirmed'],
    ])
  })

  test('makes the profile without a daemon, and lists the remaining steps', async () => {
    const human = await home.done(['tox', 'rekey', LAPTOP, 'new one.tox', '--device', 'tablet'])
    expect(human).toContain('no daemon runs')
    expect(human).toContain("persona device add tablet --tox-profile 'new one.tox'")
    expect(human).toContain(`persona tox publish ${LAPTOP}`)
    expect(human).toContain(`persona tox friends ${LAPTOP} add ${hexKey('new one.tox')} --name tablet`)
    await home.start()
    const other = (await home.json(['tox', 'rekey', LAPTOP, 'third.tox', '--device', 'third'])) as RekeyReport
    expect(other).toMatchObject({ persona: 'no-persona', error: null })
  })

  test('drops conferences and reports that, and keeps an unknown section byte for byte', async () => {
    const foreign = withSection(readSave(at(LAPTOP)), 99, Uint8Array.of(1, 2, 3))
    const inOne = concatBytes(new Uint8Array(41), new Uint8Array(5))
    writeSave(at(LAPTOP), withSection(foreign, SECTION_CONFERENCES, inOne))
    expect((await rekey()).dropped).toEqual(['CONFERENCES'])
    const save = readSave(at('new.tox'))
    expect(sectionData(save, 99)).toEqual(Uint8Array.of(1, 2, 3))
    expect(sectionData(save, SECTION_CONFERENCES)).toBeNull()
  })

  test('draws a new nospam unless --nospam keep is given', async () => {
    const nospam = (file: string): string => formatHex(readKeys(readSave(at(file)), portableEngine).nospam)
    await rekey()
    expect(nospam('new.tox')).not.toBe(nospam(LAPTOP))
    await rekey(['--nospam', 'keep', '--force'])
    expect(nospam('new.tox')).toBe(nospam(LAPTOP))
    expect(backupsOf('new.tox')).toHaveLength(1)
    expect(await home.failure(['tox', 'rekey', LAPTOP, 'x.tox', '--device', 'x', '--nospam', '00'])).toBe('2 USAGE')
  })

  test('encrypts the new profile like the old one, unless an option asks for something else', async () => {
    await home.done(['tox', 'encrypt', LAPTOP, '--passphrase-file', 'word'])
    writeFileSync(at('other'), 'battery staple')
    const word = ['--passphrase-file', 'word']
    expect(await home.failure(['tox', 'rekey', LAPTOP, 'new.tox', '--device', 'x'])).toBe('1 TOX_ENCRYPTED')
    expect((await rekey(word)).encrypted).toBe(true)
    expect(await home.json(['tox', 'inspect', 'new.tox', ...word])).toMatchObject({ encrypted: true, findings: [] })
    expect((await rekey([...word, '--new-passphrase-file', 'other', '--force'])).encrypted).toBe(true)
    expect(await home.failure(['tox', 'inspect', 'new.tox', ...word])).toBe('1 TOX_WRONG_PASSPHRASE')
    await home.done(['tox', 'inspect', 'new.tox', '--passphrase-file', 'other'])
    expect((await rekey([...word, '--plain', '--force'])).encrypted).toBe(false)
    expect(friendKeys('new.tox').at(-1)).toHaveLength(64)
  })

  test('publishes into an encrypted profile too if there is a persona', async () => {
    await home.start()
    await home.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP])
    await home.done(['tox', 'encrypt', LAPTOP, '--passphrase-file', 'word'])
    expect(await rekey(['--passphrase-file', 'word'])).toMatchObject({ persona: 'published', encrypted: true })
    const report = (await home.json(['tox', 'inspect', 'new.tox', '--passphrase-file', 'word'])) as InspectReport
    expect(report.status).toMatchObject({ valid: true, listsSender: true })
  })

  test('never overwrites the old profile, and another file only with --force', async () => {
    const before = bytesOf(LAPTOP)
    symlinkSync(at(LAPTOP), at('link.tox'))
    for (const out of [LAPTOP, `./${LAPTOP}`, 'link.tox']) {
      const args = ['tox', 'rekey', LAPTOP, out, '--device', 'x', '--force']
      expect(await home.failure(args)).toBe('1 TOX_SAME_FILE')
    }
    expect(await home.failure(['tox', 'rekey', LAPTOP, PHONE, '--device', 'x'])).toBe('1 TOX_FILE_EXISTS')
    expect(await home.failure(['tox', 'rekey', LAPTOP, 'no/such.tox', '--device', 'x'])).toBe('1 TOX_WRITE_FAILED')
    expect(bytesOf(LAPTOP).equals(before)).toBe(true)
    const phone = bytesOf(PHONE)
    const report = (await home.json(['tox', 'rekey', LAPTOP, PHONE, '--device', 'x', '--force'])) as RekeyReport
    expect(readFileSync(report.backup!).equals(phone)).toBe(true)
  })

  test('refuses a nickname that is taken or invalid before it writes anything', async () => {
    await home.start()
    await home.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP])
    expect(await home.failure(['tox', 'rekey', LAPTOP, 'new.tox', '--device', 'LapTop'])).toBe('1 NICKNAME_TWICE')
    expect(await home.failure(['tox', 'rekey', LAPTOP, 'new.tox', '--device', ' x'])).toBe('1 NICKNAME_SPACES')
    expect(existsSync(at('new.tox'))).toBe(false)
  })

  test('writes no profile if the signing key is locked', async () => {
    await home.start()
    await home.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP, '--passphrase-file', 'word'])
    await home.done(['lock'])
    expect(await home.failure(['tox', 'rekey', LAPTOP, 'new.tox', '--device', 'tablet'])).toBe('1 LOCKED')
    expect(existsSync(at('new.tox'))).toBe(false)
    await home.done(['unlock', '--passphrase-file', 'word'])
    await home.done(['tox', 'rekey', LAPTOP, 'new.tox', '--device', 'tablet'])
    expect(friendKeys('new.tox').at(-1)).toBe(hexKey(LAPTOP))
  })
})

describe('set', () => {
  test('changes name, words, nospam and away, each with a backup', async () => {
    await home.done(['tox', 'set', LAPTOP, 'name', 'Zoë'])
    await home.done(['tox', 'set', LAPTOP, 'status', 'out'])
    await home.done(['tox', 'set', LAPTOP, 'away', 'busy'])
    const { toxId } = (await home.json(['tox', 'set', LAPTOP, 'nospam', 'CAFE0001'])) as { toxId: string }
    expect(toxId.slice(64, 72)).toBe('CAFE0001')
    const report = (await home.json(['tox', 'inspect', LAPTOP])) as InspectReport
    expect(report).toMatchObject({ name: 'Zoë', toxId, userStatus: 'busy', status: { words: 'out' }, findings: [] })
    expect(backupsOf(LAPTOP)).toHaveLength(4)
    const { mtimeMs } = statSync(at(LAPTOP))
    expect(await home.done(['tox', 'set', LAPTOP, 'name', 'Zoë'])).toContain('it was not changed')
    expect(statSync(at(LAPTOP)).mtimeMs).toBe(mtimeMs)
    expect(await home.json(['tox', 'set', LAPTOP, 'nospam', 'new'])).not.toMatchObject({ toxId })
  })

  test('keeps the token after the words, and reports that', async () => {
    const token = `persona:${'A'.repeat(300)}`
    writeSave(at(LAPTOP), withWords(readSave(at(LAPTOP)), `old ${token}`).save)
    expect(await home.done(['tox', 'set', LAPTOP, 'status', 'new'])).toContain('followed by the blob of your persona')
    expect(shownBy(LAPTOP)).toBe(`new ${token}`)
    expect(await home.failure(['tox', 'set', LAPTOP, 'status', 'x'.repeat(700)])).toBe('1 TOX_STATUS_TOO_LONG')
  })

  test.each([
    ['name', 'n'.repeat(129), '1 TOX_NAME_TOO_LONG'],
    ['status', 's'.repeat(1007), '1 TOX_STATUS_TOO_LONG'],
    ['nospam', '123', '2 USAGE'],
    ['away', 'gone', '2 USAGE'],
    ['shoe size', '42', '2 USAGE'],
  ])('refuses a bad %s', async (field, value, failure) => {
    const before = bytesOf(LAPTOP)
    expect(await home.failure(['tox', 'set', LAPTOP, field, value])).toBe(failure)
    expect(bytesOf(LAPTOP).equals(before)).toBe(true)
  })

  test('keeps five backups: the oldest and the newest four', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await home.done(['tox', 'set', LAPTOP, 'name', name])
    const names = backupsOf(LAPTOP).map((file) => readName(readSave(at(file))).text)
    expect(names.toSorted()).toEqual(['Alice', 'c', 'd', 'e', 'f'])
  })

  test('fails if a client has the profile open, unless --force is given', async () => {
    // A lock that cannot be read counts as held.
    writeFileSync(at(LAPTOP.replace('.tox', '.lock')), 'not a lock of anybody')
    expect(await home.failure(['tox', 'set', LAPTOP, 'name', 'x'])).toBe('1 TOX_CLIENT_RUNNING')
    expect(await home.failure(['tox', 'friends', LAPTOP, 'add', OTHER])).toBe('1 TOX_CLIENT_RUNNING')
    expect(await home.failure(['tox', 'encrypt', LAPTOP, '--passphrase-file', 'word'])).toBe('1 TOX_CLIENT_RUNNING')
    await home.done(['tox', 'set', LAPTOP, 'name', 'x', '--force'])
  })
})

describe('friends', () => {
  test('are added, requested and removed', async () => {
    const before = friendKeys(LAPTOP)
    await home.done(['tox', 'friends', LAPTOP, 'add', OTHER, '--name', 'Nora'])
    expect(friendKeys(LAPTOP)).toEqual([...before, OTHER])
    expect(await home.failure(['tox', 'friends', LAPTOP, 'add', OTHER])).toBe('1 TOX_FRIEND_TWICE')
    expect(await home.failure(['tox', 'friends', LAPTOP, 'add', hexKey(LAPTOP)])).toBe('1 TOX_FRIEND_OWN_KEY')
    expect(await home.failure(['tox', 'friends', LAPTOP, 'add', 'nonsense'])).toBe('1 TOX_BAD_ID')

    const publicKey = new Uint8Array(32).fill(5)
    const toxId = formatToxId({ publicKey, nospam: Uint8Array.of(1, 2, 3, 4) })
    await home.done(['tox', 'friends', LAPTOP, 'add', toxId, '--request', 'it is me'])
    const report = (await home.json(['tox', 'inspect', LAPTOP])) as InspectReport
    expect(report.friends.at(-1)).toMatchObject({ toxId, request: 'it is me', confirmed: false, state: 'added' })
    expect(await home.done(['tox', 'inspect', LAPTOP])).toContain('request not sent yet: "it is me"')

    await home.done(['tox', 'friends', LAPTOP, 'remove', 'Nora', toxId])
    expect(friendKeys(LAPTOP)).toEqual(before)
    expect(await home.failure(['tox', 'friends', LAPTOP, 'remove', 'Nora'])).toBe('1 TOX_FRIEND_UNKNOWN')
  })

  test('of diverged profiles are merged', async () => {
    copyFileSync(at(LAPTOP), at('copy.tox'))
    await home.done(['tox', 'friends', 'copy.tox', 'add', OTHER, '--name', 'Nora'])
    seeFriend(at('copy.tox'), keyOf(at(BOB)), 'seen here', 4_000_000_000)
    const before = friendKeys(LAPTOP)
    const human = await home.done(['tox', 'friends', LAPTOP, 'merge', 'copy.tox', PHONE])
    expect(human).toContain('Bob')
    expect(human).toContain('updated name and status message')
    expect(new Set(friendKeys(LAPTOP))).toEqual(new Set([...before, OTHER, hexKey(PHONE)]))
    expect(friendKeys(LAPTOP)).not.toContain(hexKey(LAPTOP))
    const again = (await home.json(['tox', 'friends', LAPTOP, 'merge', 'copy.tox'])) as { written: boolean }
    expect(again.written).toBe(false)
    expect(await home.failure(['tox', 'friends', LAPTOP, 'merge', 'missing.tox'])).toBe('1 TOX_FILE_MISSING')
  })

  test('are exported as YAML and JSON, with hostile text escaped for the terminal', async () => {
    const nasty = 'a\u001b[31m\u009b\u202eb\u2028"\\: c'
    seeFriend(at(LAPTOP), keyOf(at(BOB)), nasty, 1_700_000_000)
    const yaml = await home.done(['tox', 'friends', LAPTOP, 'export'])
    // eslint-disable-next-line no-control-regex
    expect(yaml).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/)
    const json = (await home.json(['tox', 'friends', LAPTOP, 'export'])) as { friends: { statusMessage: string }[] }
    expect(json.friends.map(({ statusMessage }) => statusMessage)).toContain(nasty)
    expect(parse(yaml)).toEqual(json)
    expect(await home.done(['tox', 'friends', LAPTOP, 'export', '--yaml'])).toBe(yaml)
  })

  test.each([
    [['dance']],
    [['add']],
    [['add', OTHER, OTHER]],
    [['remove']],
    [['merge']],
    [['export', 'x']],
    [['remove', 'Bob', '--name', 'x']],
    [['add', OTHER, '--yaml']],
    [['add', OTHER, '--request', 'hi']],
    [['add', OTHER, '--request', 'hi', '--name', 'x']],
  ])('refuse arguments that make no sense: %j', async (args) => {
    expect(await home.failure(['tox', 'friends', LAPTOP, ...args])).toBe('2 USAGE')
  })
})

describe('encrypt, decrypt and new', () => {
  test('encrypt and then decrypt restores the same bytes', async () => {
    const before = bytesOf(LAPTOP)
    const human = await home.done(['tox', 'encrypt', LAPTOP, '--passphrase-file', '-'], { stdin: PASSPHRASE })
    expect(human).toContain('not encrypted')
    expect(bytesOf(LAPTOP).subarray(0, 8).toString()).toBe('toxEsave')
    expect(await home.failure(['tox', 'encrypt', LAPTOP, '--passphrase-file', 'word'])).toBe('1 TOX_ALREADY_ENCRYPTED')
    expect(await home.failure(['tox', 'decrypt', LAPTOP])).toBe('1 TOX_ENCRYPTED')
    await home.done(['tox', 'decrypt', LAPTOP, '--passphrase-file', 'word'])
    expect(bytesOf(LAPTOP).equals(before)).toBe(true)
    expect(await home.failure(['tox', 'decrypt', LAPTOP])).toBe('1 TOX_NOT_ENCRYPTED')
  })

  test('use the passphrase from the systemd credential', async () => {
    await home.done(['tox', 'encrypt', LAPTOP, '--passphrase-file', 'word'])
    mkdirSync(at('credentials'))
    const env = { CREDENTIALS_DIRECTORY: at('credentials') }
    expect(await home.failure(['tox', 'inspect', LAPTOP], { env })).toBe('1 TOX_ENCRYPTED')
    writeFileSync(at('credentials/tox-passphrase'), PASSPHRASE)
    await home.done(['tox', 'inspect', LAPTOP], { env })
    // The option comes before the credential.
    writeFileSync(at('other'), 'wrong')
    const args = ['tox', 'inspect', LAPTOP, '--passphrase-file', 'other']
    expect(await home.failure(args, { env })).toBe('1 TOX_WRONG_PASSPHRASE')
  })

  test('a new profile is valid and private, and never overwrites another one', async () => {
    const plain = (await home.json(['tox', 'new', 'n.tox', '--name', 'Nora', '--status', 'hi'])) as { toxId: string }
    expect(await home.json(['tox', 'inspect', 'n.tox'])).toMatchObject({
      name: 'Nora',
      toxId: plain.toxId,
      status: { words: 'hi' },
      friends: [],
      findings: [],
    })
    expect(statSync(at('n.tox')).mode & 0o777).toBe(0o600)
    expect(await home.failure(['tox', 'new', 'n.tox', '--name', 'x'])).toBe('1 TOX_FILE_EXISTS')
    await home.done(['tox', 'new', 'e.tox', '--name', 'x', '--passphrase-file', 'word'])
    expect(await home.failure(['tox', 'inspect', 'e.tox'])).toBe('1 TOX_ENCRYPTED')
    expect(await home.failure(['tox', 'new', 'q.tox', '--name', 'x', '--encrypt'])).toBe('1 NO_TERMINAL')
  })
})

describe('inspect', () => {
  test('shows secret keys only with --secrets, in every format', async () => {
    const secret = formatHex(readKeys(readSave(at(LAPTOP)), portableEngine).secretKey)
    for (const form of [[], ['--json'], ['--yaml']]) {
      expect(await home.done(['tox', 'inspect', LAPTOP, ...form])).not.toContain(secret)
      expect(await home.done(['tox', 'inspect', LAPTOP, '--secrets', ...form])).toContain(secret)
    }
  })

  test('shows the keys and the password of a group only with --secrets', async () => {
    writeSave(at(LAPTOP), withSection(readSave(at(LAPTOP)), SECTION_GROUPS, packGroups([GROUP])))
    const secrets = [GROUP.secrets.selfSecretKey, GROUP.secrets.chatSecretKey, GROUP.secrets.password].map(formatHex)
    for (const form of ['--json', '--yaml']) {
      const told = await home.done(['tox', 'inspect', LAPTOP, form])
      expect(told).toContain(formatHex(GROUP.chatId))
      expect(secrets.filter((secret) => told.includes(secret))).toEqual([])
      const all = await home.done(['tox', 'inspect', LAPTOP, '--secrets', form])
      expect(secrets.filter((secret) => all.includes(secret))).toEqual(secrets)
    }
    const human = await home.done(['tox', 'inspect', LAPTOP])
    expect(human).toContain(`Gardeners, chat ID ${formatHex(GROUP.chatId)}`)
    expect(secrets.filter((secret) => human.includes(secret))).toEqual([])
  })

  test('shows unknown sections by type, length and hash, with equal content in YAML and JSON', async () => {
    writeSave(at(LAPTOP), withSection(readSave(at(LAPTOP)), 99, encodeUtf8('abc')))
    const report = (await home.json(['tox', 'inspect', LAPTOP])) as InspectReport
    expect(report.sections.find(({ type }) => type === 99)).toEqual({
      type: 99,
      name: null,
      bytes: 3,
      sha256: 'BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD',
      error: null,
    })
    expect(report.findings.map(({ code }) => code)).toEqual(['TOX_FOREIGN_SECTION'])
    expect(parse(await home.done(['tox', 'inspect', LAPTOP, '--yaml']))).toEqual(report)
    expect(await home.done(['tox', 'inspect', LAPTOP])).toMatch(/unknown \(type 99\), 3 bytes, SHA-256 BA7816BF/)
  })

  const findings: readonly (readonly [string, number, (bytes: Uint8Array) => Uint8Array])[] = [
    ['TOX_STATUS_TOO_LONG', SECTION_STATUS_MESSAGE, () => new Uint8Array(1008).fill(97)],
    ['TOX_FRIEND_TWICE', SECTION_FRIENDS, (bytes) => concatBytes(bytes, bytes.subarray(0, FRIEND_BYTES))],
    ['TOX_BAD_CONFERENCES', SECTION_CONFERENCES, () => new Uint8Array(3)],
  ]
  test.each(findings)('reports %s, and still shows the rest', async (code, type, change) => {
    const save = readSave(at(LAPTOP))
    writeSave(at(LAPTOP), withSection(save, type, change(sectionData(save, type) ?? new Uint8Array(0))))
    const report = (await home.json(['tox', 'inspect', LAPTOP])) as InspectReport
    expect(report.findings.map((finding) => finding.code)).toEqual([code])
    expect(report.friends.length).toBe(splitRecords(save).length)
  })

  const refusals: readonly (readonly [string, string, () => Uint8Array])[] = [
    ['truncated', 'TOX_TRUNCATED', () => bytesOf(LAPTOP).subarray(0, 500)],
    ['of another magic', 'TOX_NOT_A_PROFILE', () => encodeUtf8('SQLite format 3')],
    ['encrypted', 'TOX_ENCRYPTED', () => encodeUtf8(`toxEsave${'x'.repeat(200)}`)],
    ['without a whole number of friends', 'TOX_FRIENDS_NOT_WHOLE', () => damaged(SECTION_FRIENDS, 2215)],
    ['without keys', 'TOX_BAD_KEYS', () => damaged(SECTION_KEYS, 67)],
    ['with keys that do not match', 'TOX_BAD_KEYS', () => damaged(SECTION_KEYS, 68)],
  ]
  test.each(refusals)(
    'a profile %s is refused and named by every command, and stays unchanged',
    async (_, code, make) => {
      const bytes = make()
      writeFileSync(at('bad.tox'), bytes)
      const commands = [
        ['tox', 'inspect', 'bad.tox'],
        ['tox', 'rekey', 'bad.tox', 'out.tox', '--device', 'x'],
        ['tox', 'friends', 'bad.tox', 'add', OTHER],
        ['tox', 'friends', LAPTOP, 'merge', 'bad.tox'],
      ]
      for (const command of commands) {
        expect(await home.failure(command), command.join(' ')).toBe(`1 ${code}`)
        expect((await home.run(command)).stderr).toContain('bad.tox')
      }
      expect(bytesOf('bad.tox').equals(bytes)).toBe(true)
      expect(existsSync(at('out.tox'))).toBe(false)
    },
  )

  function damaged(type: number, length: number): Uint8Array {
    return encodeSave(withSection(readSave(at(LAPTOP)), type, new Uint8Array(length).fill(1)))
  }
})
