import { describe, expect, it } from 'vitest'
import {
  consentsToPersona,
  isContested,
  joinEntries,
  MAX_SOURCES,
  newestSighting,
  pairState,
  reportBare,
  reportToken,
  revokeSource,
  type DeviceReports,
  type ContactEntry,
} from '../../../src/core/consent.ts'

const [A, B] = ['A'.repeat(64), 'B'.repeat(64)]
const DAY_SEC = 86_400
const T = 1_800_000_000

function shows(reports: DeviceReports, atSec: number, personaId = A, lists = true, source = 'app'): DeviceReports {
  return reportToken(reports, source, { atSec, personaId, lists })
}

function bare(reports: DeviceReports, ...days: readonly number[]): DeviceReports {
  return days.reduce((all, day) => reportBare(all, 'app', T + day * DAY_SEC), reports)
}

const consenting = shows([], T)

describe('a report', () => {
  it('replaces an older one of its source, and an older one changes nothing', () => {
    const newer = shows(consenting, T + 1, B)
    expect(newest(newer)).toBe(B)
    expect(shows(newer, T, A)).toBe(newer)
    expect(newer.length).toBe(1)
  })

  it('without news returns the same array, so that nothing is written', () => {
    expect(shows(consenting, T)).toBe(consenting)
    const seen = bare(consenting, 1, 3)
    for (const day of [1, 2, 3]) expect(bare(seen, day)).toBe(seen)
    expect(bare(consenting, 0)).toBe(consenting)
    expect(bare(consenting, -5)).toBe(consenting)
  })

  it('of the same second wins if it came in last, within a source and between two', () => {
    expect(newest(shows(consenting, T, B))).toBe(B)
    expect(newest(shows(consenting, T, B, true, 'profile'))).toBe(B)
    expect(newest(shows(shows([], T, B, true, 'profile'), T, A))).toBe(A)
  })

  it('with the newest time decides, whatever the order of arrival', () => {
    const late = shows(shows([], T + 10, A, true, 'live'), T, B, true, 'old profile')
    expect(newest(late)).toBe(A)
    expect(consentsToPersona(late, A)).toBe(true)
  })

  it.each([
    [MAX_SOURCES - 1, MAX_SOURCES],
    [MAX_SOURCES, MAX_SOURCES],
    [MAX_SOURCES + 1, MAX_SOURCES],
  ])('from one more source than %i leaves %i', (count, kept) => {
    let reports: DeviceReports = []
    for (let i = 0; i < count; i++) reports = shows(reports, T + i, A, true, `source ${i}`)
    const more = shows(reports, T - 1, B, true, 'late')
    expect(more.length).toBe(kept)
    expect(more[0]!.source).toBe('late')
  })

  it('goes away with its source, and the reports of other sources stay', () => {
    const two = shows(consenting, T + 1, B, true, 'liar')
    expect(consentsToPersona(two, A)).toBe(false)
    expect(revokeSource(two, 'liar')).toEqual(consenting)
    expect(revokeSource(consenting, 'app')).toEqual([])
    expect(consentsToPersona(revokeSource(consenting, 'app'), A)).toBe(false)
  })
})

function newest(reports: DeviceReports): string | undefined {
  return newestSighting(reports)?.personaId
}

describe('a device consents', () => {
  it('only to the persona whose blob it shows, and only if that blob lists it', () => {
    expect(consentsToPersona(consenting, A)).toBe(true)
    expect(consentsToPersona(consenting, B)).toBe(false)
    expect(consentsToPersona(shows([], T, A, false), A)).toBe(false)
    expect(consentsToPersona([], A)).toBe(false)
    expect(consentsToPersona(bare([], 0), A)).toBe(false)
  })

  it('until it shows a blob that does not list it, even of the same persona', () => {
    expect(consentsToPersona(shows(consenting, T + 1, A, false), A)).toBe(false)
  })

  it.each([
    [[1], true],
    [[1, 14], true],
    [[1, 15], true],
    [[1, 16], false],
    [[16], true],
    [[400], true],
    [[400, 414], true],
    [[400, 415], false],
    [[15, 1], true],
    [[16, 1], false],
    [[0, 14], true],
    [[-20, 14], true],
  ] as const)('after it was seen without a token on the days %j: %s', (days, expected) => {
    expect(consentsToPersona(bare(consenting, ...days), A)).toBe(expected)
  })

  it('no longer after 14 days and a second, and again as soon as it shows its blob', () => {
    const edge = reportBare(bare(consenting, 1), 'app', T + 15 * DAY_SEC)
    expect(consentsToPersona(edge, A)).toBe(true)
    const over = reportBare(edge, 'app', T + 15 * DAY_SEC + 1)
    expect(consentsToPersona(over, A)).toBe(false)
    expect(consentsToPersona(shows(over, T + 16 * DAY_SEC), A)).toBe(true)
  })

  it('while only the last time counts of a bare period that began before the newest blob', () => {
    // The profile saw it without a token on days -30 and 10; the app saw the blob on day 0.
    const profile = reportBare(reportBare([], 'profile', T - 30 * DAY_SEC), 'profile', T + 10 * DAY_SEC)
    const both = shows(profile, T)
    expect(consentsToPersona(both, A)).toBe(true)
    expect(consentsToPersona(bare(both, 24), A)).toBe(true)
    expect(consentsToPersona(bare(both, 25), A)).toBe(false)
  })

  it('while a blob in the middle of a bare period ends only the part before it', () => {
    const middle = shows(bare(consenting, 1, 10), T + 5 * DAY_SEC)
    expect(consentsToPersona(bare(middle, 24), A)).toBe(true)
    expect(consentsToPersona(bare(middle, 25), A)).toBe(false)
  })
})

describe('the state of a pair', () => {
  const quoting = shows([], T, A, false)
  const another = shows([], T, B)
  it.each([
    ['listed, unbound, consents', true, null, consenting, 'confirmed'],
    ['listed, bound here, consents', true, A, consenting, 'confirmed'],
    ['listed, bound elsewhere, consents', true, B, consenting, 'claimed'],
    ['listed, never seen', true, null, [], 'claimed'],
    ['listed, bound here, never seen again', true, A, [], 'claimed'],
    ['listed, quotes', true, null, quoting, 'claimed'],
    ['listed, shows another', true, A, another, 'claimed'],
    ['unlisted, bound here', false, A, consenting, 'former'],
    ['unlisted, bound here, shows another', false, A, another, 'former'],
    ['unlisted, unbound, shows a blob of it', false, null, quoting, 'asserted'],
    ['unlisted, unbound, shows a blob that lists it', false, null, consenting, 'asserted'],
    ['unlisted, bound elsewhere, shows a blob of it', false, B, quoting, 'asserted'],
    ['unlisted, shows another', false, null, another, null],
    ['unlisted, never seen', false, null, [], null],
  ] as const)('%s', (_, listed, bound, reports, state) => {
    expect(pairState(A, listed, bound, reports)).toBe(state)
  })

  it.each([
    ['confirmed', null, false, consenting, false],
    ['confirmed', null, true, consenting, false],
    ['claimed', null, false, [], false],
    ['claimed', A, false, [], false],
    ['claimed', B, false, [], true],
    ['claimed', null, true, [], true],
    ['claimed', null, false, another, true],
    ['claimed', null, false, quoting, false],
    ['asserted', B, false, quoting, false],
    ['former', A, false, another, false],
    [null, B, true, another, false],
  ] as const)('%s, with its device bound to %s, provisional %s: is contested as its reports show', (...row) => {
    const [state, bound, isProvisional, reports, expected] = row
    expect(isContested(A, state, bound, isProvisional, reports)).toBe(expected)
  })
})

describe('joining two contacts', () => {
  const older: ContactEntry = { name: 'Ada', aliases: ['Countess'], policy: 'auto', blocked: false, createdSec: 1 }
  const younger: ContactEntry = {
    name: 'ada phone',
    aliases: ['Ada', 'AL'],
    policy: 'pin',
    blocked: true,
    createdSec: 2,
  }

  it('keeps the older name, every other name once as an alias, the stricter policy and any block', () => {
    const joined = {
      name: 'Ada',
      aliases: ['Countess', 'ada phone', 'AL'],
      policy: 'pin',
      blocked: true,
      createdSec: 1,
    }
    expect(joinEntries(older, younger)).toEqual(joined)
    expect(joinEntries(younger, older)).toEqual(joined)
  })

  it('ranks ask between auto and pin', () => {
    const policy = (a: ContactEntry['policy'], b: ContactEntry['policy']): string =>
      joinEntries({ ...older, policy: a }, { ...younger, policy: b }).policy
    expect([policy('auto', 'ask'), policy('ask', 'auto'), policy('ask', 'pin'), policy('auto', 'auto')]).toEqual([
      'ask',
      'ask',
      'pin',
      'auto',
    ])
  })
})
