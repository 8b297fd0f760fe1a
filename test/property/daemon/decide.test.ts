/** Whole records through decide(): the same blobs in any order end at the same record, except for the fields named here. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatBase64url, formatHex } from '../../../src/core/encoding/bytes.ts'
import { MAX_EVIDENCE_PER_PERSONA, MAX_EVIDENCE_PER_SEQ } from '../../../src/core/evidence.ts'
import { MAX_CLOCK_AHEAD_SEC, MAX_SEQ_STEP } from '../../../src/core/limits.ts'
import { compareTables, pickHead } from '../../../src/core/order.ts'
import type { Policy } from '../../../src/core/consent.ts'
import type { VerifiedBlob } from '../../../src/core/verify.ts'
import { decide, judgeAgainst, newPersona, type Known } from '../../../src/daemon/personas/decide.ts'
import type { Outcome } from '../../../src/daemon/personas/outcome.ts'
import { decodeStored, headOf } from '../../../src/daemon/personas/heads.ts'
import type { PersonaRecord } from '../../../src/daemon/state/persona-record.ts'
import { makeDevice, makePersona, makeVerified, NOW_SEC, sodium } from '../../support/made-persona.ts'

const ada = makePersona(1)
const personaId = formatHex(ada.positions[0]!.personaId)
const AHEAD = MAX_CLOCK_AHEAD_SEC + 1

/** The fields that the order of the blobs never decides. */
const SETTLED = [
  'personaId',
  'root',
  'minEpoch',
  'epoch',
  'seq',
  'needsNewerPersona',
  'held',
  'verifiedAtSec',
  'entry',
] as const

/** Settled too, unless every signature of the winning table is dated ahead of this clock: then the first one stays. */
const SETTLED_BY_CLOCK = ['head', 'timeSec'] as const

/** Settled under the policy `auto`. `ask` and `pin` hold changes back, so the devices that apps see depend on the tables in between. */
const SETTLED_BY_POLICY = ['devices', 'pending'] as const

/**
 * The order decides these three, and all of them are bounded. A table that comes late is evidence, one that came early was the head. Only
 * heads teach us nicknames and leave former devices.
 */
const ORDERED = ['evidence', 'names', 'others'] as const

/** Devices 0 and 1 are bound to Ada, so they stay known when they leave. The others were never seen. */
const bound = new Set([0, 1].map((number) => makeDevice(number).key))
const known: Known = {
  engine: sodium,
  nowSec: NOW_SEC,
  device: (key) => ({ bound: bound.has(key) ? personaId : null, reports: [] }),
}

function table(seq: number, devices: readonly number[], epoch = 0, more: object = {}): VerifiedBlob {
  const names = devices.map((number) => `${makeDevice(number).name} ${epoch}.${seq}`)
  return makeVerified(ada, { epoch, seq, devices, document: [['names', names]], ...more })
}

const FIRST = table(1, [0])

/** Edits, removals, forks, later signatures, rotations. Every prev is zero, so a successor proves a fork as well. */
const WITHIN_REACH: readonly VerifiedBlob[] = [0, 1].flatMap((epoch) =>
  [1, 2, 3].flatMap((seq) =>
    [[], [0], [0, 1], [2, 1]].flatMap((devices) =>
      [-1, 60, AHEAD, AHEAD + 1].map((later) => table(seq, devices, epoch, { timeSec: NOW_SEC + later })),
    ),
  ),
)
const SUCCESSOR = table(2, [0, 3], 0, { prev: FIRST.tableHash.subarray(0, 16) })
const OTHER_CHAIN = [4, 5].map((seq) => table(seq, [3], 0, { chain: { next: new Uint8Array(32).fill(seq) } }))
const ALL = [...WITHIN_REACH, SUCCESSOR, ...OTHER_CHAIN]
const FAR = [2, MAX_SEQ_STEP + 2, MAX_SEQ_STEP + 3, 2 * MAX_SEQ_STEP, 3 * MAX_SEQ_STEP].map((seq) => table(seq, [0, 1]))

const policies = fc.constantFrom<Policy>('auto', 'ask', 'pin')
const lists = fc.uniqueArray(fc.constantFrom(...ALL), { minLength: 1, maxLength: 10 })
const keys = fc.infiniteStream(fc.nat())

function shuffled(list: readonly VerifiedBlob[], order: Iterator<number>): VerifiedBlob[] {
  const drawn = list.map((blob) => [order.next().value as number, blob] as const)
  return drawn.toSorted(([a], [b]) => a - b).map(([, blob]) => blob)
}

function beginning(policy: Policy): PersonaRecord {
  const entry = { name: 'Ada', aliases: [], policy, blocked: false, createdSec: NOW_SEC }
  return decide({ ...newPersona(FIRST, known), devices: [], entry }, FIRST, { verdict: 'accepted' }, true, known).record
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}

/** Decides one blob as the daemon does. The record before must not change. */
function step(record: PersonaRecord, blob: VerifiedBlob): Outcome {
  const outcome = decide(deepFreeze(record), blob, judgeAgainst(record, blob, known), true, known)
  expect(outcome.before).toBe(record)
  return outcome
}

function follow(start: PersonaRecord, list: readonly VerifiedBlob[]): PersonaRecord {
  return list.reduce((record, blob) => step(record, blob).record, start)
}

/** Shows all blobs again and again until none changes anything, as devices do. */
function settle(start: PersonaRecord, list: readonly VerifiedBlob[]): PersonaRecord {
  let [before, after] = [start, follow(start, list)]
  for (let rounds = 0; after !== before; rounds++) {
    expect(rounds).toBeLessThan(20)
    ;[before, after] = [after, follow(after, list)]
  }
  return after
}

function fieldsOf(record: PersonaRecord, fields: readonly (keyof PersonaRecord)[]): Partial<PersonaRecord> {
  return Object.fromEntries(fields.map((field) => [field, record[field]]))
}

function tableOf(record: PersonaRecord): string {
  return formatHex(headOf(record, known)!.tableHash)
}

function isAhead({ timeSec }: PersonaRecord): boolean {
  return timeSec > NOW_SEC + MAX_CLOCK_AHEAD_SEC
}

function expectSame(one: PersonaRecord, other: PersonaRecord): void {
  expect(fieldsOf(one, SETTLED)).toStrictEqual(fieldsOf(other, SETTLED))
  expect(tableOf(one)).toBe(tableOf(other))
  expect(isAhead(one)).toBe(isAhead(other))
  if (!isAhead(one)) expect(fieldsOf(one, SETTLED_BY_CLOCK)).toStrictEqual(fieldsOf(other, SETTLED_BY_CLOCK))
  if (one.entry!.policy === 'auto')
    expect(fieldsOf(one, SETTLED_BY_POLICY)).toStrictEqual(fieldsOf(other, SETTLED_BY_POLICY))
  else for (const { pending } of [one, other]) expect([null, tableOf(one)]).toContain(pending?.tableHash ?? null)
}

function isOtherChain(blob: VerifiedBlob): boolean {
  return OTHER_CHAIN.includes(blob)
}

describe('a whole record', () => {
  it('has only fields that this test names, as settled or as decided by the order', () => {
    const named = [...SETTLED, ...SETTLED_BY_CLOCK, ...SETTLED_BY_POLICY, ...ORDERED]
    expect(named.toSorted()).toStrictEqual(Object.keys(beginning('auto')).toSorted())
  })

  it('ends the same, whatever the order of the blobs', () => {
    let disputes = 0
    fc.assert(
      fc.property(lists, keys, policies, (list, order, policy) => {
        const [one, other] = [follow(beginning(policy), list), follow(beginning(policy), shuffled(list, order))]
        expectSame(one, other)
        const ours = [FIRST, ...list].filter((blob) => !isOtherChain(blob))
        const best = ours.reduce((a, b) => pickHead(a, b, NOW_SEC))
        expect(tableOf(one)).toBe(formatHex(best.tableHash))
        if (list.some(isOtherChain)) disputes++
      }),
      { numRuns: 1000 },
    )
    expect(disputes).toBeGreaterThan(50)
  })

  it('ends the same if two parts are followed apart and then joined by their heads, as a snapshot joins them', () => {
    fc.assert(
      fc.property(lists, lists, policies, (here, there, policy) => {
        const [a, b] = [follow(beginning(policy), here), follow(beginning(policy), there)]
        const joined = [b.head, b.held].flatMap((blob) => (blob === null ? [] : decodeStored(blob, known)))
        expectSame(follow(a, joined), follow(beginning(policy), [...here, ...there]))
      }),
      { numRuns: 500 },
    )
  })

  it('changes nothing when a blob comes again', () => {
    fc.assert(
      fc.property(lists, fc.constantFrom(...ALL, ...FAR), policies, (list, blob, policy) => {
        const once = follow(beginning(policy), [...list, blob])
        const twice = step(once, blob)
        // A held blob may have passed it since. It then becomes evidence, and nothing else changes.
        expect({ ...twice.record, evidence: once.evidence }).toStrictEqual(once)
        expect({ ...twice, record: twice.before }).toStrictEqual({
          before: once,
          record: once,
          claims: [],
          alarms: [],
          changes: [],
        })
        expect(step(twice.record, blob).record).toBe(twice.record)
      }),
      { numRuns: 500 },
    )
  })

  it('ends the same with blobs out of reach, once devices have shown them often enough', () => {
    let held = 0
    fc.assert(
      fc.property(fc.subarray(FAR, { minLength: 1 }), keys, policies, (list, order, policy) => {
        const [one, other] = [settle(beginning(policy), list), settle(beginning(policy), shuffled(list, order))]
        expectSame(one, other)
        if (one.held === null) return
        held++
        const highest = list.reduce((a, b) => (compareTables(a, b) > 0 ? a : b))
        expect(one.held).toBe(formatBase64url(highest.bytes))
      }),
      { numRuns: 500 },
    )
    expect(held).toBeGreaterThan(50)
  })

  it('has one open claim for each device that apps see, and one dispute alarm for each second chain', () => {
    fc.assert(
      fc.property(lists, policies, (list, policy) => {
        let record = beginning(policy)
        const open = new Set(record.devices.map(({ key }) => key))
        let disputed = 0
        for (const blob of list) {
          const outcome = step(record, blob)
          for (const { key, endedBy } of outcome.claims) {
            expect(open.has(key)).toBe(endedBy !== null)
            if (endedBy === null) open.add(key)
            else open.delete(key)
          }
          disputed += outcome.alarms.filter((alarm) => alarm === 'disputed').length
          record = outcome.record
          expect(open).toStrictEqual(new Set(record.devices.map(({ key }) => key)))
        }
        expect(disputed).toBe(list.filter(isOtherChain).length)
      }),
      { numRuns: 500 },
    )
  })

  it('keeps evidence within its bounds, with every second chain; only bound devices that left are former devices', () => {
    fc.assert(
      fc.property(lists, policies, (list, policy) => {
        const { evidence, others, devices, names } = follow(beginning(policy), list)
        expect(evidence.length).toBeLessThanOrEqual(MAX_EVIDENCE_PER_PERSONA)
        for (const [, same] of Map.groupBy(evidence, ({ epoch, seq, root }) => `${epoch} ${seq} ${root}`))
          expect(same.length).toBeLessThanOrEqual(MAX_EVIDENCE_PER_SEQ)
        const disputes = evidence.filter(({ kind }) => kind === 'violation').map(({ blob }) => blob)
        const chains = list.filter(isOtherChain).map(({ bytes }) => formatBase64url(bytes))
        expect(disputes.toSorted()).toStrictEqual(chains.toSorted())
        const listed = devices.map(({ key }) => key)
        for (const key of others) expect(bound.has(key) && !listed.includes(key)).toBe(true)
        expect(names.slice(0, devices.length)).toStrictEqual(devices.map(({ key, name }) => [key, name]))
      }),
      { numRuns: 500 },
    )
  })
})
