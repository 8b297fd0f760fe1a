import { expect, test } from 'vitest'
import { formatOverview, nextStep, type Overview } from '../../../../src/cli/daemon/overview.ts'
import { NO_NEEDS } from '../../../../src/cli/io/needs.ts'
import type { DaemonStatus } from '../../../../src/ipc/methods/status.ts'
import type { Finding } from '../../../../src/ipc/shapes/doctor.ts'
import { A, B, NOT_ANNOUNCED, NO_CHANNELS, NO_LINKS, NO_MESSAGES, NOW, table } from '../../../support/views.ts'

const STATUS: DaemonStatus = {
  version: '0.1.0',
  pid: 1,
  startedAtSec: NOW,
  home: { stateDir: '/s', appSocket: '/a', adminSocket: '/b', configFile: null },
  engine: 'sodium',
  store: { kind: 'leveldb', schema: 1 },
  persona: table(),
  locked: false,
  theftProtection: true,
  unapproved: [],
  freshness: 'fresh',
  counts: { contacts: 1, provisional: 0, devices: 1, connections: 1 },
  notices: [],
  findings: [],
  profiles: { watched: 0, older: 0, lost: 0 },
  tox: null,
  net: null,
  announce: NOT_ANNOUNCED,
  channels: NO_CHANNELS,
  messages: NO_MESSAGES,
  links: NO_LINKS,
}
const SEEN = { isHere: false, epoch: 0, seq: 2, seenAtSec: NOW }
const WELL: Overview = {
  status: STATUS,
  needs: NO_NEEDS,
  profiles: [
    { device: 'laptop', key: A, path: '/laptop.tox', isWatched: false },
    { device: 'phone', key: B, path: null, isWatched: false },
  ],
  shown: [
    { ...SEEN, key: A, state: 'current' },
    { ...SEEN, key: B, state: 'older' },
  ],
}
const FINDING: Finding = { code: 'LOCKED', severity: 'notice', message: 'it is locked', hint: 'unlock it', about: {} }

test('a profile of this computer that does not show the table comes next', () => {
  expect(nextStep({ ...WELL, shown: [{ ...SEEN, key: A, state: 'older' }] })?.command).toBe('persona publish')
  expect(nextStep({ ...WELL, shown: [] })?.command).toBe('persona publish')
})

test('a profile of another computer is not published from here', () => {
  expect(nextStep(WELL)).toBeNull()
})

test('an owner without devices adds one, and an owner without contacts reads what friends show', () => {
  expect(nextStep({ ...WELL, profiles: [] })?.command).toMatch(/^persona device add/)
  const counts = { ...STATUS.counts, contacts: 0 }
  expect(nextStep({ ...WELL, status: { ...STATUS, counts } })?.command).toMatch(/^persona tox scan/)
})

test('nothing comes next while something needs the owner: it stands there with its own command', () => {
  const busy = { ...WELL, status: { ...STATUS, findings: [FINDING] }, shown: [] }
  expect(nextStep(busy)).toBeNull()
  expect(formatOverview(busy, NOW).join('\n')).toContain('-> unlock it: persona unlock')
  expect(nextStep({ ...WELL, shown: [], needs: { ...NO_NEEDS, asking: 1 } })).toBeNull()
})
