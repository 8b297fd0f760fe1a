import { describe, expect, test } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { formatToxId, parseToxId, parseToxPk } from '../../../../src/tox/save/address.ts'
import { decodeSave, readKeys } from '../../../../src/tox/save/savefile.ts'
import { fixturesAbsence, plainFixtures, readFixture } from '../../../support/tox-fixtures.ts'
import { codeOf, engine, publicKeyOf } from '../../../support/tox-people.ts'

const publicKey = publicKeyOf(1)
const id = formatToxId({ publicKey, nospam: Uint8Array.of(0xde, 0xad, 0xbe, 0xef) })

describe('a Tox ID', () => {
  test('parses from its text in either case', () => {
    expect(id).toMatch(/^[0-9A-F]{76}$/)
    for (const text of [id, id.toLowerCase()]) {
      expect(parseToxId(text)).toEqual({ publicKey, nospam: Uint8Array.of(0xde, 0xad, 0xbe, 0xef) })
      expect(parseToxPk(text)).toEqual(publicKey)
    }
  })

  test('is refused when any digit is changed', () => {
    let ran = 0
    for (let at = 0; at < id.length; at++) {
      const text = id.slice(0, at) + (id[at] === '0' ? '1' : '0') + id.slice(at + 1)
      expect(
        codeOf(() => parseToxPk(text)),
        `digit ${at}`,
      ).toBe('TOX_BAD_ID')
      ran++
    }
    expect(ran).toBe(76)
  })

  test.each(['', id.slice(0, 75), `${id}0`, `${id.slice(0, 75)}g`, ` ${id}`])('is refused when it is %j', (text) => {
    expect(codeOf(() => parseToxId(text))).toBe('TOX_BAD_ID')
    expect(codeOf(() => parseToxPk(text))).toBe('TOX_BAD_ID')
  })

  test('is refused when its checksum is cut off', () => {
    expect(codeOf(() => parseToxId(formatHex(publicKey)))).toBe('TOX_BAD_ID')
    expect(parseToxPk(formatHex(publicKey))).toEqual(publicKey)
    expect(codeOf(() => parseToxPk(`${formatHex(publicKey)}00`))).toBe('TOX_BAD_ID')
  })

  test.skipIf(fixturesAbsence !== null)(`equals what libtoxcore shows ${fixturesAbsence ?? ''}`, () => {
    let ran = 0
    for (const fixture of plainFixtures) {
      if (fixture.address === undefined) continue
      expect(formatToxId(readKeys(decodeSave(readFixture(fixture)), engine))).toBe(fixture.address)
      ran++
    }
    expect(ran).toBe(9)
  })
})
