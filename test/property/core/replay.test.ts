/** Siblings that edit offline: they end with one table, no edit is lost silently, and a removed device stays out. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PREV_BYTES, resignBlob } from '../../../src/core/blob.ts'
import { formatHex } from '../../../src/core/encoding/bytes.ts'
import { BlobError, TableError } from '../../../src/core/errors.ts'
import { applyEdit, type Edit } from '../../../src/core/edit.ts'
import { replayIntents, republishedWith, type Intent } from '../../../src/core/intents.ts'
import { judge, type LinkedPoint } from '../../../src/core/order.ts'
import {
  isSameValue,
  NO_SETTINGS,
  SETTING_KEYS,
  settingsOf,
  withSetting,
  type Settings,
} from '../../../src/core/document.ts'
import { checkRoomToRotate, encodeTable, nameDevices, type Device } from '../../../src/core/table.ts'
import type { VerifiedBlob } from '../../../src/core/verify.ts'
import { compress } from '../../../src/daemon/own/compress.ts'
import { isShown } from '../../support/fate.ts'
import { makeDevice, makePersona, NOW_SEC, verified } from '../../support/made-persona.ts'

const STORIES = 250
const MS_EACH = 500 // sanity: some 10 ms on an idle machine

const ada = makePersona(1)
const root = ada.positions[0]!.next
const START = [makeDevice(0, 'd0'), makeDevice(1, 'd1'), makeDevice(2, 'd2')]

function pointOf({ epoch, seq, tableHash, prev }: VerifiedBlob): LinkedPoint {
  return { epoch, seq, tableHash: formatHex(tableHash), prev: formatHex(prev) }
}

function sign(
  devices: readonly Device[],
  settings: Settings,
  seq: number,
  timeSec: number,
  prev: Uint8Array,
): VerifiedBlob {
  const draft = { chain: ada.positions[0]!, devices, settings, seq, timeSec, prev, named: true, document: [] }
  return verified(encodeTable(draft, true, compress, (message) => ada.sign(0, message)).blob)
}

const FIRST = sign(START, NO_SETTINGS, 1, NOW_SEC, new Uint8Array(PREV_BYTES))

/** One sibling as in docs/format.md, section 9. It has only the order of steps in common with the daemon. */
class Sibling {
  readonly clockOffsetSec: number
  head: VerifiedBlob = FIRST
  devices: readonly Device[] = START
  settings: Settings = NO_SETTINGS
  intents: Intent[] = []
  readonly made: Intent[] = []
  readonly ended = new Map<Intent['id'], string>()
  readonly tombstones = new Set<string>()
  readonly #known: LinkedPoint[] = [pointOf(FIRST)]
  readonly #names = new Map(START.map(({ key, name }) => [key, name]))
  readonly #id: string

  constructor(id: string, clockOffsetSec: number) {
    this.#id = id
    this.clockOffsetSec = clockOffsetSec
  }

  /** @returns whether the table accepted the edit */
  edit(edit: Edit, nowSec: number): boolean {
    if (edit.kind === 'add' && this.tombstones.has(edit.key)) return false
    try {
      if (edit.kind === 'set') this.#install(this.devices, withSetting(this.settings, edit.key, edit.value), nowSec)
      else {
        const devices = applyEdit(this.devices, edit)
        checkRoomToRotate(0, devices.length)
        this.#install(devices, this.settings, nowSec)
      }
    } catch (error) {
      if (error instanceof TableError || error instanceof BlobError) return false
      throw error
    }
    if (edit.kind === 'remove') this.tombstones.add(edit.key)
    const id = `${this.#id}${this.made.length}`
    const intent: Intent = { id, edit, atSec: nowSec + this.clockOffsetSec, published: pointOf(this.head) }
    this.intents.push(intent)
    this.made.push(intent)
    return true
  }

  /** The owner wants a removed device back: `device add --again`. */
  addAgain(edit: Extract<Edit, { kind: 'add' }>, nowSec: number): void {
    const had = this.tombstones.delete(edit.key)
    if (!this.edit(edit, nowSec) && had) this.tombstones.add(edit.key)
  }

  adopt(blob: VerifiedBlob, nowSec: number): void {
    const now = nowSec + this.clockOffsetSec
    const judged = judge(blob, { root, minEpoch: 0, head: this.head }, now)
    if (judged.verdict === 'refresh') {
      if (judged.later) this.head = blob
      return
    }
    if (judged.verdict !== 'accept' && !(judged.verdict === 'fork' && judged.wins)) return
    this.#take(blob)
    this.#replay(nowSec)
  }

  #replay(nowSec: number): void {
    const point = pointOf(this.head)
    const lacking = this.intents.filter(({ published }) => published?.tableHash !== point.tableHash)
    const { devices, settings, outcomes } = replayIntents(
      { ...point, timeSec: this.head.timeSec, devices: this.devices, settings: this.settings },
      lacking,
      {
        nowSec: nowSec + this.clockOffsetSec,
        tombstones: this.tombstones,
        ancestor: (prev) => this.#known.find(({ tableHash }) => tableHash.startsWith(prev)),
        fits: (list) => list.length <= 15,
      },
    )
    const replayed = new Set<string>()
    for (const end of outcomes) {
      if (end.outcome === 'replayed') {
        replayed.add(end.intent.id)
        continue
      }
      this.ended.set(end.intent.id, end.outcome === 'dropped' ? end.reason : end.outcome)
      this.intents = this.intents.filter(({ id }) => id !== end.intent.id)
    }
    if (replayed.size === 0) return
    this.#install(devices, settings, nowSec)
    const republished = pointOf(this.head)
    this.intents = this.intents.map((intent) =>
      replayed.has(intent.id) ? republishedWith(intent, republished) : intent,
    )
  }

  resign(nowSec: number): void {
    const again = resignBlob(this.head.bytes, nowSec + this.clockOffsetSec, (message) => ada.sign(0, message))
    this.head = verified(again)
  }

  #install(devices: readonly Device[], settings: Settings, nowSec: number): void {
    const prev = this.head.tableHash.subarray(0, PREV_BYTES)
    this.#take(sign(devices, settings, this.head.seq + 1, nowSec + this.clockOffsetSec, prev))
  }

  #take(blob: VerifiedBlob): void {
    this.head = blob
    this.devices = nameDevices(blob, (key) => this.#names.get(key))
    this.settings = blob.content.ok ? settingsOf(blob.content.document) : NO_SETTINGS
    for (const { key, name } of this.devices) this.#names.set(key, name)
    this.#known.push(pointOf(blob))
  }
}

type Step =
  | { readonly kind: Edit['kind'] | 'again'; readonly who: 0 | 1; readonly which: number; readonly name: string }
  | { readonly kind: 'meet' | 'hear' | 'resign'; readonly who: 0 | 1 }

const who = fc.constantFrom(0 as const, 1 as const)
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom<'add' | 'remove' | 'rename' | 'activate' | 'rekey' | 'set' | 'again'>(
        'add',
        'remove',
        'rename',
        'activate',
        'rekey',
        'set',
        'again',
      ),
      who,
      which: fc.nat({ max: 5 }),
      name: fc.constantFrom('a', 'b', 'c', 'A', 'd1'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('meet' as const, 'hear' as const, 'resign' as const), who }),
  },
)
const stories = fc.record({
  offsets: fc.tuple(fc.integer({ min: -5000, max: 5000 }), fc.integer({ min: -5000, max: 5000 })),
  steps: fc.array(steps, { maxLength: 16 }),
})

function editOf(step: Extract<Step, { which: number }>, sibling: Sibling, fresh: () => number): Edit {
  const listed = sibling.devices[step.which % Math.max(1, sibling.devices.length)]
  const key = listed?.key ?? makeDevice(0).key
  switch (step.kind) {
    case 'again':
    case 'add': {
      const back = [...sibling.tombstones][step.which]
      return { kind: 'add', key: step.kind === 'again' && back ? back : makeDevice(fresh()).key, name: step.name }
    }
    case 'remove':
      return { kind: 'remove', key }
    case 'rename':
      return { kind: 'rename', key, found: listed?.name ?? '', name: step.name }
    case 'activate':
      return { kind: 'activate', key, found: sibling.devices[0]?.key ?? key }
    case 'rekey':
      return { kind: 'rekey', key, newKey: makeDevice(fresh()).key }
    case 'set': {
      const setting = SETTING_KEYS[step.which % SETTING_KEYS.length]!
      return {
        kind: 'set',
        key: setting,
        found: sibling.settings[setting] ?? null,
        value: step.name === 'd1' ? null : step.name,
      }
    }
  }
}

interface Ending {
  readonly siblings: readonly [Sibling, Sibling]
  readonly rounds: number
}

function play({ offsets, steps: list }: { offsets: readonly [number, number]; steps: readonly Step[] }): Ending {
  const siblings = [new Sibling('a', offsets[0]), new Sibling('b', offsets[1])] as const
  let nextDevice = 10
  let nowSec = NOW_SEC
  for (const step of list) {
    nowSec += 100
    const [one, other] = [siblings[step.who], siblings[1 - step.who]!]
    if (step.kind === 'meet') settle(siblings, nowSec)
    else if (step.kind === 'hear') one.adopt(other.head, nowSec)
    else if (step.kind === 'resign') one.resign(nowSec)
    else if ('which' in step) {
      const edit = editOf(step, one, () => nextDevice++)
      if (step.kind === 'again' && edit.kind === 'add') one.addAgain(edit, nowSec)
      else one.edit(edit, nowSec)
    }
  }
  return { siblings, rounds: settle(siblings, nowSec + 100) }
}

/** The siblings show each other their heads until neither has news. */
function settle([a, b]: readonly [Sibling, Sibling], nowSec: number): number {
  for (let round = 0; ; round++) {
    const before = [a.head, b.head]
    b.adopt(a.head, nowSec)
    a.adopt(b.head, nowSec)
    if (a.head === before[0] && b.head === before[1]) return round
    if (round > 20) throw new Error('the siblings never come to an end')
  }
}

function hash({ head }: Sibling): string {
  return formatHex(head.tableHash)
}

describe('two siblings with offline edits', () => {
  it(
    'reach one table after showing each other their heads in few rounds',
    () => {
      let most = 0
      fc.assert(
        fc.property(stories, (story) => {
          const { siblings, rounds } = play(story)
          expect(hash(siblings[0])).toBe(hash(siblings[1]))
          expect(siblings[0].devices).toEqual(siblings[1].devices)
          expect(siblings[0].settings).toEqual(siblings[1].settings)
          most = Math.max(most, rounds)
        }),
        { numRuns: STORIES },
      )
      expect(most).toBeGreaterThanOrEqual(2)
      expect(most).toBeLessThanOrEqual(4)
    },
    STORIES * MS_EACH,
  )

  it(
    'keep out a device that was removed and not added again',
    () => {
      let removed = 0
      fc.assert(
        fc.property(stories, (story) => {
          const { siblings } = play(story)
          const all = siblings.flatMap(({ made }) => made)
          for (const { edit } of all) {
            if (edit.kind !== 'remove') continue
            const isWantedBack = all.some(({ edit: other }) => other.kind === 'add' && other.key === edit.key)
            if (isWantedBack) continue
            expect(siblings[0].devices.map(({ key }) => key)).not.toContain(edit.key)
            removed++
          }
        }),
        { numRuns: STORIES },
      )
      expect(removed).toBeGreaterThan(50)
    },
    STORIES * MS_EACH,
  )

  it(
    'lose no edit silently: the table shows it, a later edit overrules it, or the owner gets a notice',
    () => {
      const ways = new Map<string, number>()
      fc.assert(
        fc.property(stories, (story) => {
          const { siblings } = play(story)
          for (const sibling of siblings) {
            for (const intent of sibling.made) {
              const way = fate(intent, sibling, siblings)
              expect(way, JSON.stringify(intent)).not.toBe('LOST')
              ways.set(way, (ways.get(way) ?? 0) + 1)
            }
          }
        }),
        { numRuns: 2 * STORIES },
      )
      for (const way of ['shown', 'overtaken', 'superseded', 'DEVICE_GONE']) {
        expect(ways.get(way) ?? 0, way).toBeGreaterThan(3)
      }
    },
    2 * STORIES * MS_EACH,
  )
})

/** The final outcome of an intent. */
function fate(intent: Intent, by: Sibling, siblings: readonly Sibling[]): string {
  const { edit } = intent
  const end = by.ended.get(intent.id)
  const isSet = edit.kind === 'set' && isSameValue(by.settings[edit.key] ?? null, edit.value)
  if (isSet || (edit.kind !== 'set' && isShown(edit, by.devices))) return 'shown'
  // The sibling that made it got a notice, or saw a table that decided otherwise.
  if (end !== undefined && end !== 'kept') return end
  const later = by.made.slice(by.made.indexOf(intent) + 1)
  const others = siblings.filter((other) => other !== by).flatMap(({ made }) => made)
  return [...later, ...others].some((other) => touches(other.edit, edit)) ? 'overtaken' : 'LOST'
}

/** Whether one edit overrules another. */
function touches(edit: Edit, other: Edit): boolean {
  if (edit.kind === 'set' || other.kind === 'set') return edit.kind === other.kind && edit.key === other.key
  if (edit.kind === 'activate' && other.kind === 'activate') return true
  if (edit.kind === 'rename' && other.kind === 'rename') return edit.key === other.key
  const keys = other.kind === 'rekey' ? [other.key, other.newKey] : [other.key]
  if (edit.kind === 'remove' || edit.kind === 'rekey') return keys.includes(edit.key)
  return edit.kind === 'add' && keys.includes(edit.key)
}
