import { describe, expect, test } from 'vitest'
import { checkFrame } from '../../../src/process/protocol.ts'
import { encodeFrame, FrameCutter, FrameError } from '../../../src/process/frame.ts'
import { TOX_PROTOCOL, type Order, type Report } from '../../../src/toxnode/protocol.ts'

const KEY = 'AB'.repeat(32)
const BODY = new Uint8Array()

const checkReport = (message: unknown): Report => checkFrame(TOX_PROTOCOL.reports, { message, body: BODY }).message
const checkOrder = (message: unknown): Order => checkFrame(TOX_PROTOCOL.orders, { message, body: BODY }).message

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (error) {
    if (error instanceof FrameError) return error.code
    throw error
  }
}

describe('a message', () => {
  test.each([
    { type: 'ready', key: KEY, dhtKey: KEY, port: 33445, version: '0.2.18' },
    { type: 'status', key: KEY, text: '' },
    { type: 'beat' },
  ])('of the node is accepted when known: $type', (message) => {
    expect(checkReport(message)).toEqual(message)
  })

  test.each([
    null,
    [],
    'beat',
    { type: 'exit' },
    { type: 'beat', more: 1 },
    { type: 'status', key: KEY.toLowerCase(), text: '' },
    { type: 'status', key: KEY, text: 'x'.repeat(1017) },
    { type: 'status', key: KEY },
    { type: 'friend', key: KEY, connection: 'both' },
    { type: 'refused', key: KEY, error: -1 },
    JSON.parse('{"type":"beat","__proto__":{"x":1}}') as unknown,
  ])('of the node is refused when unknown, without quoting it: %j', (message) => {
    expect(codeOf(() => checkReport(message))).toBe('FRAME_INVALID')
    expect(() => checkReport(message)).toThrow('a frame holds an unknown message')
  })

  test.each([
    { type: 'show', text: 'hello' },
    { type: 'add', key: KEY, request: null },
    { type: 'add', key: KEY, request: { toxId: `${KEY}000000010000`, text: 'hello' } },
  ])('of the daemon is checked by the node too: %j', (message) => {
    expect(checkOrder(message)).toEqual(message)
    expect(codeOf(() => checkOrder({ ...message, key: 'x' }))).toBe('FRAME_INVALID')
  })

  test('with the longest text fits a frame, whatever its characters', () => {
    const text = '\u0001'.repeat(1016)
    const request = { toxId: 'A'.repeat(76), text }
    const frame = encodeFrame({ type: 'add', key: KEY, request }, TOX_PROTOCOL.limits)
    const [cut] = new FrameCutter(TOX_PROTOCOL.limits).push(frame)
    expect(checkOrder(cut!.message)).toMatchObject({ request })
  })

  test('carries no bytes beside it', () => {
    expect(codeOf(() => encodeFrame({ type: 'beat' }, TOX_PROTOCOL.limits, Uint8Array.of(0)))).toBe('FRAME_TOO_LARGE')
  })
})
