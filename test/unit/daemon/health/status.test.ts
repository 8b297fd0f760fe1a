import { notice } from '../../../../src/ipc/shapes/doctor.ts'
import { describe, expect, test } from 'vitest'
import { NO_STANDING } from '../../../../src/daemon/own/standing.ts'
import { makeStatus, type About, type Kept } from '../../../../src/daemon/health/status.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, person } from '../../../support/person.ts'
import { NOT_ANNOUNCED, NO_CHANNELS, NO_LINKS, NO_MESSAGES } from '../../../support/views.ts'

const NOW_SEC = 1_800_000_000
const DAY_SEC = 86_400

const about: About = {
  version: '1.0.0',
  pid: 7,
  startedAtSec: NOW_SEC,
  home: { stateDir: '/s', appSocket: '/a', adminSocket: '/b', configFile: null },
  profiles: { watched: 0, older: 0, lost: 0 },
  tox: null,
  net: null,
  announce: NOT_ANNOUNCED,
  channels: NO_CHANNELS,
  messages: NO_MESSAGES,
  links: NO_LINKS,
  findings: [notice('WATCH_TROUBLE', 'of a profile', null)],
  connections: 3,
  storeKind: 'leveldb',
  storeSchema: 1,
}

function notices(kept: Partial<Kept>, signedAgoSec = 0): string[] {
  const table = {
    personaId: 'A'.repeat(64),
    epoch: 0,
    seq: 1,
    timeSec: NOW_SEC - signedAgoSec,
    named: true,
    devices: [],
    bytesFree: 700,
  }
  const all: Kept = {
    engine: 'sodium',
    table,
    isLocked: false,
    theftProtection: true,
    standing: NO_STANDING,
    counts: { contacts: 0, provisional: 0, devices: 0 },
    clock: { nowSec: NOW_SEC, isWrong: false },
    ...kept,
  }
  return makeStatus(about, all).notices
}

describe('status reports', () => {
  test('nothing if nothing needs doing', () => {
    expect(notices({})).toEqual(['of a profile'])
  })

  test('that there is no persona, and nothing about its protection', () => {
    expect(notices({ table: null, theftProtection: false, isLocked: true })).toEqual([
      'there is no persona here yet; create one',
      'of a profile',
    ])
  })

  test('that theft protection is off', () => {
    expect(notices({ theftProtection: false, standing: { ...NO_STANDING, isUnconfirmed: true } })[0]).toContain(
      'theft protection is off',
    )
  })

  test.each([
    [10 * DAY_SEC - 1, false],
    [10 * DAY_SEC, true],
  ])('that contacts see an old table of a locked persona, %i s after its last signature: %s', (agoSec, isSaid) => {
    const [locked] = notices({ isLocked: true }, agoSec)
    expect(locked).toContain('unlock it')
    expect(locked!.includes('was signed 10 days ago')).toBe(isSaid)
  })

  test('no age if the clock is wrong', () => {
    const clock = { nowSec: NOW_SEC, isWrong: true }
    const said = notices({ isLocked: true, clock }, 40 * DAY_SEC)
    expect(said.join('\n')).not.toContain('days ago')
    expect(said.join('\n')).toContain('ages are not judged')
  })
})

describe('after the clock was years ahead, the daemon', () => {
  test('judges no ages after the clock is set right, until the owner edits the table', async () => {
    const test = await TestKeeper.withPersona()
    const bob = person('bob')
    test.later(10 * 365 * DAY_SEC)
    await test.sees(bob.key('phone'), bob.table(['phone']), { name: 'Bob' })
    test.later(-10 * 365 * DAY_SEC)
    expect((await test.call('contact.show', { contact: 'Bob' })).freshness).toBeNull()
    expect((await test.call('status')).notices.join('\n')).toContain('ages are not judged')
    await test.call('device.add', { name: 'tablet', key: deviceKey('tablet') })
    expect((await test.call('contact.show', { contact: 'Bob' })).freshness).toBe('fresh')
    expect((await test.call('status')).notices.join('\n')).not.toContain('ages are not judged')
  })
})
