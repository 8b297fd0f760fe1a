/** Lays out text for people: columns, times, counts. Pure. The caller escapes texts of others. */

// With a gap of one column, a table would read like sentences.
const GAP = '  '
const WIDE =
  /\p{Emoji_Presentation}|\uFE0F|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303E\uFF01-\uFF60]/u
// Most texts are like this. Making a segmenter takes some 5 ms, a quarter of the whole start.
const NARROW = /^[ -~…]*$/
let segmenter: Intl.Segmenter | null = null

function graphemesOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

/** Columns of a text on a terminal: two for an emoji or an East Asian character, none for a mark. Good enough for alignment only. */
export function columnsOf(text: string): number {
  if (NARROW.test(text)) return text.length
  let columns = 0
  for (const grapheme of graphemesOf(text)) columns += WIDE.test(grapheme) ? 2 : 1
  return columns
}

/** Cuts a text to `maxColumns`, with `…` in place of the rest. */
export function cutText(text: string, maxColumns: number): string {
  if (columnsOf(text) <= maxColumns) return text
  let cut = ''
  let columns = 1
  for (const grapheme of graphemesOf(text)) {
    columns += columnsOf(grapheme)
    if (columns > maxColumns) break
    cut += grapheme
  }
  return `${cut}…`
}

/**
 * Breaks a text into rows, at spaces; a word that is wider than a row is broken too.
 * @param indent columns before each row after the first
 */
export function breakText(text: string, maxColumns: number, indent: number): string[] {
  if (columnsOf(text) <= maxColumns) return [text]
  const rows = ['']
  let columns = 0
  const begin = (): void => {
    rows.push(' '.repeat(indent))
    columns = indent
  }
  const add = (piece: string): void => {
    const width = columnsOf(piece)
    if (columns + width > maxColumns) begin()
    rows.push(rows.pop()! + piece)
    columns += width
  }
  for (const [i, word] of text.split(' ').entries()) {
    const width = columnsOf(word)
    const isWide = width > maxColumns - indent
    if (i > 0) {
      // The end of a row stands for a space.
      if (columns + 1 + (isWide ? 1 : width) > maxColumns) begin()
      else add(' ')
    }
    for (const piece of isWide ? graphemesOf(word) : [word]) add(piece)
  }
  return rows
}

/** Rows under their headings, with columns aligned to the left. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => columnsOf(line[column] ?? ''))))
  return lines.map((line) =>
    line
      .map((cell, column) => cell + ' '.repeat(Math.max(0, widths[column]! - columnsOf(cell))))
      .join(GAP)
      .trimEnd(),
  )
}

/** `1 device`, `3 devices`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`
}

/** ` (epoch 0, seq 3)` with `-v`, else nothing: most people need no numbers to know which table is meant. */
export function tableNumbers(
  verbose: boolean,
  { epoch, seq }: { readonly epoch: number | null; readonly seq: number | null },
): string {
  return verbose && epoch !== null && seq !== null ? ` (epoch ${epoch}, seq ${seq})` : ''
}

const MAX_DATE_SEC = 8_640_000_000_000 // sanity: the range of Date; a save file may hold any number

/** Local date and time to the minute, and the time since then. `never` for 0 and null. */
export function formatTime(timeSec: number | null, nowSec: number): string {
  if (timeSec === null || timeSec === 0) return 'never'
  if (timeSec > MAX_DATE_SEC) return 'not a valid time'
  const date = new Date(timeSec * 1000)
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())} (${formatAge(nowSec - timeSec)})`
}

/** A part of a date or time, in two digits. */
export function two(value: number): string {
  return String(value).padStart(2, '0')
}

function formatAge(ageSec: number): string {
  const size = Math.abs(ageSec)
  if (size < 60) return 'just now'
  const [unitSec, unit] =
    size < 3600 ? ([60, 'minute'] as const) : size < 86_400 ? ([3600, 'hour'] as const) : ([86_400, 'day'] as const)
  const count = countOf(Math.floor(size / unitSec), unit)
  return ageSec > 0 ? `${count} ago` : `in ${count}`
}
