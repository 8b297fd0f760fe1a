/** Lookups in the Unicode 16.0 data of the format, so that readers on engines with a later version agree (docs/format.md, section 12). */
import * as data from './data.ts'

/** A set of code points, as the ascending points where membership changes; the first entry begins the first range. */
export type CodePointSet = Uint32Array

function parseSet(text: string): CodePointSet {
  let at = 0
  return Uint32Array.from(text.split(' '), (gap) => (at += parseInt(gap, 36)))
}

export const UNASSIGNED: CodePointSet = parseSet(data.UNASSIGNED)
export const REFUSED: CodePointSet = parseSet(data.REFUSED)
export const MARKS: CodePointSet = parseSet(data.MARKS)
export const VIRAMAS: CodePointSet = parseSet(data.VIRAMAS)
export const JOINS_NEXT: CodePointSet = parseSet(data.JOINS_NEXT)
export const JOINS_PREVIOUS: CodePointSet = parseSet(data.JOINS_PREVIOUS)
export const EMOJI: CodePointSet = parseSet(data.EMOJI)

export function isIn(set: CodePointSet, codePoint: number): boolean {
  let low = 0
  let high = set.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (set[middle]! <= codePoint) low = middle + 1
    else high = middle
  }
  // `low` changes lie at or before the code point. After an odd number of changes it is in the set.
  return low % 2 === 1
}

const foldings = new Map<string, string>()

function readFoldings(): void {
  const numbers = data.SIMPLE_FOLDINGS.split(' ').map((text) => parseInt(text, 36))
  let from = 0
  for (let i = 0; i < numbers.length; i += 4) {
    from += numbers[i]!
    const step = numbers[i + 2]!
    for (let left = numbers[i + 1]!; ; from += step) {
      foldings.set(String.fromCodePoint(from), String.fromCodePoint(from + numbers[i + 3]!))
      if (--left === 0) break
    }
  }
  for (const entry of data.FULL_FOLDINGS.split(' ')) {
    const [source, target] = entry.split('=')
    const codePoints = target!.split('.').map((text) => parseInt(text, 36))
    foldings.set(String.fromCodePoint(parseInt(source!, 36)), String.fromCodePoint(...codePoints))
  }
}

/** Full case folding: C + F of CaseFolding.txt 16.0. */
export function foldCase(text: string): string {
  if (foldings.size === 0) readFoldings()
  let folded = ''
  for (const character of text) folded += foldings.get(character) ?? character
  return folded
}

let isNormalizerChecked = false

/**
 * Normalizes to NFC. For text that Unicode 16.0 assigns, every later version gives the same result (Unicode's stability
 * policy). An engine with an earlier version is refused, since its verdicts would differ from those of all other readers.
 * @throws {Error} when this JavaScript engine has a Unicode version before 16.0
 */
export function normalizeNfc(text: string): string {
  if (!isNormalizerChecked) {
    // Unicode 16.0 added the composition U+105C9 TODHRI LETTER EI.
    if ('\u{105d2}\u0307'.normalize('NFC') !== '\u{105c9}') {
      throw new Error(
        'this JavaScript engine has a Unicode version before 16.0, which the format needs; use Node 22.18 or later',
      )
    }
    isNormalizerChecked = true
  }
  return text.normalize('NFC')
}
