import type { Finding } from '../../../../src/ipc/shapes/doctor.ts'
import { describe, expect, test } from 'vitest'
import {
  describeLoss,
  judgeShown,
  needsWriting,
  findingOf,
  TOXIC_AWAY,
  wordsToKeep,
} from '../../../../src/daemon/profiles/shown.ts'
import { judgeText } from '../../../../src/ipc/shapes/judge-text.ts'
import type { OrderVerdict } from '../../../../src/ipc/shapes/judged.ts'
import type { OwnTable } from '../../../../src/ipc/shapes/own.ts'
import type { ShownTable, WatchedProfile } from '../../../../src/ipc/shapes/profiles.ts'
import { engine, person, START_SEC } from '../../../support/person.ts'

const me = person('Me')
const table = me.table(['laptop'])
const own: OwnTable = {
  personaId: me.id,
  epoch: 1,
  seq: 5,
  timeSec: START_SEC,
  named: true,
  devices: [],
  bytesFree: 0,
}

function judged(text: string, verdict: OrderVerdict | null): ShownTable['state'] {
  const known = { verdict: () => verdict, nickname: () => undefined }
  return judgeShown(text, judgeText(text, null, engine, START_SEC, known), own, () => null).state
}

describe('an own profile shows', () => {
  test.each<[OrderVerdict | null, ShownTable['state']]>([
    ['refresh', 'current'],
    ['stale', 'older'],
    ['fork', 'older'],
    ['accept', 'newer'],
    ['held', 'newer'],
    ['new', 'newer'],
    [null, 'newer'],
    ['violation', 'other'],
  ])('for the verdict %s on its own table: %s', (verdict, state) => {
    expect(judged(table.text(), verdict)).toBe(state)
  })

  test('"other" for another persona, with any verdict', () => {
    expect(judged(person('Zoe').table(['phone']).text(), 'refresh')).toBe('other')
  })

  test.each([
    ['', 'none'],
    ['hello', 'none'],
    ['persona: what a word', 'damaged'],
    [table.text().slice(0, 100), 'damaged'],
    [table.text().slice(0, -1), 'damaged'],
    [`${table.text()}\uFFFD`, 'damaged'],
    [`${table.text()} ${table.text()}`, 'damaged'],
  ])('for the text %j: %s', (text, state) => {
    expect(judged(text, null)).toBe(state)
  })
})

test('the words to keep contain no token, no fragment of one and no text of toxic', () => {
  const token = table.text()
  expect(wordsToKeep(`in the garden ${token}`, '')).toBe('in the garden')
  expect(wordsToKeep(`in the garden ${token.slice(0, 150)}\uFFFD`, '')).toBe('in the garden')
  expect(wordsToKeep('  on\nthe road ', 'before')).toBe('on\nthe road')
  expect(wordsToKeep(TOXIC_AWAY, 'before')).toBe('before')
  expect(wordsToKeep(` ${TOXIC_AWAY}`, '')).toBe('')
  expect(wordsToKeep('a\0b \uD800', '')).toBe('ab \uFFFD')
  expect(wordsToKeep('mypersona:abc', '')).toBe('mypersona:abc')
})

test('a long text of white space and prefixes is parsed without delay', () => {
  expect(wordsToKeep(`${' persona:'.repeat(20_000)}${' '.repeat(200_000)}x`, '')).toBe('x')
})

test.each<[ShownTable['state'], number, boolean, boolean]>([
  ['older', 0, false, true],
  ['damaged', 0, false, true],
  ['none', 0, true, true],
  ['none', 0, false, false],
  ['current', START_SEC, true, false],
  ['current', START_SEC - 1, true, true],
  ['newer', 0, true, false],
  ['other', 0, true, false],
  ['unread', 0, true, false],
])(
  'a profile that shows %s, signed at %i, having shown a table before: %s, is written: %s',
  (state, timeSec, had, is) => {
    expect(needsWriting({ state, epoch: null, seq: null, timeSec }, own, had)).toBe(is)
  },
)

test('a loss to toxic is described with the setting that prevents it, any other loss without', () => {
  const line = 'ui = { mplex_away=false; };'
  expect(describeLoss('/a.tox', TOXIC_AWAY, 'none', false, true)).toContain(line)
  expect(describeLoss('/a.tox', TOXIC_AWAY, 'none', false, true)).toContain('publish the table into it again')
  expect(describeLoss('/a.tox', 'words', 'none', true, true)).not.toContain('toxic')
  expect(describeLoss('/a.tox', 'words', 'damaged', true, true)).toContain(
    'the daemon writes it back as soon as no Tox client has the profile open',
  )
  expect(describeLoss('/a.tox', 'words', 'damaged', true, false)).toContain('the repair service writes it back')
})

describe('the finding for an own profile reports', () => {
  const view: WatchedProfile = {
    path: '/a.tox',
    key: null,
    device: 'laptop',
    encrypted: false,
    shows: null,
    checkedAtSec: 0,
    client: null,
    repair: null,
    problem: null,
  }

  function finding(state: ShownTable['state'], epoch: number | null = null, seq: number | null = null): Finding | null {
    return findingOf({ ...view, shows: { state, epoch, seq } }, 'words')
  }

  test('an older table, with its numbers beside the message', () => {
    expect(finding('older', 1, 3)).toMatchObject({
      code: 'PROFILE_OLDER',
      message: '/a.tox still shows an older table of yours',
      hint: 'publish the table into it',
      about: { path: '/a.tox', epoch: '1', seq: '3' },
    })
  })

  test("nothing if it shows the current table, cannot be read, or is not the owner's", () => {
    expect([finding('current', 1, 5), finding('unread'), findingOf(view, '')]).toEqual([null, null, null])
  })

  test('any other state, and the reason why the repair waits', () => {
    const states = ['none', 'damaged', 'newer', 'other'] as const
    expect(states.map((state) => finding(state)?.code)).toEqual([
      'PROFILE_SHOWS_NONE',
      'PROFILE_DAMAGED',
      'PROFILE_NEWER',
      'PROFILE_OTHER',
    ])
    const waiting = findingOf({ ...view, repair: 'toxic runs', shows: { state: 'none', epoch: null, seq: null } }, '')
    expect(waiting?.hint).toContain('as soon as possible (toxic runs)')
    const away = findingOf({ ...view, shows: { state: 'none', epoch: null, seq: null } }, TOXIC_AWAY)
    expect(away?.hint).toContain('mplex_away=false')
  })
})
