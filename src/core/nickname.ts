/**
 * Nicknames of devices: which texts are allowed, and when two are the same (docs/format.md, section 12).
 *
 * A nickname has 1..32 code points and at most 64 bytes of UTF-8 and is in NFC. It neither begins nor ends with U+0020. It does
 * not begin with a combining mark (General_Category M), which would be drawn over the text before it. All facts are those of
 * Unicode 16.0. Refused are code points that 16.0 does not assign, the categories Cc, Cf, Cs, Co, Zl, Zp and Zs (except U+0020),
 * code points with Default_Ignorable_Code_Point or Bidi_Control, and two symbols that draw nothing, U+2800 and U+1D159. Three
 * default-ignorable code points are allowed, but only where a script or an emoji needs them. "Emoji" is a code point with both
 * Emoji and Extended_Pictographic; "virama" is one whose Indic_Syllabic_Category is Virama.
 *
 * - U+200C ZERO WIDTH NON-JOINER: directly after a virama; or directly after a code point whose Joining_Type is D or L and
 *   directly before one whose Joining_Type is D or R.
 * - U+200D ZERO WIDTH JOINER: directly after a virama; or directly before a virama and not first; or directly before an emoji
 *   and directly after another, between which and the joiner one of U+FE0F and U+1F3FB..U+1F3FF may stand.
 * - U+FE0F VARIATION SELECTOR-16: directly after an emoji; or directly after one of 0-9, # and * and directly before U+20E3.
 *
 * Some texts use other variation selectors, tag sequences (three flags) and Mongolian selectors. They are refused.
 *
 * Two nicknames are the same when their keys are equal: remove the three code points above, then NFC, full case folding (C and
 * F of CaseFolding.txt), NFC. So two devices never differ only by invisible characters.
 */
import { BlobError, type NicknameErrorCode } from './errors.ts'
import { MAX_NICKNAME_BYTES, MAX_NICKNAME_CODE_POINTS } from './limits.ts'
import {
  EMOJI,
  foldCase,
  isIn,
  JOINS_NEXT,
  JOINS_PREVIOUS,
  MARKS,
  normalizeNfc,
  REFUSED,
  UNASSIGNED,
  VIRAMAS,
} from './unicode/unicode.ts'

const SPACE = 0x20
const TILDE = 0x7e // the last printable character of ASCII
const ZWNJ = 0x200c
const ZWJ = 0x200d
const VS16 = 0xfe0f
const KEYCAP = 0x20e3
const NONE = -1 // before the first code point and after the last; in no set

/**
 * Checks that a text is a nickname and returns it.
 * @throws {BlobError} NICKNAME_EMPTY | NICKNAME_TOO_LONG | NICKNAME_CHARACTER | NICKNAME_UNASSIGNED | NICKNAME_SPACES | NICKNAME_NOT_NFC
 */
export function checkNickname(text: string): string {
  if (text === '') throw refusal('NICKNAME_EMPTY', text, 'a nickname has at least one character')
  if (!isPrintableAscii(text)) checkCodePoints(text)
  else if (text.length > MAX_NICKNAME_CODE_POINTS) throw tooLong(text)
  if (text.charCodeAt(0) === SPACE || text.charCodeAt(text.length - 1) === SPACE) {
    throw refusal('NICKNAME_SPACES', text, 'a nickname neither begins nor ends with a space')
  }
  return text
}

/**
 * Checks every nickname of one table, and that {@link foldNickname} gives a different key for each.
 * @throws {BlobError} NICKNAME_TWICE, and the errors of {@link checkNickname}
 */
export function checkNicknames(names: readonly string[]): void {
  const keys = new Set<string>()
  for (const name of names) {
    const key = foldNickname(checkNickname(name))
    if (keys.has(key)) {
      throw refusal('NICKNAME_TWICE', name, 'another in the table differs only by case and invisible characters')
    }
    keys.add(key)
  }
}

/** The key under which a nickname is unique in its table: without joiners and selectors, NFC, full case folding, NFC. */
export function foldNickname(text: string): string {
  if (isPrintableAscii(text)) return text.toLowerCase()
  return normalizeNfc(foldCase(normalizeNfc(text.replaceAll(/\u200c|\u200d|\ufe0f/g, ''))))
}

function isPrintableAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < SPACE || unit > TILDE) return false
  }
  return true
}

function checkCodePoints(text: string): void {
  // A code point takes at most two UTF-16 units, so a longer text needs no further look.
  if (text.length > 2 * MAX_NICKNAME_CODE_POINTS) throw tooLong(text)
  const codePoints = Array.from(text, (character) => character.codePointAt(0)!)
  let bytes = 0
  for (const codePoint of codePoints)
    bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4
  if (codePoints.length > MAX_NICKNAME_CODE_POINTS || bytes > MAX_NICKNAME_BYTES) throw tooLong(text)
  for (const [at, codePoint] of codePoints.entries()) {
    if (isIn(UNASSIGNED, codePoint)) {
      throw refusal('NICKNAME_UNASSIGNED', text, `Unicode 16.0 does not assign ${shownCodePoint(codePoint)}`)
    }
    if (isIn(REFUSED, codePoint) && !isAllowedHere(codePoints, at)) {
      throw refusal('NICKNAME_CHARACTER', text, `${shownCodePoint(codePoint)} is invisible, reserved or out of place`)
    }
  }
  if (isIn(MARKS, codePoints[0]!)) throw refusal('NICKNAME_CHARACTER', text, 'it begins with a combining mark')
  if (normalizeNfc(text) !== text) throw refusal('NICKNAME_NOT_NFC', text, 'normalise it to NFC')
}

/** The text without the code points that no nickname may contain where they stand, such as U+200B. Space separators become U+0020. */
export function withoutInvisible(text: string): string {
  if (isPrintableAscii(text)) return text
  const codePoints = Array.from(text.replace(/\p{Zs}/gu, ' '), (character) => character.codePointAt(0)!)
  const visible = codePoints.filter((codePoint, at) => !isIn(REFUSED, codePoint) || isAllowedHere(codePoints, at))
  return String.fromCodePoint(...visible)
}

function isAllowedHere(codePoints: readonly number[], at: number): boolean {
  const codePoint = codePoints[at]!
  const before = codePoints[at - 1] ?? NONE
  const after = codePoints[at + 1] ?? NONE
  switch (codePoint) {
    case ZWNJ:
      return isIn(VIRAMAS, before) || (isIn(JOINS_NEXT, before) && isIn(JOINS_PREVIOUS, after))
    case ZWJ:
      if (isIn(VIRAMAS, before) || (before !== NONE && isIn(VIRAMAS, after))) return true
      return isIn(EMOJI, after) && isIn(EMOJI, isEmojiStyle(before) ? (codePoints[at - 2] ?? NONE) : before)
    case VS16:
      return isIn(EMOJI, before) || (isKeycapBase(before) && after === KEYCAP)
    default:
      return false
  }
}

function isEmojiStyle(codePoint: number): boolean {
  return codePoint === VS16 || (codePoint >= 0x1f3fb && codePoint <= 0x1f3ff)
}

function isKeycapBase(codePoint: number): boolean {
  return (codePoint >= 0x30 && codePoint <= 0x39) || codePoint === 0x23 || codePoint === 0x2a
}

function tooLong(text: string): BlobError<'NICKNAME_TOO_LONG'> {
  const limits = `${MAX_NICKNAME_CODE_POINTS} characters and ${MAX_NICKNAME_BYTES} bytes`
  return refusal('NICKNAME_TOO_LONG', text, `a nickname has at most ${limits}`)
}

function refusal<Code extends NicknameErrorCode>(code: Code, text: string, why: string): BlobError<Code> {
  return new BlobError(code, `the nickname "${shownText(text)}" is refused: ${why}`)
}

function shownCodePoint(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`
}

/**
 * The text for an error message. The text may contain anything, and messages reach terminals. So characters that no nickname may contain
 * are shown as <U+XXXX>, without a backslash, which the terminal's own escaping would double.
 */
function shownText(text: string): string {
  const start = Array.from(text.slice(0, 2 * MAX_NICKNAME_CODE_POINTS), (character, at) => {
    const codePoint = character.codePointAt(0)!
    const isOdd = isIn(UNASSIGNED, codePoint) || isIn(REFUSED, codePoint) || (at === 0 && isIn(MARKS, codePoint))
    return isOdd ? `<${shownCodePoint(codePoint)}>` : character
  })
  return start.join('') + (text.length > 2 * MAX_NICKNAME_CODE_POINTS ? '...' : '')
}
