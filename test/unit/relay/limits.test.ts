import { expect, test } from 'vitest'
import { RELAY_LIMITS } from '../../../src/relay/limits.ts'

test('a message lives for an hour, and a box for 30 days', () => {
  expect(RELAY_LIMITS.box.messageUs).toBe(3_600_000_000)
  expect(RELAY_LIMITS.box.boxUs).toBe(2_592_000_000_000)
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
