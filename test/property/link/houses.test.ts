/**
 * Random histories of two people with a source app and a target app, on one device or on two each (docs/links.md, sections 3 and 5): whatever they do, and
 * whatever is off, both end in states that fit, and in one channel or none.
 *
 * HOUSES=500 plays so many; HOUSE_SEED and HOUSE_PATH, as a failure prints them, play one again.
 */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { HouseWorld, type Does, type HouseStep, type Shape } from '../../support/house-history.ts'

const RUNS = Number(process.env['HOUSES'] ?? 2)
const MS_EACH = 30_000 // sanity: some 2 s on an idle machine
const MOST_TURNS = 150 // some handshakes are over then
const { HOUSE_SEED: seed, HOUSE_PATH: path } = process.env

const devices = fc.constantFrom(1 as const, 2 as const)
const shape: fc.Arbitrary<Shape> = fc.record({ leos: devices, kims: devices, isNews: fc.boolean() })

const step = (does: Does, weight = 1): fc.WeightedArbitrary<HouseStep> => ({
  weight,
  arbitrary: fc.record({
    does: fc.constant(does),
    isLeo: fc.boolean(),
    isSource: fc.boolean(),
    days: fc.integer({ min: 1, max: 8 }),
    turns: fc.option(fc.integer({ min: 0, max: MOST_TURNS })),
  }),
})
const anyStep = fc.oneof(
  step('accept', 4),
  step('decline'),
  step('provide', 2),
  step('withdraw', 2),
  step('link', 3),
  step('unlink', 2),
  step('restart', 2),
  step('off', 3),
  step('on', 3),
  step('days', 2),
)

it(
  'both people end in states that fit, and in one channel or none',
  async () => {
    await fc.assert(
      fc.asyncProperty(shape, fc.array(anyStep, { maxLength: 16, size: 'max' }), async (how, steps) => {
        const world = await HouseWorld.begin(how)
        try {
          for (const each of steps) await world.play(each)
          await world.calm()
          await holds(world)
          await world.agree()
          await holds(world)
          // Nobody who agreed waits for ever.
          expect(await world.states()).toEqual([['confirmed'], ['confirmed']])
        } catch (error) {
          throw new Error(JSON.stringify(await world.told(), null, 1), { cause: error })
        } finally {
          await world.close()
        }
      }),
      {
        numRuns: RUNS,
        ...(seed === undefined ? {} : { seed: Number(seed) }),
        ...(path === undefined ? {} : { path }),
      },
    )
  },
  RUNS * MS_EACH,
)

async function holds(world: HouseWorld): Promise<void> {
  const [states, channels, invites] = [await world.states(), await world.channels(), await world.invites()]
  const all = JSON.stringify({ states, channels, invites })
  const isOpen = channels[0]!.length > 0
  expect(channels, all).toEqual(isOpen ? [['open'], ['open']] : [[], []])
  if (isOpen) return
  for (const at of [0, 1] as const) {
    const hasDeclined = world.hasDeclined(at)
    // Nobody is asked about whom they have declined.
    if (hasDeclined) expect(states[at], all).not.toContainEqual(expect.stringMatching(/^(proposed|acceptedThere)$/))
    if (hasDeclined || !world.provides(at)) expect(invites[at], all).toBe(0)
  }
}
