/** Makes texts of others safe for a terminal: without invisible characters or cursor movements, and with look-alikes marked. */

/** Combining marks on one character. Vietnamese needs two; more would cover the lines above. */
const MAX_MARKS = 3
export const KEY_TAIL_DIGITS = 8 // sanity: an attacker finds a key with the same 4 digits in seconds, with the same 8 in a day on a graphics card; `show` and `--json` have the whole key

// Visible characters: letters, numbers, punctuation, symbols, marks. Not unassigned or private ones.
const VISIBLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u
// Default ignorable: fillers and variation selectors. U+2800 is the braille pattern without dots.
const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\u2800]$/u
const MARK = /^\p{M}$/u
const EMOJI_PART = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F]$/u
const EMOJI = /^\p{Extended_Pictographic}$/u
const KEYCAP_BASE = /^[\p{Extended_Pictographic}0-9#*]$/u
const ZERO_WIDTH_JOINER = '\u200D'
const EMOJI_STYLE = '\uFE0F'

/**
 * Writes a text of others on one line of a terminal. Controls, line ends, bidi and zero-width characters, marks without a base and
 * characters unknown to this Node become `\u{HEX}`. A backslash becomes two, so that escaping never makes two texts look the same.
 * The joiner and the style sign within an emoji stay.
 */
export function escapeText(text: string): string {
  const characters = Array.from(text) // by code points, because one visible character may hide several
  let shown = ''
  let marks = MAX_MARKS // a leading mark would sit on our own text
  for (const [i, character] of characters.entries()) {
    marks = MARK.test(character) ? marks + 1 : 0
    const isPlain = VISIBLE.test(character) && !INVISIBLE.test(character) && marks <= MAX_MARKS
    if (character === '\\') shown += '\\\\'
    else if (isPlain || isEmojiGlue(characters, i)) shown += character
    else shown += `\\u{${character.codePointAt(0)!.toString(16).toUpperCase()}}`
  }
  return shown
}

function isEmojiGlue(characters: readonly string[], at: number): boolean {
  const before = characters[at - 1] ?? ''
  if (characters[at] === EMOJI_STYLE) return KEYCAP_BASE.test(before)
  return characters[at] === ZERO_WIDTH_JOINER && EMOJI_PART.test(before) && EMOJI.test(characters[at + 1] ?? '')
}

/**
 * Writes a value as one line of JSON that cannot control a terminal. JSON alone leaves 8-bit controls and bidi characters as they are.
 * A program that parses it gets the same value.
 */
export function formatJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\x7F-\x9F\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}

/** The end of a key, such as `…0B3C8A1F`. Anybody chooses their own name, but nobody chooses a key. */
export function keyTail(key: string): string {
  return `…${key.slice(-KEY_TAIL_DIGITS)}`
}

/** Whether a text is the end of this key as {@link keyTail} shows it, with or without the dots. */
export function isEndOf(key: string, text: string): boolean {
  const end = text.replace(/^…/, '').toUpperCase()
  return end.length >= KEY_TAIL_DIGITS && /^[0-9A-F]+$/.test(end) && key.endsWith(end)
}

/** A name as people see it everywhere: escaped, flagged if its letters mix scripts, with the end of its key. */
export function showName(name: string, key: string | null): string {
  const flag = hasMixedScripts(name) ? ' (mixed scripts)' : ''
  const tail = key === null ? '' : ` ${keyTail(key)}`
  return `${escapeText(name)}${flag}${tail}`
}

// The large scripts, and those with letters that look like letters of another. All remaining scripts count as one more.
const SCRIPTS: readonly RegExp[] = [
  /^\p{Script=Latin}$/u,
  /^\p{Script=Cyrillic}$/u,
  /^\p{Script=Greek}$/u,
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}]$/u,
  /^\p{Script=Armenian}$/u,
  /^\p{Script=Cherokee}$/u,
  /^\p{Script=Coptic}$/u,
  /^\p{Script=Georgian}$/u,
  /^\p{Script=Hebrew}$/u,
  /^\p{Script=Arabic}$/u,
  /^\p{Script=Devanagari}$/u,
  /^\p{Script=Thai}$/u,
]
const LATIN = 0
const EAST_ASIAN = 3
const LETTER = /^\p{L}$/u
const SHARED = /^[\p{Script=Common}\p{Script=Inherited}]$/u

/**
 * Whether the letters of a name come from more than one script, as in a `Рaypal` with a Cyrillic first letter. The East Asian scripts
 * count as one and may mix with Latin, as people write them (UTS 39, "highly restrictive"). This does not detect a name written wholly in
 * look-alikes of one script; the end of the key beside the name is there for that.
 */
export function hasMixedScripts(name: string): boolean {
  const scripts = new Set<number>()
  for (const character of name.normalize('NFC')) {
    if (!LETTER.test(character) || SHARED.test(character)) continue
    scripts.add(SCRIPTS.findIndex((script) => script.test(character)))
  }
  if (scripts.has(EAST_ASIAN)) scripts.delete(LATIN)
  return scripts.size > 1
}
