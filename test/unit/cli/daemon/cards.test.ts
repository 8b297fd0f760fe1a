import { expect, test } from 'vitest'
import { formatCards } from '../../../../src/cli/daemon/cards.ts'
import type { CardView } from '../../../../src/ipc/methods/cards.ts'
import { expectEscaped, HOSTILE, NOW } from '../../../support/views.ts'

function view(changes: Partial<CardView> = {}): CardView {
  const devices = [
    { device: 'phone', here: false, approved: false },
    { device: 'laptop', here: true, approved: true },
    { device: null, here: false, approved: false },
  ]
  return {
    app: 'chat',
    state: 'listed',
    epoch: 0,
    seq: 2,
    expiresAtSec: NOW + 86_400,
    devices,
    stores: [],
    inboxes: [],
    ...changes,
  }
}

test('a card is shown with its devices, and says which a rotation here would leave out', () => {
  const [, line] = formatCards([view({ stores: ['https://relay.example/'], inboxes: ['https://inbox.example/'] })], NOW)
  expect(line).toContain('good')
  expect(line).toContain('phone (not approved here), laptop (this one), an unknown device (not approved here)')
  expect(line).toMatch(/https:\/\/relay\.example\/ +https:\/\/inbox\.example\//)
})

test('a card from which somebody took this device is shown with the ways on', () => {
  expect(formatCards([view({ state: 'taken-out' })], NOW).at(-1)).toBe(
    'persona app rejoin chat; or persona device remove STOLEN-DEVICE --lost',
  )
})

test('without a card there is a sentence', () => {
  expect(formatCards([], NOW)).toHaveLength(1)
})

test('names of devices are escaped', () => {
  expectEscaped(formatCards([view({ devices: [{ device: HOSTILE, here: false, approved: true }] })], NOW))
})
