/** The input of a person in a chat: a line, or a command. */
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'

export type Typed =
  | { readonly is: 'nothing' }
  | { readonly is: 'quit' }
  | { readonly is: 'line'; readonly text: string }
  | { readonly is: 'to'; readonly name: string }
  /** Null for as many as fit a screen. */
  | { readonly is: 'history'; readonly count: number | null }
  | { readonly is: 'help'; readonly text: string }

const HISTORY = `/history [NUMBER] shows the last lines, ${MAX_PAGE} at most`
const TO = '/to NAME goes to another chat'
const HELP = `${HISTORY}; ${TO}; /quit ends; // begins a line with /`

/** Reads a line of a terminal. */
export function readTyped(typed: string): Typed {
  const words = typed.trim()
  if (words === '') return { is: 'nothing' }
  if (words === '/quit') return { is: 'quit' }
  if (!typed.startsWith('/')) return { is: 'line', text: typed }
  if (typed.startsWith('//')) return { is: 'line', text: typed.slice(1) }
  const [command, ...rest] = words.split(/\s+/)
  if (command === '/to') return rest.length > 0 ? { is: 'to', name: rest.join(' ') } : { is: 'help', text: TO }
  if (command === '/history') return readHistory(rest)
  return { is: 'help', text: HELP }
}

/** Reads a line of a script, which may send any other text. */
export function readScripted(typed: string): Typed {
  if (typed.trim() === '') return { is: 'nothing' }
  return typed.trim() === '/quit' ? { is: 'quit' } : { is: 'line', text: typed }
}

function readHistory(words: readonly string[]): Typed {
  const [digits, ...more] = words
  if (digits === undefined) return { is: 'history', count: null }
  const count = /^[0-9]{1,6}$/.test(digits) ? Number(digits) : 0
  if (more.length > 0 || count < 1 || count > MAX_PAGE) return { is: 'help', text: HISTORY }
  return { is: 'history', count }
}
