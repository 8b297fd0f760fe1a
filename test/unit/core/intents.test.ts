import { describe, expect, it } from 'vitest'
import { BlobError, TableError } from '../../../src/core/errors.ts'
import { mayDescend, type LinkedPoint, type TablePoint } from '../../../src/core/order.ts'
import { applyEdit, type DeviceEdit, type Edit } from '../../../src/core/edit.ts'
import {
  MAX_POINTS_BETWEEN,
  replayIntents,
  republishedWith,
  type Intent,
  type ReplayContext,
  type ReplayHead,
} from '../../../src/core/intents.ts'
import type { Device } from '../../../src/core/table.ts'
import { makeDevice, NOW_SEC } from '../../support/made-persona.ts'

const [laptop, phone, tablet, desktop] = [makeDevice(0), makeDevice(1), makeDevice(2), makeDevice(3)]

/** A table of which only the position matters; T begins with its name. */
function point(name: string, seq: number, before: LinkedPoint | string = 'nothing', epoch = 0): LinkedPoint {
  const hash = (text: string): string => Buffer.from(text.padEnd(32, '.')).toString('hex').toUpperCase()
  const prev = typeof before === 'string' ? hash(before) : before.tableHash
  return { epoch, seq, tableHash: hash(name), prev: prev.slice(0, 32) }
}

function context(known: readonly LinkedPoint[] = [], more: Partial<ReplayContext> = {}): ReplayContext {
  return {
    nowSec: NOW_SEC,
    tombstones: new Set(),
    ancestor: (prev) => known.find(({ tableHash }) => tableHash.startsWith(prev)),
    fits: (devices) => devices.length <= 15,
    ...more,
  }
}

function headOf(at: LinkedPoint, devices: readonly Device[] = [], timeSec = NOW_SEC): ReplayHead {
  return { ...at, timeSec, devices, settings: {} }
}

function intentsOf(published: TablePoint | null, ...edits: readonly Edit[]): Intent[] {
  return edits.map((edit, i) => ({ id: String(i), edit, atSec: NOW_SEC, published }))
}

function replay(head: ReplayHead, intents: readonly Intent[], on: ReplayContext): [readonly Device[], ...string[]] {
  const { devices, outcomes } = replayIntents(head, intents, on)
  expect(outcomes.map(({ intent }) => intent.id)).toEqual(intents.map(({ id }) => id))
  return [devices, ...outcomes.map((end) => (end.outcome === 'dropped' ? end.reason : end.outcome))]
}

const add = (device: Device): DeviceEdit => ({ kind: 'add', ...device })
const remove = (device: Device): DeviceEdit => ({ kind: 'remove', key: device.key })
const rekey = (device: Device, to: Device): DeviceEdit => ({ kind: 'rekey', key: device.key, newKey: to.key })

describe('a head may descend from a table', () => {
  const base = point('base', 4)
  const own = point('own', 5, base)
  const rival = point('rival', 5, base)
  const after = point('after', 6, own)
  const rivalAfter = point('rival after', 6, rival)
  const known = context([base, own, rival, after, rivalAfter])
  it.each([
    ['if it is the head itself', own, own, true],
    ['if it is the predecessor', after, own, true],
    ['if it is two steps before', point('x', 7, after), own, true],
    ['not if it has the same seq', rival, own, false],
    ['not if the chain leads to a rival', rivalAfter, own, false],
    ['not if a longer chain leads to a rival', point('x', 7, rivalAfter), own, false],
    ['not if the table is later', base, own, false],
    ['if a predecessor was never seen', point('x', 7, 'unseen'), own, true],
    ['if a table farther back was never seen', point('x', 8, point('y', 7, 'unseen')), own, true],
    [
      'not if only the table itself could be the unseen predecessor, and it is not',
      point('x', 6, 'unseen'),
      own,
      false,
    ],
    ['if seq jumped over the table', point('x', 1006, 'unseen'), own, true],
    ['not if seq jumped from a table before it', point('x', 1006, base), own, false],
    ['of an earlier epoch if a predecessor was never seen', point('x', 1, 'unseen', 1), own, true],
    ['of an earlier epoch if the chain leads to it', point('x', 1, own, 1), own, true],
    ['not of an earlier epoch if the chain leads to a rival', point('x', 1, rival, 1), own, false],
  ])('%s', (_, head, table, expected) => {
    const on = head.seq === 8 ? context([base, own, point('y', 7, 'unseen')]) : known
    expect(mayDescend(headOf(head), table, on)).toBe(expected)
  })

  it('never from one that was not published', () => {
    expect(mayDescend(headOf(after), null, known)).toBe(false)
  })

  it('and the answer comes even if a wrong index forms a cycle', () => {
    const liar = context([], { ancestor: () => point('liar', 9, 'liar') })
    expect(mayDescend(headOf(point('x', 9, 'liar')), own, liar)).toBe(true)
    const two = [point('a', 8, 'b'), point('b', 8, 'a')]
    expect(mayDescend(headOf(point('x', 9, 'a')), own, context(two))).toBe(true)
  })
})

describe('an intent to add', () => {
  const base = point('base', 4)
  const own = point('own', 5, base)
  const rival = point('rival', 5, base)
  const known = context([base, own, rival])

  it('is replayed if it was never published', () => {
    expect(replay(headOf(rival, [laptop]), intentsOf(null, add(phone)), known)).toEqual([[laptop, phone], 'replayed'])
  })

  it('is not replayed after a sibling removed the device, even if the sibling knew the device only from a replay', () => {
    const again = point('again', 6, rival)
    const removed = headOf(point('removed', 7, again), [laptop])
    const on = context([base, own, rival, again])
    const [intent] = intentsOf(own, add(phone))
    // With the first table alone the device would come back, since the chain leads past that table.
    expect(mayDescend(removed, own, on)).toBe(false)
    expect(replay(removed, [{ ...intent!, republished: again }], on)).toEqual([[laptop], 'REMOVED_BY_SIBLING'])
    expect(replay(removed, [{ ...intent!, republished: null }], on)).toEqual([[laptop, phone], 'replayed'])
  })

  it('is not replayed either if the sibling knew it from an earlier replay, and this device has replayed it onto another head since', () => {
    const again = point('again', 6, rival)
    const other = point('other', 6, rival)
    const onOther = point('on other', 7, other)
    const removed = headOf(point('removed', 7, again), [laptop])
    const on = context([base, own, rival, again, other, onOther])
    const [intent] = intentsOf(own, add(phone))
    const replayedTwice = republishedWith(republishedWith(intent!, again), onOther)
    expect(replay(removed, [replayedTwice], on)).toEqual([[laptop], 'REMOVED_BY_SIBLING'])
  })

  it('remembers its first table, its last one, and the newest of those between', () => {
    const points = Array.from({ length: MAX_POINTS_BETWEEN + 3 }, (_, i) => point(`p${i}`, 10 + i))
    const [intent] = intentsOf(own, add(phone))
    const { published, between, republished } = points.reduce(republishedWith, intent!)
    expect([published, republished, between]).toEqual([own, points.at(-1), points.slice(2, -1)])
  })

  it.each([
    [14, 'replayed'],
    [15, 'TABLE_FULL'],
    [20, 'TABLE_FULL'],
  ])('to a table of %i devices has the outcome %s', (count, outcome) => {
    const devices = Array.from({ length: count }, (_, i) => makeDevice(100 + i))
    expect(replay(headOf(rival, devices), intentsOf(own, add(phone)), known)[1]).toBe(outcome)
  })

  it('never goes beyond 20 devices, whatever the caller accepts as fitting', () => {
    const devices = Array.from({ length: 20 }, (_, i) => makeDevice(100 + i))
    const roomy = context([base, own, rival], { fits: () => true })
    expect(replay(headOf(rival, devices.slice(1)), intentsOf(own, add(phone)), roomy)[1]).toBe('replayed')
    expect(replay(headOf(rival, devices), intentsOf(own, add(phone)), roomy)[1]).toBe('TABLE_FULL')
  })

  it('for two devices with one nickname gives the second a suffix', () => {
    const twin = { ...tablet, name: 'PHONE' }
    const [devices] = replay(
      headOf(rival, [twin]),
      intentsOf(own, add(phone), add({ ...desktop, name: 'phone' })),
      known,
    )
    expect(devices.map(({ name }) => name)).toEqual(['PHONE', 'phone-2', 'phone-3'])
  })

  it('followed by a removal here ends without the device', () => {
    const on = { ...known, tombstones: new Set([phone.key]) }
    const intents = intentsOf(own, add(phone), remove(phone))
    expect(replay(headOf(rival, [laptop]), intents, on)).toEqual([[laptop], 'superseded', 'kept'])
    expect(replay(headOf(rival, [laptop, phone]), intents, on)).toEqual([[laptop], 'kept', 'replayed'])
  })
})

describe('an intent to remove', () => {
  const own = point('own', 5, point('base', 4))
  const rival = point('rival', 5, 'base')

  it('is replayed, unless the head’s writer surely knew the removal and listed the device again', () => {
    const ends = [rival, point('far', 99, 'unseen'), point('after', 6, own)].map((head) =>
      replay(headOf(head, [laptop, phone], NOW_SEC + 9999), intentsOf(own, remove(phone)), context([own])),
    )
    expect(ends).toEqual([
      [[laptop], 'replayed'],
      [[laptop], 'replayed'],
      [[laptop, phone], 'superseded'],
    ])
  })

  it('is not replayed onto a table with the device if the owner added the device again here', () => {
    const readded = point('readded', 6, own)
    const sibling = headOf(point('sibling', 7, readded), [phone, laptop])
    const intents = [...intentsOf(own, remove(phone)), ...intentsOf(readded, add(phone))]
    expect(replay(sibling, intents, context([own, readded]))).toEqual([[phone, laptop], 'superseded', 'kept'])
  })

  it('is not replayed either if a rekey brought the key back, but a later removal is', () => {
    const head = headOf(rival, [laptop, phone])
    const back = intentsOf(own, remove(phone), rekey(tablet, phone))
    expect(replay(head, back, context())).toEqual([[laptop, phone], 'superseded', 'kept'])
    const last = intentsOf(own, add(phone), remove(phone))
    expect(replay(head, last, context())).toEqual([[laptop], 'kept', 'replayed'])
  })

  it('may leave an empty table', () => {
    expect(replay(headOf(rival, [phone]), intentsOf(own, remove(phone)), context())).toEqual([[], 'replayed'])
  })
})

describe('an intent to rename or to activate', () => {
  const own = point('own', 5, 'base')
  const rival = point('rival', 5, 'base')
  const rename = (name: string, found = 'laptop'): Edit => ({ kind: 'rename', key: laptop.key, found, name })
  const activate: Edit = { kind: 'activate', key: phone.key, found: laptop.key }
  const renamed = { ...laptop, name: 'theirs' }

  it.each([
    ['a second before', 0, NOW_SEC - 1, 'replayed'],
    ['in the same second', 0, NOW_SEC, 'superseded'],
    ['a second later', 0, NOW_SEC + 1, 'superseded'],
    ['before, by this clock, while the intent has a time ahead of this clock', 5000, NOW_SEC + 1, 'superseded'],
  ])('is decided against a sibling that made such an edit %s', (_, aheadSec, headTimeSec, outcome) => {
    const dated = (edit: Edit): Intent[] => intentsOf(own, edit).map((one) => ({ ...one, atSec: NOW_SEC + aheadSec }))
    const names = headOf(rival, [renamed, phone, tablet], headTimeSec)
    expect(replay(names, dated(rename('mine')), context())[1]).toBe(outcome)
    const order = headOf(rival, [tablet, laptop, phone], headTimeSec)
    expect(replay(order, dated(activate), context())[1]).toBe(outcome)
  })

  it('is replayed if the head still shows the value that it replaced, whatever the clocks say', () => {
    const head = headOf(rival, [laptop, phone], NOW_SEC + 9999)
    expect(replay(head, intentsOf(own, rename('mine'), activate), context())).toEqual([
      [phone, { ...laptop, name: 'mine' }],
      'replayed',
      'replayed',
    ])
  })

  it('that leads back to the head’s value gives no new table to sign', () => {
    const head = headOf(rival, [{ ...laptop, name: 'c' }, phone], NOW_SEC - 60)
    expect(replay(head, intentsOf(own, rename('b'), rename('c', 'b')), context())).toEqual([
      head.devices,
      'kept',
      'kept',
    ])
    const suffixed = headOf(
      rival,
      [
        { ...laptop, name: 'x-2' },
        { ...phone, name: 'x' },
      ],
      NOW_SEC - 60,
    )
    expect(replay(suffixed, intentsOf(own, rename('x')), context())).toEqual([suffixed.devices, 'kept'])
  })

  it('to a nickname that a sibling gave to another device gets a suffix', () => {
    const head = headOf(rival, [laptop, { ...phone, name: 'Mine' }])
    expect(replay(head, intentsOf(own, rename('mine')), context())[0][0]!.name).toBe('mine-2')
  })

  it('is dropped if the device is gone, even if a replay just removed it', () => {
    expect(replay(headOf(rival, [phone]), intentsOf(own, rename('x')), context())).toEqual([[phone], 'DEVICE_GONE'])
    const both = intentsOf(own, remove(phone), activate)
    expect(replay(headOf(rival, [laptop, phone]), both, context())).toEqual([[laptop], 'replayed', 'DEVICE_GONE'])
  })
})

describe('a value that a sibling knew and changed', () => {
  const own = point('own', 5, 'base')
  const middle = point('middle', 6, own)
  const edits: readonly Edit[] = [
    { kind: 'rename', key: laptop.key, found: 'laptop', name: 'mine' },
    { kind: 'activate', key: phone.key, found: laptop.key },
    rekey(tablet, desktop),
  ]
  const devices = [laptop, phone, tablet]

  it('is not set again, even if the head shows the replaced value and all clocks favour it', () => {
    for (const head of [point('x', 6, own), point('x', 7, middle)]) {
      for (const edit of edits) {
        const ended = replay(headOf(head, devices, 1), intentsOf(own, edit), context([own, middle]))
        expect(ended).toEqual([devices, 'superseded'])
      }
    }
  })

  it('is not set again either if the sibling knew it only from a replay', () => {
    const again = point('again', 6, point('rival', 5, 'base'))
    for (const edit of edits) {
      const [intent] = intentsOf(own, edit)
      const known = context([own, again])
      const head = headOf(point('x', 7, again), devices, 1)
      expect(replay(head, [{ ...intent!, republished: again }], known)[1]).toBe('superseded')
      expect(replay(head, [intent!], known)[1]).toBe('replayed')
    }
  })

  it('is set again if a table in between was never seen and the head shows the replaced value', () => {
    for (const edit of edits) {
      const head = headOf(point('x', 9, 'unseen'), devices)
      expect(replay(head, intentsOf(own, edit), context([own]))[1]).toBe('replayed')
    }
  })
})

describe('an intent to rekey', () => {
  const own = point('own', 5, 'base')
  const rival = point('rival', 5, 'base')
  it.each([
    ['the old key alone', [laptop, phone], 'replayed', [laptop, { name: 'phone', key: tablet.key }]],
    ['the new key alone', [laptop, tablet], 'kept', [laptop, tablet]],
    ['both keys', [phone, tablet], 'KEY_LISTED', [phone, tablet]],
    ['neither key', [laptop], 'DEVICE_GONE', [laptop]],
  ] as const)('onto a head with %s', (_, devices, outcome, after) => {
    expect(replay(headOf(rival, devices), intentsOf(own, rekey(phone, tablet)), context())).toEqual([after, outcome])
  })

  it('applies after an add of the old key', () => {
    const intents = intentsOf(own, add(phone), rekey(phone, tablet))
    const [devices, ...ends] = replay(headOf(rival, [laptop]), intents, context())
    expect(devices).toEqual([laptop, { name: 'phone', key: tablet.key }])
    expect(ends).toEqual(['replayed', 'replayed'])
  })
})

describe('a device that the owner rekeyed and then removed here', () => {
  const base = point('base', 4)
  const own = point('own', 5, base)
  const last = point('last', 6, own)
  const rival = point('rival', 7, base)
  const on = context([base, own, last, rival], { tombstones: new Set([tablet.key]) })
  const [given, removed] = [
    intentsOf(own, rekey(phone, tablet))[0]!,
    { ...intentsOf(last, remove(tablet))[0]!, id: '1' },
  ]

  it('stays out under its old key too, after a head that lists neither key', () => {
    const without = replayIntents(headOf(rival, [laptop]), [given, removed], on)
    expect(without.outcomes).toEqual([
      { intent: given, outcome: 'kept' },
      { intent: removed, outcome: 'kept' },
    ])
    const unaware = headOf(point('unaware', 8, rival), [laptop, phone])
    expect(replay(unaware, [given, removed], on)).toEqual([[laptop], 'replayed', 'replayed'])
  })

  it('comes back under its old key if the owner adds it again', () => {
    const again = { ...intentsOf(point('again', 7, last), add(phone))[0]!, id: '2' }
    const head = headOf(rival, [laptop, phone])
    expect(replay(head, [given, removed, again], on)).toEqual([[laptop, phone], 'superseded', 'kept', 'kept'])
  })
})

describe('an edit', () => {
  it('that the table refuses gives a typed error, never a broken table', () => {
    const edits: readonly DeviceEdit[] = [
      add(laptop),
      remove(phone),
      { kind: 'rename', key: phone.key, found: '', name: 'x' },
      { kind: 'activate', key: phone.key, found: '' },
      rekey(phone, tablet),
      add({ ...phone, name: '\u202e' }),
    ]
    const refused = edits.filter((edit) => {
      try {
        applyEdit([laptop], edit)
        return false
      } catch (error) {
        return error instanceof TableError || error instanceof BlobError
      }
    })
    expect(refused.length).toBe(6)
  })
})

describe('the table noted in an intent that the head shows', () => {
  const base = point('base', 4)
  const own = point('own', 5, base)
  const chain = Array.from({ length: 40 }, (_, i) => i + 6).reduce<LinkedPoint[]>(
    (points, seq) => [...points, point(`later ${seq}`, seq, points.at(-1))],
    [own],
  )
  const kept = (head: LinkedPoint, edit: Edit, devices: readonly Device[], known: readonly LinkedPoint[]): Intent => {
    const { outcomes } = replayIntents(headOf(head, devices), intentsOf(own, edit), context(known))
    expect(outcomes[0]!.outcome).toBe('kept')
    return outcomes[0]!.intent
  }

  it.each([
    [6, false],
    [own.seq + 31, false],
    [own.seq + 32, true],
  ])('is replaced by a new one once it lies 32 tables back: at seq %s', (seq, isNoted) => {
    const head = chain.find((one) => one.seq === seq)!
    const { settled, republished } = kept(head, add(phone), [laptop, phone], chain)
    expect(settled).toBe(true)
    expect(republished?.seq).toBe(isNoted ? seq : undefined)
  })

  it('is the head if a sibling made the same edit, but never a head whose writer did not know the device', () => {
    const rival = point('rival', 5, base)
    expect(kept(rival, add(phone), [laptop, phone], [base, own])).toMatchObject({ republished: { seq: 5 } })
    expect(kept(rival, add(phone), [laptop, phone], [base, own])).not.toHaveProperty('settled')
    expect(kept(rival, remove(phone), [laptop], [base, own])).toEqual(intentsOf(own, remove(phone))[0])
  })
})
