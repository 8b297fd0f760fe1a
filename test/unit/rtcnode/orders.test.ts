/** The reader of orders in personad-rtc takes what the schema of the daemon takes, and nothing else. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ORDER_READER } from '../../../src/rtcnode/orders.ts'
import { RTC_PROTOCOL } from '../../../src/rtcnode/schema.ts'

const id = fc.constantFrom<unknown>(0, 1, -1, 2 ** 53 - 1, 2 ** 53, '1')
const sdp = fc.constantFrom<unknown>(null, '', 'v=0\r\n', 'a'.repeat(4096), 'a'.repeat(4097), 7)
const servers = ['stun:a', 'turn:u:p@a:1', 'turns:a', 'http:a', 'stun:', 'stun:a b', `stun:${'a'.repeat(257)}`, 7]

/** Orders at the limits of their fields, some of them beyond, some with a key too many or too few. */
const nearOrders = fc.oneof(
  fc.record({
    type: fc.constant('configure'),
    ice: fc.oneof(fc.array(fc.constantFrom<unknown>(...servers), { maxLength: 9 }), fc.constant<unknown>(null)),
    address: fc.constantFrom<unknown>(null, '', '192.0.2.1', 'fd00::2', 'a.example', 7),
  }),
  fc.record({ type: fc.constantFrom('open', 'answer', 'close'), id, sdp }),
  fc.record({ type: fc.constantFrom('send', 'close', 'open', 'sends'), id }),
  fc.constant<unknown>(null),
)

test('the two readers agree on every order', () => {
  const verdicts = { taken: 0, refused: 0 }
  fc.assert(
    fc.property(nearOrders, (order) => {
      const { success } = ORDER_READER.safeParse(order)
      expect(success).toBe(RTC_PROTOCOL.orders.safeParse(order).success)
      verdicts[success ? 'taken' : 'refused']++
    }),
    { numRuns: 2000 },
  )
  expect(Math.min(verdicts.taken, verdicts.refused)).toBeGreaterThan(100)
})
