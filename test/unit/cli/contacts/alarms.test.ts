import { expect, test } from 'vitest'
import { formatAlarm, formatVerdict } from '../../../../src/cli/contacts/alarms.ts'
import { NOW, P } from '../../../support/views.ts'

test('an alarm names the contact by digits in its command, because anybody can choose any name', () => {
  const alarm = { id: '1', code: 'FORK', personaId: P, contact: '$(reboot)', keys: [], message: 'm' }
  const lines = formatAlarm({ ...alarm, sinceSec: NOW, lastSec: NOW, count: 1 }, NOW)
  expect(lines.slice(-2)).toEqual([
    `  save the evidence: persona alarms --export FILE ${P.slice(0, 16)}`,
    '  when it is resolved: persona alarms --dismiss 1',
  ])
})

test('an alarm about a table has its numbers with -v only', () => {
  const alarm = { id: '1', code: 'STORE_ROLLED_BACK', personaId: P, contact: null, keys: [], message: 'm' }
  const full = { ...alarm, sinceSec: NOW, lastSec: NOW, count: 1, epoch: 2, seq: 7 }
  expect(formatAlarm(full, NOW, true)[1]).toBe('  m (epoch 2, seq 7)')
  expect(formatAlarm(full, NOW).join()).not.toContain('epoch')
})

test('an alarm that concerns no table offers no evidence', () => {
  const alarm = { id: '1', code: 'CURSOR_AHEAD', personaId: null, contact: null, keys: [], message: 'm' }
  const lines = formatAlarm({ ...alarm, sinceSec: NOW, lastSec: NOW, count: 1 }, NOW)
  expect(lines.at(-1)).toBe('  when it is resolved: persona alarms --dismiss 1')
  expect(lines.join('\n')).not.toContain('evidence')
})

test('an evidence file without a valid table proves nothing', () => {
  const verdict = {
    personaId: P,
    cards: 0,
    invalid: [{ index: 0, code: 'SIGNATURE_BAD' }],
    invalidCards: [],
    proofs: [],
  }
  expect(formatVerdict({ ...verdict, tables: 0 }).at(-1)).toBe('the file proves nothing')
  expect(formatVerdict({ ...verdict, tables: 1 }).at(-1)).toBe('it proves only that the owner signed this')
})
