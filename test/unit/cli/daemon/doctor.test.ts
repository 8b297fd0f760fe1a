import { expect, test } from 'vitest'
import { formatFindings } from '../../../../src/cli/daemon/doctor.ts'
import { numbersOf, ok } from '../../../../src/ipc/shapes/doctor.ts'
import { expectEscaped, HOSTILE } from '../../../support/views.ts'

const FINDING = {
  ...ok('DEVICE_SHOWS', 'laptop was seen showing your current table'),
  about: numbersOf({ epoch: 1, seq: 4 }),
}

test('the numbers of a table stand beside a finding with -v alone', () => {
  const [line] = formatFindings({ findings: [FINDING] })
  expect(line).toBe('ok       laptop was seen showing your current table (DEVICE_SHOWS)')
  const [long] = formatFindings({ findings: [FINDING] }, true)
  expect(long).toBe('ok       laptop was seen showing your current table (epoch 1, seq 4) (DEVICE_SHOWS)')
})

test('a finding cannot reach the terminal unescaped', () => {
  expectEscaped(formatFindings({ findings: [{ ...FINDING, message: HOSTILE, hint: HOSTILE }] }, true))
})
