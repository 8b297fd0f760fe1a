/** Consent: only what a device itself showed binds it to a persona, whatever others show, list or report. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  consentsToPersona,
  newestSighting,
  pairState,
  reportBare,
  reportToken,
  revokeSource,
  type DeviceReports,
} from '../../../src/core/consent.ts'

const PERSONAS = ['A', 'B', 'C'] as const
const DEVICES = ['D0', 'D1', 'D2', 'D3'] as const
const SOURCES = ['app', 'profile', 'live'] as const
const DAY_SEC = 86_400

type Shows = Extract<Happening, { kind: 'shows' }>
type Persona = (typeof PERSONAS)[number]
type Device = (typeof DEVICES)[number]

/** One step: a source reports that a device showed a blob of a persona listing some devices, or no token; or a source is revoked. */
type Happening =
  | { readonly kind: 'shows'; readonly device: Device; readonly persona: Persona; readonly table: readonly Device[] }
  | { readonly kind: 'bare'; readonly device: Device }
  | { readonly kind: 'revoked' }

const happenings = fc.array(
  fc.record({
    source: fc.constantFrom(...SOURCES),
    hour: fc.nat({ max: 24 * 60 }),
    what: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('shows' as const),
          device: fc.constantFrom(...DEVICES),
          persona: fc.constantFrom(...PERSONAS),
          table: fc.subarray([...DEVICES]),
        }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('bare' as const), device: fc.constantFrom(...DEVICES) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoked' as const) }) },
    ),
  }),
  { maxLength: 25 },
)

interface Entry {
  readonly source: string
  readonly atSec: number
  readonly what: Happening
}

/** A model of the owner's daemon: the newest table of each persona, the reports, and the first persona that each device confirmed. */
class World {
  readonly heads = new Map<Persona, readonly Device[]>()
  readonly reports = new Map<Device, DeviceReports>()
  readonly bound = new Map<Device, Persona>()
  log: Entry[] = []

  take(entry: Entry): void {
    this.log.push(entry)
    if (entry.what.kind === 'revoked') this.revoke(entry.source)
    else this.report(entry.source, entry.atSec, entry.what)
    for (const device of DEVICES) {
      for (const persona of PERSONAS) {
        if (this.state(persona, device) === 'confirmed' && !this.bound.has(device)) this.bound.set(device, persona)
      }
    }
  }

  revoke(source: string): void {
    for (const [device, reports] of this.reports) this.reports.set(device, revokeSource(reports, source))
    this.log = this.log.filter((entry) => entry.source !== source)
  }

  report(source: string, atSec: number, what: Exclude<Happening, { kind: 'revoked' }>): void {
    const { device } = what
    const before = this.reports.get(device) ?? []
    if (what.kind === 'bare') {
      this.reports.set(device, reportBare(before, source, atSec))
      return
    }
    this.heads.set(what.persona, what.table)
    const lists = what.table.includes(device)
    this.reports.set(device, reportToken(before, source, { atSec, personaId: what.persona, lists }))
  }

  state(persona: Persona, device: Device): ReturnType<typeof pairState> {
    const listed = this.heads.get(persona)?.includes(device) ?? false
    return pairState(persona, listed, this.bound.get(device) ?? null, this.reports.get(device) ?? [])
  }
}

/** Runs a story and checks the world after each step. Every step has its own second, so the order of arrival does not matter. */
function run(story: readonly { source: string; hour: number; what: Happening }[], look: (world: World) => void): void {
  const world = new World()
  for (const [i, { source, hour, what }] of story.entries()) {
    world.take({ source, atSec: hour * 3600 + i, what })
    look(world)
  }
}

/** All observations of one device that are not revoked. */
function seen(world: World, device: Device): { shown: (Entry & { what: { kind: 'shows' } })[]; bareSec: number[] } {
  const of = world.log.filter(({ what }) => what.kind !== 'revoked' && what.device === device)
  const shown = of.filter(
    (entry): entry is Entry & { what: Extract<Happening, { kind: 'shows' }> } => entry.what.kind === 'shows',
  )
  return { shown, bareSec: of.filter(({ what }) => what.kind === 'bare').map(({ atSec }) => atSec) }
}

describe('a device', () => {
  it('is confirmed only for the persona of the newest blob that it showed, and only if that blob lists it', () => {
    let confirmed = 0
    fc.assert(
      fc.property(happenings, (story) => {
        run(story, (world) => {
          for (const device of DEVICES) {
            for (const persona of PERSONAS) {
              if (world.state(persona, device) !== 'confirmed') continue
              confirmed++
              const { shown } = seen(world, device)
              const newest = shown.toSorted((a, b) => b.atSec - a.atSec)[0]?.what as Shows
              expect(newest.persona).toBe(persona)
              expect(newest.table).toContain(device)
              expect(world.bound.get(device)).toBe(persona)
            }
          }
        })
      }),
      { numRuns: 400 },
    )
    expect(confirmed).toBeGreaterThan(100)
  })

  it('is confirmed for only one persona, and never moves to a second one unless the owner unbinds it', () => {
    fc.assert(
      fc.property(happenings, (story) => {
        const first = new Map<Device, Persona>()
        run(story, (world) => {
          for (const device of DEVICES) {
            const whose = PERSONAS.filter((persona) => world.state(persona, device) === 'confirmed')
            expect(whose.length).toBeLessThanOrEqual(1)
            if (whose[0] !== undefined) expect(whose[0]).toBe(first.get(device) ?? whose[0])
            if (whose[0] !== undefined) first.set(device, whose[0])
          }
        })
      }),
      { numRuns: 300 },
    )
  })

  it('has a state that other devices cannot change, except through the head that lists it', () => {
    fc.assert(
      fc.property(happenings, fc.constantFrom(...DEVICES), (story, device) => {
        const alone = story.filter(({ what }) => what.kind === 'revoked' || what.device === device)
        let together: DeviceReports = []
        run(story, (world) => (together = world.reports.get(device) ?? []))
        let apart: DeviceReports = []
        run(alone, (world) => (apart = world.reports.get(device) ?? []))
        for (const persona of PERSONAS) {
          for (const listed of [true, false]) {
            const [a, b] = [together, apart].map((reports) => pairState(persona, listed, null, reports))
            expect(a).toBe(b)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('consents as the full log of observations says: never more, and never less while absences are short', () => {
    let consents = 0
    fc.assert(
      fc.property(happenings, (story) => {
        run(story, (world) => {
          for (const device of DEVICES) {
            const reports = world.reports.get(device) ?? []
            const { shown, bareSec } = seen(world, device)
            const newest = shown.toSorted((a, b) => b.atSec - a.atSec)[0]
            expect(newestSighting(reports)?.atSec).toBe(newest?.atSec)
            if (newest === undefined) continue
            const what = newest.what as Shows
            const since = bareSec.filter((atSec) => atSec > newest.atSec)
            const apartSec = since.length === 0 ? 0 : Math.max(...since) - Math.min(...since)
            if (!what.table.includes(device)) expect(consentsToPersona(reports, what.persona)).toBe(false)
            else if (apartSec <= 14 * DAY_SEC) expect(consentsToPersona(reports, what.persona)).toBe(true)
            if (consentsToPersona(reports, what.persona)) consents++
          }
        })
      }),
      { numRuns: 300 },
    )
    expect(consents).toBeGreaterThan(100)
  })
})
