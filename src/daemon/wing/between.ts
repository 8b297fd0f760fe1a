/** The services of one wing for another one, before any of them is open. */
import type { ContentTakers } from './content-takers.ts'
import { noIntroductions, type Introductions } from './introductions.ts'
import { noLetters, type Letters } from './letters.ts'
import { noLines, type LineOffice } from './lines.ts'
import { noCalls, type OwnerCalls } from './owner-calls.ts'

export function betweenWings(): {
  readonly letters: Letters
  readonly introductions: Introductions
  readonly lines: LineOffice
  readonly takers: ContentTakers
  readonly owner: OwnerCalls
} {
  return {
    letters: noLetters(),
    introductions: noIntroductions(),
    lines: noLines(),
    takers: new Map(),
    owner: noCalls(),
  }
}
