/** Puts the output that the programs print now into the guide pages: node test/generate/guide.ts */
import { writeFileSync } from 'node:fs'
import { PLAYED_PAGES, playPage, readPage, withoutChance } from '../support/guide.ts'

for (const page of Object.keys(PLAYED_PAGES)) {
  const { text } = await playPage(page)
  // A page whose output differs only by keys and dates stays as it is.
  if (withoutChance(text) !== withoutChance(readPage(page))) {
    writeFileSync(new URL(`../../${page}`, import.meta.url), text)
  }
}
