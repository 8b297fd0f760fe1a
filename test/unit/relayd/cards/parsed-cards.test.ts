/** Cards that a relay has parsed lately. */
import { expect, test } from 'vitest'
import { parseCard } from '../../../../src/card/card.ts'
import { ParsedCards } from '../../../../src/relayd/cards/parsed-cards.ts'
import { signedCard } from '../../../support/cards.ts'
import { codeThrownBy } from '../../../support/failing.ts'
import { makePersona } from '../../../support/made-persona.ts'

const MOST = 256
const alice = makePersona(1)
const card = (seq: number): string => signedCard(alice, { seq, devices: [1] })

test('a card is parsed once, until 256 others have come', () => {
  const cards = new ParsedCards()
  const first = cards.read(card(1))
  expect(first).toEqual(parseCard(card(1)))
  for (let seq = 2; seq <= MOST; seq++) cards.read(card(seq))
  expect(cards.read(card(1))).toBe(first)
  cards.read(card(MOST + 1))
  expect(cards.read(card(1))).not.toBe(first)
})

test('a text that is no card is none, however often it is read', () => {
  const cards = new ParsedCards()
  for (let n = 0; n < 2; n++) expect(codeThrownBy(() => cards.read('eyJ.x.x'))).toMatch(/^CARD_/)
})
