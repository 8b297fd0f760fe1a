/** Findings about databases that a test cannot have on one machine. */
import { expect, test } from 'vitest'
import type { HealthFacts } from '../../../../src/relayd/postgres/health-facts.ts'
import { findingsOf } from '../../../../src/relayd/postgres/health.ts'

const GOOD: HealthFacts = {
  version: '17.6',
  versionNumber: 170_006,
  takesChanges: true,
  fsync: 'on',
  fullPageWrites: 'on',
  synchronousCommit: 'on',
  standbyNames: '',
  standbys: 0,
  synchronousStandbys: 0,
  isRemote: false,
  tls: null,
  connections: 97,
  tables: 3,
  mayMakeTables: true,
  isMoving: false,
  relays: 0,
}

function line(name: string, facts: Partial<HealthFacts>): string {
  const { isOk, text } = findingsOf({ ...GOOD, ...facts }).find((finding) => finding.name === name)!
  return `${isOk ? 'ok' : 'FAIL'} ${text}`
}

test('a database on another machine needs TLS', () => {
  expect(line('tls', { isRemote: true })).toMatch(/^FAIL none: everybody on the way .*\?sslmode=verify-full/)
  expect(line('tls', { isRemote: true, tls: 'TLSv1.3' })).toBe('ok TLSv1.3')
  expect(line('tls', {})).toBe('ok none, on this machine only')
})

test('a version from before 15 is too old, and tables of one are brought on by a relay', () => {
  expect(line('server', { version: '14.9', versionNumber: 140_009 })).toMatch(/^FAIL PostgreSQL 14\.9 is too old: /)
  expect(line('tables', { tables: 2 })).toMatch(/^ok version 2: the first relay .* brings them to 3 at its start$/)
  expect(line('tables', { tables: 2, mayMakeTables: false })).toMatch(/^FAIL the user may not make tables here/)
})

test('standbys count as far as a send waits for them', () => {
  const named = { standbyNames: 'ANY 2 (a, b, c)', standbys: 3 }
  expect(line('standby', { standbys: 1 })).toMatch(/^ok 1 follows: the newest messages may be lost when it takes over/)
  expect(line('standby', { ...named, synchronousStandbys: 3 })).toBe('ok 3 follow: what is acknowledged is there too')
  expect(line('standby', { ...named, synchronousStandbys: 1 })).toMatch(/^FAIL .* asks for 2, and 1 of these/)
  // A user without the right to see more.
  expect(line('standby', { ...named, synchronousStandbys: null })).toMatch(/^ok 3 follow: what is acknowledged/)
  expect(line('standby', { ...named, synchronousStandbys: 3, synchronousCommit: 'local' })).toMatch(/may be lost/)
  expect(line('standby', { standbyNames: 'a', standbys: 1, synchronousStandbys: 0 })).toMatch(/^FAIL .* asks for 1/)
})

test('more relays than fit are too many', () => {
  expect(line('room', { relays: 8 })).toMatch(/^ok .*: 8 relays fit, and 8 run$/)
  expect(line('room', { relays: 9 })).toMatch(/^FAIL .*: 8 relays fit, and 9 run\. Raise max_connections/)
})
