import { describe, expect, test } from 'vitest'
import { chunksOf, formatScanned, readObservations } from '../../../../src/cli/tox/scan.ts'
import type { OpenProfile } from '../../../../src/cli/tox/open.ts'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import type { ObservationParams, ObserveResult } from '../../../../src/ipc/shapes/judged.ts'
import { FRIEND_BYTES } from '../../../../src/tox/save/friends.ts'
import { SECTION_FRIENDS, sectionData, withSection, type ToxSave } from '../../../../src/tox/save/savefile.ts'
import { engine, nine, publicKeyOf } from '../../../support/tox-people.ts'

const OWN = formatHex(publicKeyOf(9))
const MTIME = 1_700_000_000

function opened(save: ToxSave): OpenProfile {
  const profile = {
    path: '/nine.tox',
    save,
    isEncrypted: false,
    fileMtimeSec: MTIME,
    owner: { uid: 0, gid: 0 },
    fileBytes: new Uint8Array(0),
  }
  return { file: 'nine.tox', profile, access: { engine }, key: OWN }
}

/** The same profile with one byte of one friend's record changed. */
function withByte(save: ToxSave, friend: number, at: number, value: number): ToxSave {
  const data = sectionData(save, SECTION_FRIENDS)!.slice()
  data[friend * FRIEND_BYTES + at] = value
  return withSection(save, SECTION_FRIENDS, data)
}

const STATUS = 0
const STATUS_TEXT = 1190

describe('the observations in a profile', () => {
  test('date each friend’s status message by the time the friend was last seen, and 0 for never', () => {
    const { observations, friends, source } = readObservations(opened(nine()), new Set())
    expect(source).toBe(`profile:${OWN}`)
    expect(friends).toBe(2)
    expect(observations).toEqual([
      { from: formatHex(publicKeyOf(1)), name: 'One', text: 'one here', seenAtSec: MTIME },
      { from: formatHex(publicKeyOf(2)), name: 'Two', text: '', seenAtSec: 0 },
    ])
  })

  test('leave out friends who have not accepted yet', () => {
    const { observations, friends } = readObservations(opened(withByte(nine(), 0, STATUS, 2)), new Set())
    expect(friends).toBe(1)
    expect(observations.map(({ name }) => name)).toEqual(['Two'])
  })

  test('include the own status message if the profile belongs to a device of the owner, dated by the file', () => {
    const { observations, friends } = readObservations(opened(nine()), new Set([OWN]))
    expect(friends).toBe(2)
    expect(observations[0]).toEqual({ from: OWN, name: 'Nine', text: 'at home', seenAtSec: MTIME })
    expect(observations).toHaveLength(3)
  })

  test('replace bytes that are not UTF-8, which breaks any token there', () => {
    const { observations } = readObservations(opened(withByte(nine(), 0, STATUS_TEXT, 0xff)), new Set())
    expect(observations[0]?.text).toBe('\u{FFFD}ne here')
  })

  test('report a record that Tox clients skip, without an observation', () => {
    const twice = sectionData(nine(), SECTION_FRIENDS)!
    const save = withSection(nine(), SECTION_FRIENDS, new Uint8Array([...twice, ...twice.subarray(0, FRIEND_BYTES)]))
    const { observations, skipped } = readObservations(opened(save), new Set())
    expect(observations).toHaveLength(2)
    expect(skipped).toEqual([{ key: formatHex(publicKeyOf(1)), problem: 'DUPLICATE_KEY' }])
  })
})

function one(text: string): ObservationParams {
  return { from: OWN, text }
}

/** How many observations go in each call. */
function sizes(count: number, maxCount: number): number[] {
  return chunksOf(
    Array.from({ length: count }, () => one('')),
    maxCount,
  ).map((chunk) => chunk.length)
}

describe('calls of a scan', () => {
  test.each([
    [0, []],
    [1, [1]],
    [255, [255]],
    [256, [256]],
    [257, [256, 1]],
    [512, [256, 256]],
  ] as const)('%i short observations go in calls of %j', (count, expected) => {
    expect(sizes(count, 256)).toEqual(expected)
  })

  test('are split further when texts grow in JSON, so that no call outgrows a frame', () => {
    const chunks = chunksOf(
      Array.from({ length: 256 }, () => one('\u{1}'.repeat(1007))),
      256,
    )
    expect(chunks.flat()).toHaveLength(256)
    expect(chunks.length).toBeGreaterThan(1)
    for (const chunk of chunks) expect(JSON.stringify(chunk).length).toBeLessThan(300_000)
  })
})

test('a persona that needs the owner’s decision does not count as a new contact', () => {
  const seen = { from: OWN, shown: 'valid', code: null, verdict: 'new', state: 'provisional', contact: 'One' } as const
  const line = (changes: ObserveResult['changes'], source: string | null = null): string =>
    formatScanned(
      {
        file: 'f',
        source,
        friends: 1,
        results: [{ ...seen, personaId: OWN, changes }],
        skipped: [],
        error: null,
      },
      new Map(),
    )[0]!
  expect(line([])).toBe('f: 1 friend, 1 shows a persona, 0 new contacts')
  // The owner's own profile is not a friend.
  expect(line([], `profile:${OWN}`)).toBe('f: 1 friend, no friend shows a persona yet, read your own table')
  expect(line(['upgraded'])).toBe('f: 1 friend, 1 shows a persona, 1 new contact')
})

test('a profile in which no friend shows a persona says so', () => {
  const profile = { file: 'f', source: null, friends: 3, results: [], skipped: [], error: null }
  expect(formatScanned(profile, new Map())).toEqual(['f: 3 friends, no friend shows a persona yet'])
  expect(formatScanned({ ...profile, friends: 0 }, new Map())).toEqual(['f: 0 friends'])
})
