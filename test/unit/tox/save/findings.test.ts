import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../../../src/core/encoding/bytes.ts'
import { splitRecords } from '../../../../src/tox/save/edit.ts'
import { findingsOf } from '../../../../src/tox/save/findings.ts'
import { SECTION_FRIENDS, decodeSave, withSection, type ToxSave } from '../../../../src/tox/save/savefile.ts'
import { fixturesAbsence, plainFixtures, readFixture } from '../../../support/tox-fixtures.ts'
import { codeOf, nine, publicKeyOf } from '../../../support/tox-people.ts'

const one = splitRecords(nine())[0]!
const keyed = (key: Uint8Array): Uint8Array => concatBytes(one.subarray(0, 1), key, one.subarray(33))
const listing = (...records: Uint8Array[]): ToxSave => withSection(nine(), SECTION_FRIENDS, concatBytes(...records))

const CASES: readonly (readonly [string, ToxSave, string, RegExp])[] = [
  ['a foreign section', withSection(nine(), 99, Uint8Array.of(1)), 'TOX_FOREIGN_SECTION', /unknown type: we keep it/],
  ['no end mark', { ...nine(), tail: new Uint8Array(0) }, 'TOX_NO_END', /compare it with a backup/],
  [
    'a status over length',
    withSection(nine(), 5, new Uint8Array(1008)),
    'TOX_STATUS_TOO_LONG',
    /persona tox set FILE status/,
  ],
  ['an overlong name', withSection(nine(), 4, new Uint8Array(129)), 'TOX_NAME_TOO_LONG', /persona tox set FILE name/],
  ['a user status of 3', withSection(nine(), 6, Uint8Array.of(3)), 'TOX_BAD_USER_STATUS', /persona tox set FILE away/],
  ['an empty user status', withSection(nine(), 6, new Uint8Array(0)), 'TOX_BAD_USER_STATUS', /is empty, not 00/],
  ['a user status of two bytes', withSection(nine(), 6, Uint8Array.of(0, 0)), 'TOX_BAD_USER_STATUS', /0000/],
  ['a duplicate friend', listing(one, one), 'TOX_FRIEND_TWICE', /friend 1 repeats the key of an earlier friend/],
  ['the own key', listing(one, keyed(publicKeyOf(9))), 'TOX_FRIEND_OWN_KEY', /friend 1 has the profile's own key/],
  ['an invalid key', listing(keyed(new Uint8Array(32).fill(255))), 'TOX_BAD_FRIEND', /no valid key/],
  ['an overlong name in a friend record', listing(one.with(1188, 1)), 'TOX_BAD_FRIEND', /longer than its field/],
  ['invalid nodes', withSection(nine(), 10, Uint8Array.of(1)), 'TOX_BAD_NODES', /backup/],
  ['an invalid DHT', withSection(nine(), 2, Uint8Array.of(1)), 'TOX_BAD_NODES', /backup/],
  ['invalid paths', withSection(nine(), 11, Uint8Array.of(1)), 'TOX_BAD_NODES', /backup/],
  ['invalid conferences', withSection(nine(), 20, Uint8Array.of(9)), 'TOX_BAD_CONFERENCES', /backup/],
  ['invalid groups', withSection(nine(), 7, Uint8Array.of(9)), 'TOX_BAD_GROUPS', /backup/],
]

describe('findings have their own code and advice', () => {
  test.each(CASES)('%s', (_, save, code, message) => {
    const findings = findingsOf(save)
    expect(findings.map((finding) => finding.code)).toEqual([code])
    expect(findings[0]!.message).toMatch(message)
  })

  test('are empty for a sound profile', () => {
    expect(findingsOf(nine())).toEqual([])
  })

  test('are not made at all when the friend list ends within a record', () => {
    expect(codeOf(() => findingsOf(listing(new Uint8Array(1))))).toBe('TOX_FRIENDS_NOT_WHOLE')
  })

  test.skipIf(fixturesAbsence !== null)(`are empty for real profiles ${fixturesAbsence ?? ''}`, () => {
    for (const fixture of plainFixtures) expect(findingsOf(decodeSave(readFixture(fixture))), fixture.file).toEqual([])
    expect(plainFixtures).toHaveLength(10)
  })
})
