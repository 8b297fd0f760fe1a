import { expect, test } from 'vitest'
import { formatAlarms, formatNeeds, NO_NEEDS } from '../../../../src/cli/io/needs.ts'
import type { Alarm } from '../../../../src/ipc/shapes/alarms.ts'
import type { PendingUpdate } from '../../../../src/ipc/shapes/pending.ts'
import { A, expectEscaped, HOSTILE, NOW, P } from '../../../support/views.ts'

function alarm(changes: Partial<Alarm> = {}): Alarm {
  const times = { sinceSec: NOW, lastSec: NOW, count: 1 }
  return {
    id: '0A0B0C0D',
    code: 'FORK',
    personaId: P,
    contact: 'Bob',
    keys: [A],
    message: 'Bob signed two tables',
    ...times,
    ...changes,
  }
}

function update(contact: string): PendingUpdate {
  const table = { epoch: 0, seq: 1, timeSec: NOW, tableHash: P, devices: [], changes: [] }
  return { kind: 'update', contact, personaId: P, key: null, policy: 'ask', sinceSec: NOW, ...table }
}

test('alarms, pending changes and people who send messages and asking apps have a line each, with the command', () => {
  expect(formatNeeds({ alarms: [alarm()], pending: [update('Carol')], senders: 2, proposing: 1, asking: 1 })).toEqual([
    'ALARM: Bob signed two tables (FORK).',
    '  -> persona alarms',
    'A change of Carol …CCCC3333 needs your decision.',
    '2 people who are no contacts send you messages.',
    '1 app proposes other relays for messages.',
    '  -> persona pending',
    '1 app asks for permission.',
    '  -> persona app pending',
    '',
  ])
  expect(formatNeeds(NO_NEEDS)).toEqual([])
})

test('many alarms are counted after the first ones', () => {
  const lines = formatAlarms(Array.from({ length: 7 }, () => alarm()))
  expect(lines).toHaveLength(7)
  expect(lines.slice(-2)).toEqual(['2 more alarms.', '  -> persona alarms'])
})

test('names and messages of others are escaped', () => {
  expectEscaped(
    formatNeeds({
      alarms: [alarm({ message: HOSTILE, code: HOSTILE })],
      pending: [update(HOSTILE)],
      senders: 0,
      proposing: 0,
      asking: 0,
    }),
  )
})
