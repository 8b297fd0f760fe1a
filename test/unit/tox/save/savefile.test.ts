import { describe, expect, test } from 'vitest'
import { concatBytes, formatHex } from '../../../../src/core/encoding/bytes.ts'
import {
  MAX_PROFILE_BYTES,
  MAX_SECTIONS,
  SECTION_KEYS,
  SECTION_NAME,
  SECTION_STATUS_MESSAGE,
  decodeSave,
  encodeSave,
  readKeys,
  readName,
  readPublicKey,
  readStatusMessage,
  sectionData,
  withSection,
  type ToxSave,
} from '../../../../src/tox/save/savefile.ts'
import { fixturesAbsence, plainFixtures, readFixture } from '../../../support/tox-fixtures.ts'
import { codeOf, engine, nine, publicKeyOf } from '../../../support/tox-people.ts'

const HEAD = Uint8Array.of(0, 0, 0, 0, 0x1f, 0x1b, 0xed, 0x15)
const END = Uint8Array.of(0, 0, 0, 0, 255, 0, 0xce, 1)

/** A section whose head claims any length. */
function section(type: number, data: Uint8Array, claimed: number = data.length): Uint8Array {
  const head = new Uint8Array(8)
  const view = new DataView(head.buffer)
  view.setUint32(0, claimed, true)
  view.setUint16(4, type, true)
  view.setUint16(6, 0x01ce, true)
  return concatBytes(head, data)
}

const some = Uint8Array.of(1, 2, 3)

const manySections = (count: number): Uint8Array =>
  concatBytes(HEAD, ...Array.from({ length: count }, () => section(99, some)), END)
const withKeys = (data: Uint8Array): ToxSave => withSection(nine(), SECTION_KEYS, data)
const types = (save: ToxSave): number[] => save.sections.map(({ type }) => type)
const nameLength = (length: number): number =>
  readName(withSection(nine(), SECTION_NAME, new Uint8Array(length).fill(97))).text.length
const statusLength = (length: number): number =>
  readStatusMessage(withSection(nine(), SECTION_STATUS_MESSAGE, new Uint8Array(length).fill(97))).text.length

describe('every file that decodes encodes to the same bytes', () => {
  const FILES: readonly [string, Uint8Array][] = [
    ['a head alone', HEAD],
    ['the smallest file with an end', concatBytes(HEAD, END)],
    ['no end mark', concatBytes(HEAD, section(99, some))],
    ['slack after the end', concatBytes(HEAD, section(99, some), END, new Uint8Array(700))],
    ['slack that is not zeros', concatBytes(HEAD, END, some)],
    ['an end mark with a length', concatBytes(HEAD, section(255, some))],
    [
      'unknown sections, twice and in no order',
      concatBytes(HEAD, section(7, some), section(99, some), section(7, HEAD), END),
    ],
    ['empty sections', concatBytes(HEAD, section(5, new Uint8Array(0)), END)],
  ]
  test.each(FILES)('%s', (_, file) => {
    expect(formatHex(encodeSave(decodeSave(file)))).toBe(formatHex(file))
  })

  test.skipIf(fixturesAbsence !== null)(`real profiles ${fixturesAbsence ?? ''}`, () => {
    let ran = 0
    for (const fixture of plainFixtures) {
      const file = readFixture(fixture)
      const save = decodeSave(file)
      expect(Buffer.compare(encodeSave(save), file), fixture.file).toBe(0)
      expect(formatHex(readKeys(save, engine).publicKey)).toBe(fixture.publicKey)
      expect(readName(save)).toMatchObject({ text: fixture.name, isUtf8: true })
      if (fixture.status !== undefined) expect(readStatusMessage(save).text).toBe(fixture.status)
      if (fixture.bytes !== undefined) expect(file).toHaveLength(fixture.bytes)
      ran++
    }
    expect(ran).toBe(10)
  })
})

describe('what is not a profile has its own code', () => {
  const cookie = section(99, some)
  cookie[6] = 0xcf
  const REFUSED = [
    ['nothing, as uTox leaves it at some exits', new Uint8Array(0), 'TOX_EMPTY'],
    ['nothing but zeros, as after a crash', new Uint8Array(1143), 'TOX_EMPTY'],
    ['the save of a big-endian computer', Uint8Array.of(0, 0, 0, 0, 0x15, 0xed, 0x1b, 0x1f, 0), 'TOX_BIG_ENDIAN'],
    ['half a head', HEAD.subarray(0, 7), 'TOX_NOT_A_PROFILE'],
    ['another magic', concatBytes(HEAD.subarray(0, 7), Uint8Array.of(0x16)), 'TOX_NOT_A_PROFILE'],
    ['a head that does not begin with zeros', concatBytes(Uint8Array.of(1), HEAD.subarray(1)), 'TOX_NOT_A_PROFILE'],
    ['an encrypted profile', new TextEncoder().encode('toxEsave and so on'), 'TOX_ENCRYPTED'],
    ['half a section head', concatBytes(HEAD, END.subarray(0, 7)), 'TOX_TRUNCATED'],
    ['a section that ends early', concatBytes(HEAD, section(99, some, 4)), 'TOX_TRUNCATED'],
    ['a section that claims 4 GiB', concatBytes(HEAD, section(99, some, 0xffff_ffff)), 'TOX_TRUNCATED'],
    ['an end mark that claims 4 GiB', concatBytes(HEAD, section(255, some, 0xffff_ffff)), 'TOX_TRUNCATED'],
    ['bytes after the last section', concatBytes(HEAD, section(99, some), some), 'TOX_TRUNCATED'],
    ['a section without its cookie', concatBytes(HEAD, cookie, END), 'TOX_SECTION_COOKIE'],
    [
      'an end mark without its cookie',
      concatBytes(HEAD, Uint8Array.of(0, 0, 0, 0, 255, 0, 0, 0)),
      'TOX_SECTION_COOKIE',
    ],
    ['two status messages', concatBytes(HEAD, section(5, some), section(5, some), END), 'TOX_DUPLICATE_SECTION'],
    [
      'two friend lists',
      concatBytes(HEAD, section(3, some), section(99, some), section(3, some)),
      'TOX_DUPLICATE_SECTION',
    ],
  ] as const
  test.each(REFUSED)('%s', (_, file, code) => {
    expect(codeOf(() => decodeSave(file))).toBe(code)
  })

  test('a section may end with the file', () => {
    expect(codeOf(() => decodeSave(concatBytes(HEAD, section(99, some, 3))))).toBe('none')
  })

  test('the number of sections and the file size are bounded', () => {
    expect(codeOf(() => decodeSave(manySections(MAX_SECTIONS)))).toBe('none')
    expect(codeOf(() => decodeSave(manySections(MAX_SECTIONS + 1)))).toBe('TOX_TOO_LARGE')
    const large = new Uint8Array(MAX_PROFILE_BYTES + 1)
    large.set(concatBytes(HEAD, END))
    expect(codeOf(() => decodeSave(large.subarray(0, MAX_PROFILE_BYTES)))).toBe('none')
    expect(codeOf(() => decodeSave(large))).toBe('TOX_TOO_LARGE')
  })
})

describe('keys', () => {
  const keys = sectionData(nine(), SECTION_KEYS)!

  test('a public key that does not match the secret key is refused', () => {
    expect(formatHex(readKeys(nine(), engine).publicKey)).toBe(formatHex(publicKeyOf(9)))
    let ran = 0
    for (const at of [4, 35, 37, 66]) {
      const wrong = keys.slice()
      wrong[at]! ^= 8
      expect(
        codeOf(() => readKeys(withKeys(wrong), engine)),
        `byte ${at}`,
      ).toBe('TOX_BAD_KEYS')
      ran++
    }
    expect(ran).toBe(4)
  })

  test.each([0, 67, 69])('%i bytes are refused', (length) => {
    expect(codeOf(() => readPublicKey(withKeys(concatBytes(keys, some).slice(0, length))))).toBe('TOX_BAD_KEYS')
  })

  test('a profile without keys is refused', () => {
    expect(codeOf(() => readPublicKey(decodeSave(concatBytes(HEAD, END))))).toBe('TOX_NO_KEYS')
  })
})

describe('sections', () => {
  test('a replaced section keeps its place, an absent one goes where libtoxcore writes it', () => {
    const file = decodeSave(concatBytes(HEAD, ...[1, 2, 3, 6, 10, 20].map((type) => section(type, some)), END))
    expect(types(withSection(file, 3, HEAD))).toEqual([1, 2, 3, 6, 10, 20])
    expect(types(withSection(file, 5, HEAD))).toEqual([1, 2, 3, 5, 6, 10, 20])
    expect(types(withSection(file, 99, HEAD))).toEqual([1, 2, 3, 6, 10, 20, 99])
    expect(types(withSection(decodeSave(concatBytes(HEAD, section(20, some))), 5, HEAD))).toEqual([5, 20])
    expect(types(file)).toEqual([1, 2, 3, 6, 10, 20])
  })

  test('a name or status message over its limit is empty, as libtoxcore reads it', () => {
    expect([127, 128, 129].map(nameLength)).toEqual([127, 128, 0])
    expect([1006, 1007, 1008].map(statusLength)).toEqual([1006, 1007, 0])
  })

  test('text that is not UTF-8 keeps its bytes and is marked', () => {
    const data = Uint8Array.of(0x61, 0xff, 0x62)
    expect(readName(withSection(nine(), SECTION_NAME, data))).toEqual({ bytes: data, text: 'a\uFFFDb', isUtf8: false })
  })
})
