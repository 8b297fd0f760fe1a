import { expect, test } from 'vitest'
import { formatReports, type DeviceReport } from '../../../../src/cli/tox/publish-own.ts'
import { A, B, expectEscaped, HOSTILE } from '../../../support/views.ts'

const UNKNOWN: DeviceReport = { device: 'phone', key: B, file: null, report: null, error: null }
const FAILED: DeviceReport = {
  device: 'laptop',
  key: A,
  file: '/laptop.tox',
  report: null,
  error: { code: 'TOX_CLIENT_RUNNING', message: 'qTox has it open', hint: 'close the Tox client' },
}

test('a profile that could not be written is named, with the reason and with what to do', () => {
  const lines = formatReports([FAILED])
  expect(lines[0]).toBe('laptop …AAAA1111: /laptop.tox was not written:')
  expect(lines[1]).toBe('  qTox has it open (TOX_CLIENT_RUNNING)')
  expect(lines[2]).toBe('  -> close the Tox client')
})

test('a device whose profile is elsewhere is named, with the command for that place', () => {
  expect(formatReports([UNKNOWN])).toEqual([
    'phone …BBBB2222: its profile is not known on this computer',
    '  -> persona publish, on the computer that has it; or here: persona tox publish FILE',
  ])
})

test('nicknames, paths and reasons cannot reach the terminal unescaped', () => {
  const error = { code: 'X', message: HOSTILE, hint: HOSTILE }
  expectEscaped(formatReports([{ ...FAILED, device: HOSTILE, file: HOSTILE, error }]))
})
