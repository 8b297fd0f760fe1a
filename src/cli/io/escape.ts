/** What others wrote, made safe for a terminal: nothing invisible, nothing that moves, and look-alikes within reach of the eye. */

/** How many combining marks may stand on one character: Vietnamese needs two; more would climb over the lines above. */
const MAX_MARKS = 3
const KEY_TAIL_DIGITS = 8 // sanity: 4 digits are ground out in seconds, 8 in a day on a graphics card; the whole key stands in `show` and `--json`

// Seen on screen, one place for each: letters, numbers, punctuation, symbols, marks. Unassigned and private ones are not among them.
const VISIBLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u
// Default ignorable: fillers, variation selectors. U+2800 is a braille pattern without a dot.
const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\u2800]$/u
const MARK = /^\p{M}$/u
const EMOJI_PART = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F]$/u
const EMOJI = /^\p{Extended_Pictographic}$/u
const KEYCAP_BASE = /^[\p{Extended_Pictographic}0-9#*]$/u
const ZERO_WIDTH_JOINER = '\u200D'
const EMOJI_STYLE = '\uFE0F'

/**
 * A text of others on one line of a terminal. Controls, line ends, bidi and zero-width characters, marks without a base and what this
 * Node does not know become `\u{HEX}`, a backslash becomes two, so that two texts which differ never look the same because of this.
 * The joiner and the style sign within an emoji stay.
 */
export function escapeText(text: string): string {
  const characters = Array.from(text) // by code points: what looks like one character may hide several
  let shown = ''
  let marks = MAX_MARKS // at the beginning a mark would sit on our own words
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
 * A value as one line of JSON that a terminal does not act upon: JSON itself leaves the controls of 8 bits as they are, and the characters
 * that turn the direction of a text. What a program reads out of it is the same.
 */
export function formatJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\x7F-\x9F\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}

/** The end of a key, `…8A1F`: a name is anybody's to choose, a key is not. */
export function keyTail(key: string): string {
  return `…${key.slice(-KEY_TAIL_DIGITS)}`
}

/** A name as it is shown everywhere: escaped, flagged when its letters mix scripts, with the end of its key. */
export function showName(name: string, key: string | null): string {
  const flag = hasMixedScripts(name) ? ' (mixed scripts)' : ''
  const tail = key === null ? '' : ` ${keyTail(key)}`
  return `${escapeText(name)}${flag}${tail}`
}

// Those with letters that pass for letters of another one, and the large ones; what is in none of them counts as one more.
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
 * count as one, and go with Latin, as people write them (UTS 39, "highly restrictive"). A name wholly in look-alikes of one script is
 * not seen by this: for that the end of the key stands beside it.
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
