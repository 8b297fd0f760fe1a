import { expect, test } from 'vitest'
import { cardAt, deviceTag } from '../../../src/card/place.ts'
import { signCard } from '../../../src/card/card.ts'
import { ENGINES, makePersona } from '../../support/made-persona.ts'
import { makeCard } from '../../support/cards.ts'

const alice = makePersona(1)
const [{ personaId, next: root }] = alice.positions as [(typeof alice.positions)[0]]
const other = new Uint8Array(32).fill(3)

test.each(ENGINES)('the place of a card depends on chain, persona and app ($name)', (engine) => {
  const places = [
    cardAt(root, personaId, 'chat', engine),
    cardAt(other, personaId, 'chat', engine),
    cardAt(root, other, 'chat', engine),
    cardAt(root, personaId, 'chat.a', engine),
  ]
  expect(new Set(places).size).toBe(4)
  for (const place of places) expect(place).toMatch(/^[\w-]{22}$/)
})

test.each(ENGINES)('the tag of a device depends on the reading key and the device ($name)', (engine) => {
  const tags = [deviceTag(root, personaId, engine), deviceTag(other, personaId, engine), deviceTag(root, other, engine)]
  expect(new Set(tags.map(String)).size).toBe(3)
  for (const tag of tags) expect(tag).toHaveLength(8)
})

test('the largest card fits', () => {
  const address = (n: number): string => `https://${'a'.repeat(60)}.example/${'b'.repeat(170)}${n}/`
  const card = makeCard(alice, {
    epoch: 16,
    seq: Number.MAX_SAFE_INTEGER,
    app: 'a'.repeat(50) + '.' + 'b'.repeat(49),
    devices: Array.from({ length: 20 }, (_, n) => n),
    inboxes: Array.from({ length: 4 }, (_, n) => address(n)),
    stores: Array.from({ length: 4 }, (_, n) => address(n + 4)),
  })
  const text = signCard(card, (message) => alice.sign(16, message))
  expect(text.length).toBeGreaterThan(7000)
})
