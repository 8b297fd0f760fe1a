/** Random histories of a keeper: tables shown by devices in any order, mixed with actions of the owner. */
import * as fc from 'fast-check'
import type { Policy } from '../../src/core/consent.ts'
import { TestKeeper } from './keeper.ts'
import { deviceKey, person, type Person, type Table } from './person.ts'

const PEOPLE = ['ann', 'bob', 'eve'] as const
export const KEYS: readonly string[] = Array.from({ length: 6 }, (_, n) => deviceKey(`device ${n}`))
const NAMES = ['Kim', 'kim', 'Kim#2', 'Bob', 'device', '__proto__'] as const

/** The tables that a person may show: a tree of edits, forks and rotations, each listing some of six devices. */
export interface Step {
  readonly who: number
  readonly devices: readonly number[]
  readonly after: number
  readonly jump: number
  readonly rotates: boolean
  readonly isThief: boolean
}

export type Action =
  | {
      readonly kind: 'show'
      readonly key: number
      readonly table: number
      readonly agoSec: number
      readonly source: string
      readonly name: string
    }
  | { readonly kind: 'text'; readonly key: number; readonly text: string }
  | { readonly kind: 'add'; readonly key: number }
  | { readonly kind: 'remove'; readonly key: number }
  | { readonly kind: 'policy'; readonly key: number; readonly policy: Policy }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'reopen' }

export const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat({ max: PEOPLE.length - 1 }),
  devices: fc.uniqueArray(fc.nat({ max: KEYS.length - 1 }), { maxLength: 4 }),
  after: fc.nat({ max: 30 }),
  jump: fc.constantFrom(1, 1, 1, 2, 70_000),
  rotates: fc.boolean(),
  isThief: fc.boolean(),
})

const key = fc.nat({ max: KEYS.length - 1 })
export const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('show' as const),
      key,
      table: fc.nat({ max: 30 }),
      agoSec: fc.constantFrom(0, 0, 0, 100, 1_000_000),
      source: fc.constantFrom('one', 'two'),
      name: fc.constantFrom(...NAMES),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('text' as const), key, text: fc.constantFrom('', 'hi', 'persona:x') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('add' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('policy' as const),
      key,
      policy: fc.constantFrom('auto' as const, 'ask' as const, 'pin' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 61, 2_000_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
)

export function draw(steps: readonly Step[]): Table[] {
  const people: Person[] = PEOPLE.map((name) => person(name))
  const tables = people.map((one, i) => one.table([{ name: 'd', key: KEYS[i]! }]))
  const owners = people.map((_, i) => i)
  for (const { who, devices, after, jump, rotates, isThief } of steps) {
    const own = tables.filter((_, i) => owners[i] === who)
    const before = own[after % own.length]!
    const one = isThief ? people[who]!.thief() : people[who]!.sibling()
    one.epoch = before.epoch
    if (rotates && before.epoch < 3) one.rotate()
    const listed = devices.map((n) => ({ name: `d${n}`, key: KEYS[n]! }))
    tables.push(one.table(listed, { after: before, ...(one.epoch === before.epoch ? { seq: before.seq + jump } : {}) }))
    owners.push(who)
  }
  return tables
}

// An edit may be refused: the device may belong to a contact or be unlisted.
function ignore(): void {}

/** @returns the keeper, which may have been reopened */
export async function act(test: TestKeeper, action: Action, tables: readonly Table[]): Promise<TestKeeper> {
  switch (action.kind) {
    case 'show': {
      const text = tables[action.table % tables.length]!
      const { source, name, agoSec } = action
      await test.reports(source, KEYS[action.key]!, text, { name, seenAtSec: test.nowSec - agoSec })
      return test
    }
    case 'text':
      await test.sees(KEYS[action.key]!, action.text)
      return test
    case 'add':
      await test.call('device.add', { name: `own ${action.key}`, key: KEYS[action.key]!, again: true }).catch(ignore)
      return test
    case 'remove':
      await test.call('device.remove', { device: KEYS[action.key]! }).catch(ignore)
      return test
    case 'policy':
      await test.call('contact.policy', { contact: KEYS[action.key]!, policy: action.policy }).catch(ignore)
      return test
    case 'wait':
      return test.later(action.seconds)
    case 'reopen':
      return await test.reopened()
  }
}
