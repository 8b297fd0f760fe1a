import { expect, test } from 'vitest'
import { formatDevices, sightsOf } from '../../../../src/cli/own/device.ts'
import { A, B, expectEscaped, HOSTILE, NOW, table } from '../../../support/views.ts'

test('nicknames cannot reach the terminal unescaped', () => {
  expectEscaped(formatDevices(table({ devices: [{ name: HOSTILE, key: A }] }), NOW))
})

test('the table marks the active device, and an empty table names the command to add one', () => {
  const lines = formatDevices(table(), NOW)
  expect(lines[1]).toBe(`laptop …AAAA1111  ${A}         active`)
  expect(lines[2]).toBe(`phone …BBBB2222   ${B}`)
  expect(formatDevices(table({ devices: [] }), NOW)[0]).toContain('persona device add')
  expect(formatDevices(table(), NOW).join('\n')).not.toMatch(/epoch|seq|approve/)
  expect(formatDevices(table(), NOW, [B], true).join('\n')).toMatch(
    /needs your approval[^]*persona device approve NAME[^]*seq 2/,
  )
  expect(formatDevices(table({ named: false }), NOW).join('\n')).toContain('published without nicknames')
})

test('the list marks this device, and tells what each device shows: a watched profile knows best', () => {
  const shown = { isHere: false, state: 'older', epoch: 0, seq: 1, seenAtSec: NOW } as const
  const watched = {
    path: '/phone.tox',
    key: B,
    device: 'phone',
    encrypted: false,
    shows: { state: 'none', epoch: null, seq: null },
    checkedAtSec: NOW,
    client: null,
    repair: null,
    problem: null,
  } as const
  const list = [
    { ...shown, key: A, isHere: true },
    { ...shown, key: B },
  ]
  const lines = formatDevices(table(), NOW, [], false, sightsOf(list, [watched]))
  expect(lines[1]).toBe(`laptop …AAAA1111  ${A}  an older table  active, this device`)
  expect(lines[2]).toBe(`phone …BBBB2222   ${B}  no table`)
  const problem = { code: 'TOX_ENCRYPTED', message: 'sealed' }
  expect(sightsOf(list, [{ ...watched, problem }]).get(B)?.shows).toBe('an older table')
})
