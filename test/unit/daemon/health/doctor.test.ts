import { expect, test } from 'vitest'
import type { Sighting } from '../../../../src/core/consent.ts'
import { diagnose } from '../../../../src/daemon/health/doctor.ts'
import type { SeedState } from '../../../../src/daemon/own/seed.ts'
import { NO_STANDING, standingFindings, type OwnStanding } from '../../../../src/daemon/own/standing.ts'
import type { Finding } from '../../../../src/ipc/shapes/doctor.ts'
import type { Alarm } from '../../../../src/ipc/shapes/alarms.ts'
import type { OwnTable } from '../../../../src/ipc/shapes/own.ts'
import type { ProfileList, ShownTable, WatchedProfile } from '../../../../src/ipc/shapes/profiles.ts'
import type { ToxStatus } from '../../../../src/ipc/shapes/tox.ts'
import { checkCompanion } from '../../../../src/daemon/companion/check.ts'
import { checkProfiles } from '../../../../src/daemon/profiles/check.ts'
import type { Examined } from '../../../../src/daemon/health/examined.ts'

const NOW = 1_795_234_054
const DAY = 86_400
const LAPTOP = 'A'.repeat(64)
const TABLE: OwnTable = {
  personaId: 'B'.repeat(64),
  epoch: 0,
  seq: 7,
  timeSec: NOW - DAY,
  named: true,
  devices: [{ name: 'laptop', key: LAPTOP }],
  bytesFree: 100,
}
/** The state and the input of the wings' checks. */
interface Scene extends Examined {
  readonly profiles: ProfileList
  readonly tox: ToxStatus | null
}

const WELL: Scene = {
  table: TABLE,
  standing: NO_STANDING,
  isLocked: false,
  sealing: 'passphrase',
  coreDumps: [],
  alarms: [],
  history: { entries: 3, kept: 0, oldest: 1, newest: 3, tip: 'C'.repeat(64), intact: true, brokenAt: null },
  waiting: { contacts: 0, apps: 0 },
  theftProtection: true,
  seed: 'here',
  clock: { nowSec: NOW, isWrong: false },
  engine: 'sodium',
  storeKind: 'leveldb',
  storeSchema: 1,
  shown: new Map([[LAPTOP, seen(7)]]),
  profiles: { profiles: [profile('current', 7)], lost: [], troubles: [] },
  tox: null,
}

function seen(seq: number | null, atSec = NOW): Sighting {
  const sighting = { atSec, personaId: 'B'.repeat(64), lists: true }
  return seq === null ? sighting : { ...sighting, table: { epoch: 0, seq } }
}

function alarm(code: string, contact: string | null): Alarm {
  const times = { sinceSec: NOW, lastSec: NOW, count: 1 }
  return { id: '01234567', code, personaId: 'B'.repeat(64), contact, keys: [], message: `${code} happened`, ...times }
}

const stands = (standing: Partial<OwnStanding>): Partial<Scene> => ({ standing: { ...NO_STANDING, ...standing } })
/** A device without a watched profile. */
const elsewhere = (sighting: Sighting): Partial<Scene> => ({
  shown: new Map([[LAPTOP, sighting]]),
  profiles: { profiles: [{ ...profile('current', 7), key: 'D'.repeat(64) }], lost: [], troubles: [] },
})

function profile(state: ShownTable['state'], seq: number | null, repair: string | null = null): WatchedProfile {
  const shows = { state, epoch: seq === null ? null : 0, seq }
  const problem = state === 'unread' ? { code: 'TOX_ENCRYPTED', message: 'encrypted' } : null
  const whose = { key: LAPTOP, device: 'laptop', encrypted: false, checkedAtSec: NOW, client: null }
  return { path: '/p.tox', shows, problem, repair, ...whose }
}

const COMPANION: ToxStatus = {
  state: 'running',
  key: 'C'.repeat(64),
  toxId: null,
  device: 'companion',
  connection: 'udp',
  dht: null,
  counts: { peers: 2, online: 1, requests: 0 },
  problem: null,
}
const companion = (status: Partial<ToxStatus>): Partial<Scene> => ({ tox: { ...COMPANION, ...status } })
const showing = (...profiles: WatchedProfile[]): Partial<Scene> => ({ profiles: { profiles, lost: [], troubles: [] } })

function findings(given: Partial<Scene>): Finding[] {
  const { profiles, tox, ...examined } = { ...WELL, ...given }
  const ofCompanion = tox === null ? [] : checkCompanion(tox)
  return diagnose(examined, [...checkProfiles(profiles, examined.table), ...ofCompanion]).findings
}

test('doctor reports each check as ok if all is well', () => {
  const all = findings({})
  expect(all.every(({ severity, hint }) => severity === 'ok' && hint === null)).toBe(true)
  const daemon = ['ENGINE', 'STORE', 'CLOCK', 'CORE_DUMPS', 'RECOVERY', 'SEALED_PASSPHRASE']
  const own = ['PERSONA', 'FRESHNESS', 'DEVICE_SHOWS', 'PROFILE_CURRENT', 'ALARMS', 'HISTORY']
  expect(all.map(({ code }) => code)).toEqual([...daemon, ...own])
})

const rows: [string, Finding['severity'], string, Partial<Scene>][] = [
  ['PROFILE_OLDER', 'problem', '/p.tox still shows an older table of yours', showing(profile('older', 5))],
  ['PROFILE_SHOWS_NONE', 'problem', 'shows no table', showing(profile('none', null))],
  ['PROFILE_DAMAGED', 'problem', 'was cut', showing(profile('damaged', null))],
  ['PROFILE_OTHER', 'problem', 'another persona', showing(profile('other', 1))],
  ['PROFILE_NEWER', 'notice', '/p.tox shows a table that is newer', showing(profile('newer', 9))],
  ['PROFILE_UNREAD', 'problem', 'encrypted', showing(profile('unread', null))],
  ['WATCH_NOTHING', 'notice', 'no Tox profile is watched', showing()],
  [
    'WATCH_TROUBLE',
    'notice',
    'too many',
    { profiles: { profiles: [profile('current', 7)], lost: [], troubles: ['too many'] } },
  ],
  ['DEVICE_UNSEEN', 'notice', 'laptop was never seen', { shown: new Map([[LAPTOP, null]]) }],
  [
    'RECOVERY_UNCONFIRMED',
    'problem',
    'theft protection is off',
    { ...stands({ isUnconfirmed: true }), theftProtection: false },
  ],
  [
    'RECOVERY_LOST',
    'problem',
    'is gone from this device',
    { ...stands({ isUnconfirmed: true }), theftProtection: false, seed: 'lost' },
  ],
  [
    'SEED_FOREIGN',
    'problem',
    'of another persona',
    { ...stands({ isUnconfirmed: true }), theftProtection: false, seed: 'foreign' },
  ],
  ['LOCKED', 'notice', 'locked', { isLocked: true }],
  ['LOCKED_LONG', 'problem', '10 days old', { isLocked: true, table: { ...TABLE, timeSec: NOW - 10 * DAY } }],
  ['SECRETS_UNSEALED', 'notice', 'is not sealed', { sealing: 'unsealed' }],
  ['CORE_DUMPS_POSSIBLE', 'problem', 'could write', { coreDumps: ['a crash could write a core dump'] }],
  ['DEVICE_OLDER', 'problem', 'laptop was last seen showing an older table of yours', elsewhere(seen(6))],
  ['DEVICE_OLDER', 'notice', 'before your current table was signed', elsewhere(seen(6, NOW - 2 * DAY))],
  ['RESTORE_UNRECONCILED', 'problem', 'restored from a backup', stands({ isUnreconciled: true })],
  ['OWN_DEVICE_UNLISTED', 'problem', 'removed this one from your table', stands({ isUnlisted: true })],
  ['KEY_SUPERSEDED', 'problem', 'rotated the key', stands({ isSuperseded: true })],
  ['PERSONA_SUCCEEDED', 'problem', 'follows this one', stands({ succeededBy: LAPTOP, epoch: 14 })],
  ['EPOCHS_RUN_OUT', 'notice', '3 rotations are left', stands({ epoch: 13 })],
  ['EPOCHS_RUN_OUT', 'notice', 'one rotation is left', stands({ epoch: 15 })],
  ['LAST_EPOCH', 'problem', 'your last key signs', stands({ epoch: 16 })],
  ['CHAIN_DISPUTED', 'problem', 'two key chains', stands({ isDisputed: true })],
  ['ROTATE_AGAIN', 'problem', 'on another device at the same time', stands({ hasRival: true })],
  ['OWN_TABLE_HELD', 'problem', 'not accepted', stands({ isHeld: true })],
  ['RECOVER_UNFINISHED', 'problem', 'not rotated yet', stands({ isRecovering: true, isUnreconciled: true })],
  ['DEVICE_UNAPPROVED', 'notice', 'added phone', stands({ unapproved: [{ name: 'phone', key: LAPTOP }] })],
  ['STORE_ROLLED_BACK', 'problem', 'happened', { alarms: [alarm('STORE_ROLLED_BACK', null)] }],
  ['CHAIN_DISPUTED', 'problem', 'happened', { alarms: [alarm('CHAIN_DISPUTED', 'bob')] }],
  ['HISTORY_BROKEN', 'problem', 'at entry 2', { history: { ...WELL.history, intact: false, brokenAt: 2 } }],
  ['PENDING', 'notice', '2 contact changes need your decision', { waiting: { contacts: 2, apps: 0 } }],
  ['APPS_PENDING', 'notice', '1 app waits for your answer', { waiting: { contacts: 0, apps: 1 } }],
  ['TABLE_STALE', 'problem', 'see it as stale', { table: { ...TABLE, timeSec: NOW - 20 * DAY } }],
  ['TABLE_STALE', 'problem', 'see it as expired', { table: { ...TABLE, timeSec: NOW - 90 * DAY } }],
  ['CLOCK_WRONG', 'problem', 'clock of this machine', { clock: { nowSec: NOW, isWrong: true } }],
  ['ENGINE_PORTABLE', 'notice', 'ordinary memory', { engine: 'portable' }],
  ['COMPANION_NONE', 'notice', 'there is none yet', companion({ state: 'none' })],
  ['COMPANION_UNLISTED', 'problem', 'does not list', companion({ state: 'unlisted' })],
  ['COMPANION_DOWN', 'notice', 'you have stopped the companion', companion({ state: 'down', connection: 'none' })],
  ['COMPANION_ALONE', 'notice', 'does not reach', companion({ connection: 'none' })],
  [
    'COMPANION_ENDED',
    'problem',
    'libtoxcore2 (LIVE_LIBRARY_MISSING)',
    companion({ state: 'waiting', problem: { code: 'LIVE_LIBRARY_MISSING', message: 'install libtoxcore2' } }),
  ],
  ['NO_PERSONA', 'notice', 'no persona', { table: null }],
]

test.each(rows)('%s is a %s', (code, severity, message, given) => {
  const found = findings(given).filter((finding) => finding.severity !== 'ok')
  expect(found).toMatchObject([{ code, severity, message: expect.stringContaining(message) }])
  expect(found[0]?.hint === null).toBe(code === 'WATCH_TROUBLE')
  // People see the numbers of tables only with -v.
  for (const finding of findings(given)) expect(finding.message).not.toMatch(/\b(epoch|seq|table \d)/)
})

test('a condition with an alarm is reported once, and the same alarm of a contact as well', () => {
  const codesOf = (contact: string | null): string[] =>
    findings({ ...stands({ isDisputed: true }), alarms: [alarm('CHAIN_DISPUTED', contact)] })
      .filter(({ severity }) => severity === 'problem')
      .map(({ code }) => code)
  expect(codesOf(null)).toEqual(['CHAIN_DISPUTED'])
  expect(codesOf('bob')).toEqual(['CHAIN_DISPUTED', 'CHAIN_DISPUTED'])
})

test('a device is older only if its table has a known, lower number', () => {
  const codeOf = (given: Partial<Scene>): string | undefined =>
    findings(given).find(({ code }) => code.startsWith('DEVICE_'))?.code
  expect(codeOf(elsewhere(seen(null)))).toBe('DEVICE_SHOWS')
  expect(codeOf(elsewhere(seen(7)))).toBe('DEVICE_SHOWS')
  expect(codeOf(elsewhere(seen(6)))).toBe('DEVICE_OLDER')
})

test('doctor names a key from the service manager, and reports nothing about the key before there is a persona', () => {
  expect(findings({ sealing: 'key' }).map(({ code }) => code)).toContain('SEALED_KEY')
  expect(findings({ table: null, sealing: null }).map(({ code }) => code)).not.toContain('RECOVERY')
})

test('the hint on recovery words points to the first device if this one never had the seed', () => {
  const hintOf = (seed: SeedState): string | null | undefined =>
    findings({ ...stands({ isUnconfirmed: true }), theftProtection: false, seed }).find(
      ({ code }) => code === 'RECOVERY_UNCONFIRMED',
    )?.hint
  expect(hintOf('here')).toBe('write down the recovery words and confirm them')
  expect(hintOf('elsewhere')).toContain('on the device where you created the persona')
})

test('a waiting repair names its reason, and a profile without repair gets advice to publish', () => {
  const hintOf = (repair: string | null): string | null | undefined =>
    findings(showing(profile('older', 5, repair))).find(({ code }) => code === 'PROFILE_OLDER')?.hint
  expect(hintOf('toxic runs on it')).toBe('the daemon writes it as soon as possible (toxic runs on it)')
  expect(hintOf(null)).toBe('publish the table into it')
})

test('a running companion is ok, and without a companion doctor does not mention it', () => {
  expect(findings(companion({})).find(({ code }) => code === 'COMPANION')?.severity).toBe('ok')
  expect(findings({}).filter(({ code }) => code.startsWith('COMPANION'))).toEqual([])
})

test('a finding names its subject, so that a client can add its own command', () => {
  const unapproved = [{ name: 'my phone', key: LAPTOP }]
  const [finding] = standingFindings({ ...NO_STANDING, unapproved })
  expect(finding).toMatchObject({ code: 'DEVICE_UNAPPROVED', about: { device: 'my phone' } })
  expect(findings(showing(profile('older', 5))).find(({ code }) => code === 'PROFILE_OLDER')?.about).toEqual({
    path: '/p.tox',
    epoch: '0',
    seq: '5',
  })
})
