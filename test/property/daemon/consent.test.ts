/** Consent over a real keeper: apps that lie, profiles, revocations, policies, splits and restarts, in whatever order. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatHex } from '../../../src/core/encoding/bytes.ts'
import { judgeStatus } from '../../../src/core/verify.ts'
import type { Caller } from '../../../src/ipc/methods/method.ts'
import { TestKeeper } from '../../support/keeper.ts'
import { act, action, draw, KEYS, step, type Action } from '../../support/life.ts'
import { engine, type Table } from '../../support/person.ts'
import { callerAs } from '../../support/caller.ts'

const RUNS = 80
const APPS = ['clock', 'liar'] as const
type AppName = (typeof APPS)[number]

/** Actions of apps and of the owner, besides those that every life has. */
type Deed =
  | {
      readonly kind: 'app'
      readonly app: AppName
      readonly key: number
      readonly table: number
      readonly agoSec: number
    }
  | { readonly kind: 'revoke'; readonly app: AppName }
  | { readonly kind: 'split'; readonly key: number }
  | { readonly kind: 'life'; readonly action: Action }

const app = fc.constantFrom(...APPS)
const key = fc.nat({ max: KEYS.length - 1 })
const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('app' as const),
      app,
      key,
      table: fc.nat({ max: 30 }),
      agoSec: fc.constantFrom(0, 0, 100, 1_000_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('revoke' as const), app }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('split' as const), key }) },
  { weight: 7, arbitrary: fc.record({ kind: fc.constant('life' as const), action }) },
)

/** A report that was not revoked: this source saw the device show a table of the persona and chain that lists it. */
interface Shown {
  readonly source: string
  readonly pair: string
}

function pairOf(device: string, personaId: string, root: string): string {
  return `${device} ${personaId} ${root}`
}

/** A keeper, the apps connected to it, and all reports that were not revoked. */
class World {
  test: TestKeeper
  readonly #tables: readonly Table[]
  readonly #tokens = new Map<AppName, string>()
  #shown: Shown[] = []

  private constructor(test: TestKeeper, tables: readonly Table[]) {
    this.test = test
    this.#tables = tables
  }

  static async begin(tables: readonly Table[]): Promise<World> {
    const world = new World(await TestKeeper.withPersona(), tables)
    for (const name of APPS) await world.#allow(name)
    return world
  }

  async #allow(name: AppName): Promise<void> {
    this.#tokens.set(name, (await this.test.call('app.allow', { name, can: ['observe'] })).token)
  }

  async take(deed: Deed): Promise<void> {
    switch (deed.kind) {
      case 'app':
        return await this.#report(deed)
      case 'revoke':
        await this.test.call('app.revoke', { name: deed.app })
        this.#shown = this.#shown.filter(({ source }) => source !== deed.app)
        return await this.#allow(deed.app)
      case 'split':
        return await this.#split(KEYS[deed.key]!)
      case 'life':
        if (deed.action.kind === 'show') this.#note(deed.action.source, deed.action.key, deed.action.table)
        this.test = await act(this.test, deed.action, this.#tables)
    }
  }

  // Each report gets its own connection, as from an app that connects, reports and ends.
  async #report({ app: name, key: n, table, agoSec }: Extract<Deed, { kind: 'app' }>): Promise<void> {
    const caller: Caller = callerAs('app', 2)
    const handlers = this.test.handlers
    await handlers['app.hello']({ token: this.#tokens.get(name)! }, caller)
    const text = this.#tables[table % this.#tables.length]!.text()
    this.#note(name, n, table)
    await handlers.observe({ from: KEYS[n]!, text, seenAtSec: this.test.nowSec - agoSec }, caller)
  }

  #note(source: string, n: number, table: number): void {
    const { blob } = judgeStatus(this.#tables[table % this.#tables.length]!.text(), engine, new Set())
    if (!blob!.deviceKeys.some((listed) => formatHex(listed) === KEYS[n])) return
    this.#shown.push({ source, pair: pairOf(KEYS[n]!, formatHex(blob!.personaId), formatHex(blob!.root)) })
  }

  async #split(device: string): Promise<void> {
    const { bound } = this.test.records.devices.get(device) ?? { bound: null }
    // Refused for a confirmed device, and for the owner's.
    if (bound !== null) await this.test.call('contact.split', { contact: bound, device }).catch(() => {})
  }

  /** @returns the number of confirmed devices of other people */
  async check(): Promise<number> {
    const standing = new Set(this.#shown.map(({ pair }) => pair))
    const own = this.test.records.own.get('own')!.personaId
    const whose = new Map<string, string>()
    for await (const [id, { root }] of this.test.records.personas.iterate()) {
      if (id === own) continue
      for (const { key: device } of (await this.test.call('contact.show', { contact: id })).devices) {
        expect(standing, 'what it showed itself, by a report that stands').toContain(pairOf(device, id, root))
        expect(whose.get(device), 'a device is confirmed for one persona').toBeUndefined()
        whose.set(device, id)
      }
    }
    return whose.size
  }
}

describe('any reports by any sources, some of them revoked', () => {
  it('confirm a device only for a persona and chain that it showed in a table that lists it, by a report that stands', async () => {
    let [ran, confirmed, ended] = [0, 0, 0]
    const steps = fc.array(step, { minLength: 6, maxLength: 20 })
    const deeds = fc.array(deed, { minLength: 10, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(steps, deeds, async (steps, deeds) => {
        const world = await World.begin(draw(steps))
        let before = 0
        for (const deed of deeds) {
          await world.take(deed)
          const now = await world.check()
          if (deed.kind === 'revoke' && now < before) ended++
          confirmed += now
          before = now
        }
        expect(world.test.storeFailures).toStrictEqual([])
        ran++
      }),
      { numRuns: RUNS },
    )
    expect(ran).toBe(RUNS)
    expect(confirmed).toBeGreaterThan(RUNS)
    expect(ended, 'revocations that ended a confirmation').toBeGreaterThan(0)
  }, 60_000)
})
