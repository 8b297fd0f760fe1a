/** The services of one wing for another one, before any of them is open. */
import { noIntroductions, type Introductions } from './introductions.ts'
import { noLetters, type Letters } from './letters.ts'
import { noLines, type LineOffice } from './lines.ts'
import { noCalls, type OwnerCalls } from './owner-calls.ts'

export function betweenWings(): {
  readonly letters: Letters
  readonly introductions: Introductions
  readonly lines: LineOffice
  readonly owner: OwnerCalls
} {
  return { letters: noLetters(), introductions: noIntroductions(), lines: noLines(), owner: noCalls() }
}
