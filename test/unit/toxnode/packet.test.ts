import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodePacket, encodePacket, PACKET_ID } from '../../../src/toxnode/packet.ts'

const HEAD = [PACKET_ID, ...Buffer.from('persona'), 1]
const DOC = readFileSync(new URL('../../../docs/tox.md', import.meta.url), 'utf8')

test('a packet decodes to what was encoded', () => {
  expect(decodePacket(encodePacket({ kind: 'support' }))).toEqual({ kind: 'support' })
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => {
      expect(decodePacket(encodePacket({ kind: 'status', text }))).toEqual({ kind: 'status', text })
    }),
  )
})

test('a packet matches the document, and toxcore leaves its packet id to programs', () => {
  expect([...encodePacket({ kind: 'status', text: 'hi' })]).toEqual([...HEAD, 1, ...Buffer.from('hi')])
  expect(PACKET_ID >= 160 && PACKET_ID <= 191).toBe(true)
  expect(DOC).toContain(`0    1    ${PACKET_ID}\n1    7    "persona"\n8    1    version, 1\n9    1    kind`)
})

test.each([
  ['nothing', []],
  ['another packet id', [PACKET_ID - 1, ...HEAD.slice(1), 0]],
  ['another magic', [PACKET_ID, ...Buffer.from('parsnip'), 1, 0]],
  ['a later version', [...HEAD.slice(0, -1), 2, 0]],
  ['no kind', HEAD],
  ['an unknown kind', [...HEAD, 2]],
  ['a superfluous body', [...HEAD, 0, 0]],
  ['invalid UTF-8', [...HEAD, 1, 0xff]],
  ['a text longer than a status message', [...HEAD, 1, ...Buffer.alloc(1008, 'x')]],
])('a packet with %s is ignored', (_, bytes) => {
  expect(decodePacket(Uint8Array.from(bytes))).toBeNull()
})
