import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { concatBytes } from '../../../../src/core/encoding/bytes.ts'
import { FRIEND_BYTES } from '../../../../src/tox/save/friends.ts'
import { SECTION_FRIENDS, withSection, type ToxSave } from '../../../../src/tox/save/savefile.ts'
import { confirmedStatuses, friendStatuses } from '../../../../src/tox/save/scan.ts'
import { codeOf, nine, publicKeyOf } from '../../../support/tox-people.ts'

const MTIME = 1_700_000_000

/** A profile whose records have these statuses and keys; a key may repeat. */
function profileOf(records: readonly { status: number; person: number }[]): ToxSave {
  const bytes = records.map(({ status, person }, i) => {
    const record = new Uint8Array(FRIEND_BYTES)
    record[0] = status
    record.set(publicKeyOf(person), 1)
    record[1060] = 65 + (i % 26)
    record[1189] = 1
    return record
  })
  return withSection(nine(), SECTION_FRIENDS, concatBytes(...bytes))
}

test('a friend list read piece by piece gives the same confirmed friends as a whole read', () => {
  const record = fc.record({ status: fc.integer({ min: 0, max: 4 }), person: fc.integer({ min: 1, max: 9 }) })
  fc.assert(
    fc.property(fc.array(record, { maxLength: 70, size: 'max' }), (records) => {
      const save = profileOf(records)
      const whole = friendStatuses(save, MTIME).statuses.filter(({ isConfirmed }) => isConfirmed)
      expect([...confirmedStatuses(save, MTIME)].flat()).toEqual(whole)
    }),
    { numRuns: 50 },
  )
})

test('pieces are small, and a list that ends within a record yields none', () => {
  const friends = Array.from({ length: 100 }, (_, i) => ({ status: 3, person: i + 10 }))
  const pieces = [...confirmedStatuses(profileOf(friends), MTIME)]
  expect(pieces.flat()).toHaveLength(100)
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(16)
  const cut = withSection(nine(), SECTION_FRIENDS, new Uint8Array(40 * FRIEND_BYTES + 1))
  expect(codeOf(() => confirmedStatuses(cut, MTIME).next())).toBe('TOX_FRIENDS_NOT_WHOLE')
})
