/** Two sides of a proposal end in the same state, whatever happened to their texts on the way (docs/links.md, section "Proposals"). */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ProposalWorld, type Side } from '../../support/proposals.ts'

const STORIES = Number(process.env['PROPOSALS'] ?? 100)

const anyStep = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('take' as const), isLeo: fc.boolean(), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('lose' as const), isLeo: fc.boolean(), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('double' as const), isLeo: fc.boolean(), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('restart' as const), isLeo: fc.boolean(), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('tick' as const), isLeo: fc.boolean(), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('wait' as const), isLeo: fc.boolean(), at: fc.nat(400_000) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('accept' as const), isLeo: fc.boolean(), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('decline' as const), isLeo: fc.boolean(), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('provide' as const), isLeo: fc.boolean(), at: fc.nat() }) },
)
type AnyStep = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never

function step(world: ProposalWorld, { does, isLeo, at }: AnyStep): void {
  const side = isLeo ? world.leo : world.kim
  const { mail } = side
  const index = mail.length === 0 ? 0 : at % mail.length
  switch (does) {
    case 'take':
      for (const parcel of mail.splice(index, 1)) side.take(parcel)
      break
    case 'lose':
      mail.splice(index, 1)
      break
    case 'double':
      mail.push(...mail.slice(index, index + 1))
      break
    case 'restart':
      side.restart()
      break
    case 'tick':
      side.tick()
      break
    case 'wait':
      world.nowSec += at
      break
    case 'accept':
      side.answer('accepted')
      break
    case 'decline':
      side.answer('declined')
      break
    case 'provide':
      side.provide(at % 3 > 0)
  }
}

/** The channel of the source apps works again for both, and nothing is lost from now on. */
function calm(world: ProposalWorld): void {
  for (const side of world.sides) side.restart()
  world.settle()
  for (let turn = 0; turn < 6; turn++) world.rest(3600)
  // Handshakes that lost their invites end with them.
  for (let turn = 0; turn < 12; turn++) world.rest(86_400)
}

const both = (does: AnyStep['does']): AnyStep[] => [
  { does, isLeo: true, at: 0 },
  { does, isLeo: false, at: 0 },
]

/** One story of each end, so that a run without luck has them too: {@link calm} does the rest. */
const STORY_OF_EACH_END: [AnyStep[]][] = [[both('accept')], [[]], [[{ does: 'decline', isLeo: true, at: 0 }]]]

const openEnds = (side: Side): string[] => side.ends.filter(({ isOpen }) => isOpen).map(({ name }) => name)

it('both sides end in states that fit, and in one channel or none', () => {
  const ends = new Map<string, number>()
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      const world = new ProposalWorld()
      for (const side of world.sides) side.provide(true)
      for (const each of steps) step(world, each)
      calm(world)
      const [leo, kim] = world.sides
      expect(openEnds(leo)).toEqual(openEnds(kim))
      expect(openEnds(leo).length).toBeLessThanOrEqual(1)
      expect([leo.ends.length, kim.ends.length]).toEqual([openEnds(leo).length, openEnds(kim).length])
      const isOpen = openEnds(leo).length === 1
      expect([leo.state === 'confirmed', kim.state === 'confirmed']).toEqual([isOpen, isOpen])
      const areWilling = world.sides.every(({ proposal: { own } }) => own.isProvided && own.answer === 'accepted')
      // Nobody who agreed waits for ever.
      expect(isOpen || !areWilling).toBe(true)
      if (isOpen) expect(world.sides.every(({ invites, join }) => invites.size === 0 && join === null)).toBe(true)
      const state = [leo.state, kim.state].toSorted().join(' ')
      ends.set(state, (ends.get(state) ?? 0) + 1)
    }),
    { numRuns: STORIES, examples: STORY_OF_EACH_END },
  )
  for (const state of ['confirmed confirmed', 'proposed proposed', 'declined declinedThere'])
    expect([...ends.keys()], state).toContain(state)
})

it('both accept in any order, and days apart: one channel is open', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(fc.nat(9 * 86_400), { maxLength: 4 }), fc.nat(20), (isLeoFirst, waits, seed) => {
      const world = new ProposalWorld()
      for (let i = 0; i < seed; i++) world.nextNumber()
      for (const side of world.sides) side.provide(true)
      world.settle()
      expect(world.sides.map(({ state }) => state)).toEqual(['proposed', 'proposed'])
      const [first, second] = isLeoFirst ? world.sides : world.sides.toReversed()
      first.answer('accepted')
      world.settle()
      expect([first.state, second.state]).toEqual(['acceptedHere', 'acceptedThere'])
      for (const sec of waits) world.rest(sec)
      expect(world.sides.flatMap(({ ends }) => ends)).toEqual([])
      second.answer('accepted')
      world.rest(60)
      for (let turn = 0; turn < 3; turn++) world.rest(3600)
      expect(world.sides.map(({ state }) => state)).toEqual(['confirmed', 'confirmed'])
      expect(world.leo.ends).toEqual(world.kim.ends)
      expect(world.leo.ends.length).toBe(1)
    }),
    { numRuns: STORIES },
  )
})

it('a declined proposal stays declined, whatever the other side says', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const world = new ProposalWorld()
      for (const side of world.sides) side.provide(true)
      world.settle()
      world.leo.answer('declined')
      const byOthers = steps.filter(({ does, isLeo }) => !isLeo || (does !== 'accept' && does !== 'provide'))
      for (const each of byOthers) step(world, each)
      calm(world)
      expect(world.leo.state).toBe('declined')
      expect([...world.leo.ends, ...world.kim.ends]).toEqual([])
      expect(world.leo.invites.size).toBe(0)
    }),
    { numRuns: STORIES },
  )
})
