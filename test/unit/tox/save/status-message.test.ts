import { describe, expect, test } from 'vitest'
import { MAX_STATUS_BYTES } from '../../../../src/core/limits.ts'
import { withStatusMessage } from '../../../../src/tox/save/status-message.ts'
import {
  SECTION_KEYS,
  SECTION_STATUS_MESSAGE,
  decodeSave,
  encodeSave,
  readStatusMessage,
} from '../../../../src/tox/save/savefile.ts'
import { fixturesAbsence, plainFixtures, readFixture } from '../../../support/tox-fixtures.ts'
import { codeOf, nine } from '../../../support/tox-people.ts'

describe('publishing', () => {
  test('changes the status message and nothing else', () => {
    const before = nine()
    const after = withStatusMessage(before, 'На зв’язку ☕')
    expect(readStatusMessage(after).text).toBe('На зв’язку ☕')
    const others = (save: typeof before): unknown => save.sections.filter(({ type }) => type !== SECTION_STATUS_MESSAGE)
    expect(others(after)).toEqual(others(before))
    expect(after.tail).toEqual(before.tail)
    expect(readStatusMessage(before).text).toBe('at home')
  })

  test('is bounded in bytes, not characters', () => {
    expect(codeOf(() => withStatusMessage(nine(), 'x'.repeat(MAX_STATUS_BYTES)))).toBe('none')
    expect(codeOf(() => withStatusMessage(nine(), 'x'.repeat(MAX_STATUS_BYTES + 1)))).toBe('TOX_STATUS_TOO_LONG')
    expect(codeOf(() => withStatusMessage(nine(), 'é'.repeat(MAX_STATUS_BYTES / 2)))).toBe('none')
    expect(codeOf(() => withStatusMessage(nine(), 'é'.repeat(MAX_STATUS_BYTES / 2) + 'x'))).toBe('TOX_STATUS_TOO_LONG')
  })

  test.each(['a\0b', '\uD83D', '\uDE80x'])('refuses a text that friends would see altered', (text) => {
    expect(codeOf(() => withStatusMessage(nine(), text))).toBe('TOX_TEXT_INVALID')
  })

  test('may remove the status message', () => {
    expect(readStatusMessage(withStatusMessage(nine(), '')).bytes).toHaveLength(0)
  })

  test('refuses a profile without keys', () => {
    const save = nine()
    const nobody = { ...save, sections: save.sections.filter(({ type }) => type !== SECTION_KEYS) }
    expect(codeOf(() => withStatusMessage(nobody, 'x'))).toBe('TOX_NO_KEYS')
  })

  test.skipIf(fixturesAbsence !== null)(`the old text again restores the old file ${fixturesAbsence ?? ''}`, () => {
    let ran = 0
    for (const fixture of plainFixtures) {
      const file = readFixture(fixture)
      const published = decodeSave(encodeSave(withStatusMessage(decodeSave(file), 'for a moment')))
      const old = readStatusMessage(decodeSave(file)).text
      expect(Buffer.compare(encodeSave(withStatusMessage(published, old)), file), fixture.file).toBe(0)
      ran++
    }
    expect(ran).toBe(10)
  })
})
