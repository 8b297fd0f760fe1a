/** Lines of chats as people read them. Everything that others have written is escaped. */
import { MAX_LINE_CHARS } from '../../core/encoding/chat-content.ts'
import type { ChatLine, LineState } from '../../ipc/methods/chat.ts'
import { escapeText } from '../io/escape.ts'
import { breakText, countOf, cutText, two } from '../io/layout.ts'

const MAX_SHOWN_COLUMNS = 2000 // sanity: a screen of 80 columns and 25 rows; --json has the whole line
const DAY_SEC = 86_400
/** Before each row of a line but the first. A row that began at the edge, like a line does, could pass for one of somebody else. */
const INDENT = 4 // sanity: no time of a line begins there
const MIN_COLUMNS = 20 // sanity: rows with a few words each

/** How far an own line has come, in words. */
export const MARKS: Readonly<Record<LineState, string>> = {
  kept: 'waits here',
  sent: 'on its way',
  there: 'there',
  read: 'read',
}

export interface LineView {
  /** The peer, escaped. */
  readonly who: string
  readonly nowSec: number
  readonly withMark: boolean
  /** Those of the terminal; null without one, or where it does not know. */
  readonly columns: number | null
}

/** A line of a chat: the time, who has written it, the text, and for own lines how far they have come. */
export function formatLine(line: ChatLine, { who, nowSec, withMark, columns }: LineView): string[] {
  const head = `${formatMoment(line.sentSec, nowSec)} ${line.mine ? 'you' : who}: `
  const mark = line.mine && withMark ? ` [${MARKS[line.state]}]` : ''
  const lines = shortened(line.text)
    .split(/\r?\n/)
    .map((each) => escapeText(each))
  return lines
    .map((text, i) => (i === 0 ? head : ' '.repeat(INDENT)) + text + (i === lines.length - 1 ? mark : ''))
    .flatMap((row) => (columns === null || columns < MIN_COLUMNS ? [row] : breakText(row, columns, INDENT)))
}

/** The daemon sends these lines later. */
export function formatUnsent(lines: number): string[] {
  return lines === 0 ? [] : [`not sent yet: ${countOf(lines, 'line')}; the daemon sends them as soon as it can`]
}

export function formatTooLong({ length }: string): string {
  return `this line has ${length} characters, and may have ${MAX_LINE_CHARS}; it was not sent`
}

function shortened(text: string): string {
  if (text.length <= MAX_SHOWN_COLUMNS) return text
  return `${cutText(text.slice(0, 2 * MAX_SHOWN_COLUMNS), MAX_SHOWN_COLUMNS)} (${countOf(text.length, 'character')} in all; --json has them)`
}

/** The time of a day, with the date where that day is over. */
function formatMoment(atSec: number, nowSec: number): string {
  const at = new Date(Math.min(atSec, nowSec + DAY_SEC) * 1000)
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`
  const isToday = at.toDateString() === new Date(nowSec * 1000).toDateString()
  return isToday ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`
}
