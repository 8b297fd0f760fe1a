import { expect, test } from 'vitest'
import { diagnose, type Examined } from '../../../src/daemon/doctor.ts'
import type { Finding } from '../../../src/ipc/shapes-doctor.ts'
import type { OwnTable, ShownTable, WatchedProfile } from '../../../src/ipc/shapes.ts'
import type { ToxStatus } from '../../../src/ipc/shapes-tox.ts'

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
const WELL: Examined = {
  table: TABLE,
  isLocked: false,
  theftProtection: true,
  clock: { nowSec: NOW, isWrong: false },
  engine: 'sodium',
  storeKind: 'leveldb',
  storeSchema: 1,
  shownAtSec: new Map([[LAPTOP, NOW]]),
  profiles: { profiles: [profile('current', 7)], troubles: [] },
  tox: null,
}

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
const companion = (status: Partial<ToxStatus>): Partial<Examined> => ({ tox: { ...COMPANION, ...status } })
const showing = (...profiles: WatchedProfile[]): Partial<Examined> => ({ profiles: { profiles, troubles: [] } })

function findings(given: Partial<Examined>): Finding[] {
  return diagnose({ ...WELL, ...given }).findings
}

test('where all is well everything that was looked at is told as well', () => {
  const all = findings({})
  expect(all.every(({ severity, hint }) => severity === 'ok' && hint === null)).toBe(true)
  const codes = ['ENGINE', 'STORE', 'CLOCK', 'PERSONA', 'RECOVERY', 'FRESHNESS', 'DEVICE_SHOWS', 'PROFILE_CURRENT']
  expect(all.map(({ code }) => code)).toEqual(codes)
})

const rows: [string, Finding['severity'], string, Partial<Examined>][] = [
  [
    'PROFILE_OLDER',
    'problem',
    '/p.tox still shows table 5 of epoch 0; the current one is 7',
    showing(profile('older', 5)),
  ],
  ['PROFILE_SHOWS_NONE', 'problem', 'shows no table', showing(profile('none', null))],
  ['PROFILE_DAMAGED', 'problem', 'was cut', showing(profile('damaged', null))],
  ['PROFILE_OTHER', 'problem', 'another persona', showing(profile('other', 1))],
  ['PROFILE_NEWER', 'notice', 'table 9 of epoch 0', showing(profile('newer', 9))],
  ['PROFILE_UNREAD', 'problem', 'encrypted', showing(profile('unread', null))],
  ['WATCH_NOTHING', 'notice', 'no Tox profile is watched', showing()],
  ['WATCH_TROUBLE', 'notice', 'too many', { profiles: { profiles: [profile('current', 7)], troubles: ['too many'] } }],
  ['DEVICE_UNSEEN', 'notice', 'laptop was never seen', { shownAtSec: new Map([[LAPTOP, null]]) }],
  ['RECOVERY_UNCONFIRMED', 'problem', 'theft protection is off', { theftProtection: false }],
  ['LOCKED', 'notice', 'locked', { isLocked: true }],
  ['TABLE_STALE', 'problem', 'is stale', { table: { ...TABLE, timeSec: NOW - 20 * DAY } }],
  ['TABLE_STALE', 'problem', 'is expired', { table: { ...TABLE, timeSec: NOW - 90 * DAY } }],
  ['CLOCK_WRONG', 'problem', 'clock of this machine', { clock: { nowSec: NOW, isWrong: true } }],
  ['ENGINE_PORTABLE', 'notice', 'ordinary memory', { engine: 'portable' }],
  ['COMPANION_NONE', 'notice', 'there is none yet', companion({ state: 'none' })],
  ['COMPANION_UNLISTED', 'problem', 'does not list', companion({ state: 'unlisted' })],
  ['COMPANION_DOWN', 'notice', 'by your word', companion({ state: 'down', connection: 'none' })],
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
})

test('an own profile that waits says for what, one that nobody writes how to write it', () => {
  const hintOf = (repair: string | null): string | null | undefined =>
    findings(showing(profile('older', 5, repair))).find(({ code }) => code === 'PROFILE_OLDER')?.hint
  expect(hintOf('toxic runs on it')).toBe('it waits: toxic runs on it')
  expect(hintOf(null)).toBe('persona tox publish /p.tox')
})

test('a companion that runs is well, and where there is none nothing is said of it', () => {
  expect(findings(companion({})).find(({ code }) => code === 'COMPANION')?.severity).toBe('ok')
  expect(findings({}).filter(({ code }) => code.startsWith('COMPANION'))).toEqual([])
})
