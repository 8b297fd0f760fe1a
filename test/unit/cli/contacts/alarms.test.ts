import { expect, test } from 'vitest'
import { formatAlarm, formatVerdict } from '../../../../src/cli/contacts/alarms.ts'
import { NOW, P } from '../../../support/views.ts'

test('names the contact by digits in the command to be pasted, since a name is anybody’s to choose', () => {
  const alarm = { id: '1', code: 'FORK', personaId: P, contact: '$(reboot)', keys: [], message: 'm' }
  const lines = formatAlarm({ ...alarm, sinceSec: NOW, lastSec: NOW, count: 1 }, NOW)
  expect(lines.at(-1)).toBe(
    `  evidence: persona alarms --export FILE ${P.slice(0, 16)}; dealt with: persona alarms --dismiss 1`,
  )
})

test('about nobody’s table offers no evidence', () => {
  const alarm = { id: '1', code: 'CURSOR_AHEAD', personaId: null, contact: null, keys: [], message: 'm' }
  const lines = formatAlarm({ ...alarm, sinceSec: NOW, lastSec: NOW, count: 1 }, NOW)
  expect(lines.at(-1)).toBe('  dealt with: persona alarms --dismiss 1')
})

test('and a file of evidence without one good table has nothing that was signed', () => {
  const verdict = { personaId: P, invalid: [{ index: 0, code: 'SIGNATURE_BAD' }], proofs: [] }
  expect(formatVerdict({ ...verdict, tables: 0 }).at(-1)).toBe('the file proves nothing')
  expect(formatVerdict({ ...verdict, tables: 1 }).at(-1)).toContain('was signed')
})
