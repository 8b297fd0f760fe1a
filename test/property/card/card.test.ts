/** Cards under random content and random damage. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCard, signCard, type Card } from '../../../src/card/card.ts'
import { CardError } from '../../../src/card/errors.ts'
import { compareCards, judgeCard } from '../../../src/card/order.ts'
import { verifyCard } from '../../../src/card/verify.ts'
import { makePersona, NOW_SEC, sodium } from '../../support/made-persona.ts'
import { makeCard, verifiedCard } from '../../support/cards.ts'

const alice = makePersona(1)

const wishes = fc.record({
  epoch: fc.integer({ min: 0, max: 16 }),
  seq: fc.integer({ min: 1, max: 100_000 }),
  devices: fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 20 }),
  inboxes: fc.array(fc.constantFrom('https://a.example/', 'http://localhost:8787/', 'https://[::1]:9000/b/'), {
    maxLength: 4,
  }),
  stores: fc.array(fc.constantFrom('https://a.example/', 'https://b.example/c'), { maxLength: 4 }),
  issuedAtSec: fc.integer({ min: NOW_SEC - 1000, max: NOW_SEC }),
})

const sign = (card: Card): string => signCard(card, (message) => alice.sign(card.chain.epoch, message))

test('a reader gets what the writer wrote, and would write the same text', () => {
  fc.assert(
    fc.property(wishes, (wish) => {
      const card = makeCard(alice, wish)
      const text = sign(card)
      const { payload: _, signed: _s, signature: _t, text: _u, ...read } = parseCard(text)
      expect(read).toEqual(card)
      expect(sign(read)).toBe(text)
    }),
  )
})

test('a card with one changed character is refused', () => {
  fc.assert(
    fc.property(wishes, fc.nat(), fc.constantFrom(...'AB09-_.='), (wish, at, character) => {
      const text = sign(makeCard(alice, wish))
      const place = at % text.length
      const changed = text.slice(0, place) + character + text.slice(place + 1)
      fc.pre(changed !== text)
      expect(() => verifyCard(changed, sodium)).toThrow(CardError)
    }),
  )
})

test('any text is read as a card or refused with a code', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), fc.constant(sign(makeCard(alice)))), fc.string(), (a, b) => {
      try {
        verifyCard(a + b, sodium)
      } catch (error) {
        expect(error).toBeInstanceOf(CardError)
      }
    }),
  )
})

test('whatever the order in which cards come in, the same one counts at the end', () => {
  const cards = [1, 2, 2, 3, 3].map((seq, n) => verifiedCard(alice, { seq, issuedAtSec: NOW_SEC - n }))
  cards.push(verifiedCard(alice, { epoch: 1, seq: 1 }), verifiedCard(alice, { epoch: 1, seq: 1, devices: [1] }))
  const best = cards.toSorted(compareCards).at(-1)!
  fc.assert(
    fc.property(fc.shuffledSubarray(cards, { minLength: cards.length }), (order) => {
      let head: (typeof cards)[number] | null = null
      for (const card of order) {
        const end = judgeCard(card, { root: best.root, minEpoch: 0, head })
        if (end.verdict === 'accept' || (end.verdict === 'fork' && end.wins)) head = card
      }
      expect(head).toBe(best)
    }),
  )
})
