import { expect, test } from 'vitest'
import { RELAY_LIMITS } from '../../../src/relay/limits.ts'
import type { BoxLimits } from '../../../src/relayd/store/relay-store.ts'

test('the limits of a box are those that a store takes', () => {
  const box: BoxLimits = RELAY_LIMITS.box
  expect(box.messageUs).toBe(3_600_000_000)
  expect(box.boxUs).toBe(2_592_000_000_000)
})

test('the body has room for the longest data, and the body of a wait for the most boxes', () => {
  const at = Number.MAX_SAFE_INTEGER
  const pub = 'A'.repeat(160) // SPKI of P-384: 120 bytes
  const send = { pub, ext: 'A'.repeat(22), action: 'send', data: 'A'.repeat(RELAY_LIMITS.maxDataChars) }
  expect(JSON.stringify(send, null, 8).length).toBeLessThan(RELAY_LIMITS.maxBodyBytes)
  const boxes = Array.from({ length: RELAY_LIMITS.wait.maxBoxes }, () => ({ pub, at }))
  expect(JSON.stringify({ boxes }).length).toBeLessThan(RELAY_LIMITS.wait.maxBodyBytes)
})

test('an address may use the burst of a box', () => {
  expect(RELAY_LIMITS.address.burst).toBeGreaterThanOrEqual(RELAY_LIMITS.boxSends.burst)
})
