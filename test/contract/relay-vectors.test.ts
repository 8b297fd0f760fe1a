/** Every vector of the relay (docs/relay.md, sections 7 and 8). */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  formatRelayVector,
  judgeRelay,
  RELAY_VECTORS_DIR,
  relayVectors,
  type RelayVector,
} from '../generate/relay-vectors.ts'

const FILES = readdirSync(RELAY_VECTORS_DIR).map(
  (file) => [file, readFileSync(RELAY_VECTORS_DIR + file, 'utf8')] as const,
)

it('they get their expected results', async () => {
  const codes = new Set<string>()
  for (const [file, text] of FILES) {
    const vector = JSON.parse(text) as RelayVector
    expect(await judgeRelay(vector), file).toEqual(vector.expect)
    if ('code' in vector.expect) codes.add(vector.expect.code)
  }
  expect(FILES.length).toBe(19)
  expect([...codes].toSorted()).toEqual([
    'QUESTION_CLOSED',
    'QUESTION_FORM',
    'QUESTION_KEY',
    'QUESTION_ORIGIN',
    'QUESTION_TIME',
  ])
})

it('they equal the output of the generator, byte for byte', () => {
  const made = [...relayVectors()].map(([file, vector]) => [file, formatRelayVector(vector)] as const)
  expect(new Map(FILES)).toEqual(new Map(made))
})
