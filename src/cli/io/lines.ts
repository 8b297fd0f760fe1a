/** Fits lines for people to their terminal, and to the --home that was given. Pure. */
import { columnsOf } from './layout.ts'
import { quoteWord } from '../../ipc/command-word.ts'

/**
 * A command in a line, from its first word to the end of the clause. It comes first, after an arrow, a mark or one of a few words. Those that
 * somebody else runs are none.
 */
const COMMAND =
  /(^ *|(?<! runs)[:;,(] |-> |\b(?:or|run|use|with) )(personad?)(?=(?: [a-z][^;,()]*)?(?:$|[;,()]))(?![^;,()]*, on (?:their side|the other side|your other device))/g

/** Adds --home to each command in a line, so that it can be copied. */
export function withHome(line: string, home: string | undefined): string {
  if (home === undefined) return line
  return line.replace(COMMAND, (_, before: string, program: string) => `${before}${program} --home ${quoteWord(home)}`)
}

const STYLE = /\x1b\[[0-9;]*m/g // SGR alone: no other sequence comes from this program
const MIN_TEXT_COLUMNS = 20 // sanity: narrower text is harder to read than a broken line
const GLUE = '\uE000' // in place of a space at which no line may end; private, so escapeText lets none through

/**
 * Breaks a line at spaces, so that no part is wider than the terminal. The parts after the first stand below the text of the first. A
 * command stays in one part, where it fits. Rows of a table and single long words, such as a key, stay as they are.
 * @param maxColumns undefined for no limit; 0 is a terminal that does not know its size
 */
export function wrapLine(line: string, maxColumns: number | undefined): string[] {
  if (maxColumns === undefined || maxColumns === 0 || shownColumns(line) <= maxColumns) return [line]
  const indent = hangingIndent(line, maxColumns)
  if (indent === null) return [line]
  const room = maxColumns - indent
  const glued = line.replace(COMMAND_CLAUSE, (clause: string, before: string) => {
    const command = clause.slice(before.length)
    return shownColumns(command) > room ? clause : before + command.replaceAll(' ', GLUE)
  })
  const [, start, text] = new RegExp(`^(.{0,${indentChars(glued, indent)}})(.*)$`, 's').exec(glued)!
  const parts: string[] = []
  let part = start!
  let isFirst = true
  for (const word of text!.split(' ')) {
    const joined = isFirst ? part + word : `${part} ${word}`
    if (!isFirst && shownColumns(joined) > maxColumns) {
      parts.push(part)
      part = ' '.repeat(indent) + word
    } else part = joined
    isFirst = false
  }
  return [...parts, part].map((made) => made.replaceAll(GLUE, ' '))
}

const COMMAND_CLAUSE = /(^ *|[:;,(] |-> |\b(?:or|run|use|with) )personad?(?: --home \S+)? [a-z][^;,()]*/g

function shownColumns(text: string): number {
  return columnsOf(text.replaceAll(STYLE, ''))
}

/** The column of the text after an arrow or a label; null for a row of a table, which has several gaps. */
function hangingIndent(line: string, maxColumns: number): number | null {
  const plain = line.replaceAll(STYLE, '')
  const leading = /^ *(?:-> )?/.exec(plain)![0]
  const gaps = [...plain.slice(leading.length).matchAll(/ {2,}/g)]
  if (gaps.length > 1) return null
  const [gap] = gaps
  const indent = leading.length + (gap === undefined ? 0 : gap.index + gap[0].length)
  return indent > maxColumns - MIN_TEXT_COLUMNS ? leading.length : indent
}

/** The number of characters that fill the first columns, with the styles among them. */
function indentChars(line: string, columns: number): number {
  let at = 0
  for (let shown = 0; shown < columns && at < line.length;) {
    const escape = /^\x1b\[[0-9;]*m/.exec(line.slice(at))
    if (escape !== null) at += escape[0].length
    else {
      at++
      shown++
    }
  }
  return at
}
