/** The services of one wing for another one, before any of them is open. */
import { noIntroductions, type Introductions } from './introductions.ts'
import { noLetters, type Letters } from './letters.ts'
import { noLines, type LineOffice } from './lines.ts'

export function betweenWings(): {
  readonly letters: Letters
  readonly introductions: Introductions
  readonly lines: LineOffice
} {
  return { letters: noLetters(), introductions: noIntroductions(), lines: noLines() }
}
