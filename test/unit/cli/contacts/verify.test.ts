import { expect, test } from 'vitest'
import { formatObserved, formatVerify } from '../../../../src/cli/contacts/verify.ts'
import type { BlobView, ObserveResult, VerifyResult } from '../../../../src/ipc/shapes/judged.ts'
import { A, expectEscaped, HOSTILE, NOW, P } from '../../../support/views.ts'

const BLOB: BlobView = {
  version: 1,
  personaId: P,
  epoch: 0,
  seq: 2,
  timeSec: NOW,
  freshness: 'fresh',
  clockAhead: false,
  chainRoot: P,
  prev: '',
  tableHash: P,
  devices: [{ name: 'laptop', key: A }],
  documentCode: null,
  bytes: 300,
}

function verdict(changes: Partial<VerifyResult> = {}): VerifyResult {
  return {
    valid: true,
    code: null,
    message: 'valid',
    blob: BLOB,
    words: '',
    bytes: 400,
    overLimit: false,
    verdict: 'accept',
    listsSender: null,
    ...changes,
  }
}

/** The lines of a verdict. */
function text(changes: Partial<VerifyResult>): string {
  return formatVerify(verdict(changes), NOW).join('\n')
}

test('a status message cannot reach the terminal unescaped', () => {
  const devices = [{ name: HOSTILE, key: A }]
  expectEscaped(formatVerify(verdict({ words: HOSTILE, blob: { ...BLOB, devices } }), NOW))
  expectEscaped(
    formatVerify(verdict({ valid: false, code: 'NO_TOKEN', message: HOSTILE, words: HOSTILE, blob: null }), NOW),
  )
})

test('a verdict shows its code, the order of the table and whether the table lists the sender', () => {
  expect(text({})).toMatch(/^valid\n/)
  expect(text({ verdict: null })).toContain('no daemon runs')
  expect(text({ listsSender: false })).toContain('is not in the table')
  expect(text({ listsSender: true })).toContain('is in the table')
  expect(text({ overLimit: true })).toContain('over the limit')
  expect(text({ valid: false, code: 'TOKEN_TWICE', message: 'two', blob: null })).toMatch(
    /^not valid: two \(TOKEN_TWICE\)/,
  )
  expect(text({ blob: { ...BLOB, devices: [] } })).toContain('the owner has removed every device')
  expect(text({ blob: { ...BLOB, clockAhead: true } })).toContain("the writer's clock is ahead")
})

test('a report for a key that no device can have blames the key, and not the text', () => {
  const refused: ObserveResult = {
    from: '0'.repeat(64),
    shown: 'invalid',
    code: 'DEVICE_KEY_LOW_ORDER',
    personaId: null,
    verdict: null,
    contact: null,
    state: null,
    changes: [],
  }
  expect(formatObserved(refused)).toBe(
    `${'0'.repeat(64)} can be the key of no device, so nothing was recorded (DEVICE_KEY_LOW_ORDER)`,
  )
  expect(formatObserved({ ...refused, from: A })).toContain('shows an invalid blob (DEVICE_KEY_LOW_ORDER)')
})
