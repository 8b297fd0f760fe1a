import { notice } from '../../../../src/ipc/shapes/doctor.ts'
import { expect, test } from 'vitest'
import { formatStatus } from '../../../../src/cli/daemon/status.ts'
import type { DaemonStatus } from '../../../../src/ipc/methods/status.ts'
import {
  A,
  expectEscaped,
  HOSTILE,
  NOT_ANNOUNCED,
  NO_CHANNELS,
  NO_LINKS,
  NO_MESSAGES,
  NOW,
  table,
} from '../../../support/views.ts'

function status(changes: Partial<DaemonStatus> = {}): DaemonStatus {
  return {
    version: '0.1.0',
    pid: 7,
    startedAtSec: NOW,
    home: { stateDir: '/s', appSocket: '/a', adminSocket: '/b', configFile: null },
    engine: 'sodium',
    store: { kind: 'leveldb', schema: 1 },
    persona: table(),
    locked: false,
    theftProtection: true,
    unapproved: [],
    freshness: 'fresh',
    counts: { contacts: 1, provisional: 2, devices: 4, connections: 1 },
    profiles: { watched: 0, older: 0, lost: 0 },
    tox: null,
    net: null,
    announce: NOT_ANNOUNCED,
    channels: NO_CHANNELS,
    messages: NO_MESSAGES,
    links: NO_LINKS,
    notices: [],
    findings: [],
    ...changes,
  }
}

test('paths, nicknames and notices cannot reach the terminal unescaped', () => {
  const home = { stateDir: HOSTILE, appSocket: HOSTILE, adminSocket: HOSTILE, configFile: HOSTILE }
  const devices = [{ name: HOSTILE, key: A }]
  expectEscaped(formatStatus(status({ home, persona: table({ devices }), notices: [HOSTILE] }), NOW))
})

test('status shows the findings of the daemon, and warns that secrets lie in ordinary memory', () => {
  const unprotected = notice('UNPROTECTED', 'theft protection is off', 'confirm the recovery words')
  const lines = formatStatus(status({ engine: 'portable', findings: [unprotected] }), NOW).join('\n')
  expect(lines).toContain('Theft protection is off')
  expect(lines).toContain('persona recovery show')
  expect(lines).toContain('plain JavaScript')
  expect(
    formatStatus(
      status({ persona: null, findings: [notice('NO_PERSONA', 'there is no persona here yet', 'create one')] }),
      NOW,
    )[0],
  ).toBe('There is no persona here yet.')
})

test('where the table is announced stands beside the table, and not at all while announcements are off', () => {
  const item = { epoch: 0, forward: false, putSec: NOW - 720, nodes: 8, problem: null }
  const announce = { ...NOT_ANNOUNCED, kind: 'contacts', items: [item] } as const
  const lines = formatStatus(status({ announce: { ...announce, items: [item] } }), NOW)
  expect(lines).toContain('It is announced to your contacts: on 8 nodes, put 2023-11-14 22:01 (12 minutes ago).')
  expect(formatStatus(status(), NOW).join('')).not.toContain('announced')
})

test('devices with a short status that leads to no table are counted beside the people that the daemon knows', () => {
  const known = (shortsUnknown: number): string =>
    formatStatus(status({ announce: { ...NOT_ANNOUNCED, shortsUnknown } }), NOW).find((line) =>
      line.startsWith('You know'),
    )!
  expect(known(0)).toMatch(/ in all\.$/)
  expect(known(1)).toMatch(/ in all\. 1 device shows a short status that leads to no table known here\.$/)
  expect(known(2)).toMatch(/ in all\. 2 devices show a short status that leads to no table known here\.$/)
})

test('links between apps have a line of their own, and no line without any', () => {
  const links = (linked: number, invited: number): string[] =>
    formatStatus(status({ links: { linked, invited, asked: 0, paused: 0, proposals: 0 } }), NOW).filter((line) =>
      line.includes('app links:'),
    )
  expect(links(0, 0)).toEqual([])
  expect(links(1, 0)).toEqual(['  app links:     1 stands'])
  expect(links(2, 1)).toEqual(['  app links:     2 stand, 1 invite not used yet'])
})
