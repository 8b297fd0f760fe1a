/** Sections of the normative pages in docs, for the tests that hold them against the code. */

/** The text of one section, without its heading. */
export function sectionOf(doc: string, number: number): string {
  const found = new RegExp(`\n## ${number}\\. .*\n([^]*?)(?=\n## |$)`).exec(doc)
  if (found === null) throw new Error(`there is no section ${number}`)
  return found[1]!
}

/** The text of one section with each paragraph on one line, so that a sentence is found wherever its lines break. */
export function flowingSectionOf(doc: string, number: number): string {
  return sectionOf(doc, number).replaceAll(/(?<=\S)\n *(?=\S)/g, ' ')
}
