import { expect, test } from 'vitest'
import { formatDevices } from '../../../../src/cli/own/device.ts'
import { A, B, expectEscaped, HOSTILE, NOW, table } from '../../../support/views.ts'

test('nicknames cannot reach the terminal unescaped', () => {
  expectEscaped(formatDevices(table({ devices: [{ name: HOSTILE, key: A }] }), NOW))
})

test('the active device is marked in the table, and a table without devices says what to do', () => {
  const lines = formatDevices(table(), NOW)
  expect(lines[1]).toBe(`laptop …AAAA1111  ${A}  active`)
  expect(lines[2]).toBe(`phone …BBBB2222   ${B}`)
  expect(formatDevices(table({ devices: [] }), NOW)[0]).toContain('persona device add')
  expect(formatDevices(table({ named: false }), NOW).join('\n')).toContain('published without nicknames')
})
