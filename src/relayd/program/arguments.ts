/** The command line of persona-relay. */
import { parseArgs } from 'node:util'
import { PersonadError } from '../../errors/personad-error.ts'
import { DATABASE_URL, databaseUrlProblem } from './database-url.ts'

export const USAGE = `usage: persona-relay [serve] [--dir DIR] [--config FILE]
       persona-relay init DIR --url URL
       persona-relay check URL [--ca FILE] [--token-file FILE] | check postgres://...
       persona-relay token add NAME | token list | token remove NAME
       persona-relay move [--dir DIR] --to URL | --from URL
       persona-relay stats | forget PUB | forget PERSONAID

A relay: apps of two people leave sealed messages for each other here. Without a command it serves on 127.0.0.1:8787, stays in the
foreground, logs to stderr, and ends at SIGTERM or Ctrl-C.
  --dir DIR          keep the data below DIR; for token, stats and forget: the DIR of the running relay
  --config FILE      read this configuration
  --to URL           the PostgreSQL database into which all in DIR goes, such as postgres://relay@db.example/relay
  --from URL         the database from which all goes into DIR, which is not there yet
  --url URL          the URL of the new relay, as apps and links write it
  --ca FILE          trust the certificates in this file too
  --token-file FILE  a token of the relay, for one that asks senders for it
  --json             print JSON
  --version          print the version
  --help             print this`

export type Command =
  | { readonly name: 'serve'; readonly dir: string | undefined; readonly config: string | undefined }
  | { readonly name: 'init'; readonly directory: string; readonly url: string }
  | {
      readonly name: 'check'
      readonly url: string
      readonly ca: string | undefined
      readonly tokenFile: string | undefined
    }
  | { readonly name: 'move'; readonly dir: string | undefined; readonly url: string; readonly isTo: boolean }
  | { readonly name: 'call'; readonly call: Call; readonly dir: string | undefined; readonly isJson: boolean }
  | { readonly name: 'version' | 'help' }

/** A command asks a running relay for this. */
export interface Call {
  readonly name: 'stats' | 'forget' | 'token-add' | 'token-list' | 'token-remove'
  readonly parameters: Readonly<Record<string, string>>
}

/** Wrong usage, in a sentence. */
export class UsageError extends PersonadError<'USAGE'> {
  override readonly name = 'UsageError'

  constructor(message: string) {
    super('USAGE', message)
  }
}

const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean' } as const
const OPTIONS = {
  dir: TEXT,
  config: TEXT,
  url: TEXT,
  to: TEXT,
  from: TEXT,
  ca: TEXT,
  'token-file': TEXT,
  json: FLAG,
  version: FLAG,
  help: FLAG,
} as const

type Option = keyof typeof OPTIONS

/** The options of each command. */
const ALLOWED: Readonly<Record<string, readonly Option[]>> = {
  serve: ['dir', 'config'],
  init: ['url'],
  check: ['ca', 'token-file'],
  move: ['dir', 'to', 'from'],
  token: ['dir', 'json'],
  stats: ['dir', 'json'],
  forget: ['dir', 'json'],
}

/** @throws {UsageError} */
export function readArguments(args: readonly string[]): Command {
  const { values, positionals } = parse(args)
  if (values.help === true) return { name: 'help' }
  if (values.version === true) return { name: 'version' }
  const [word = 'serve', ...words] = positionals
  const allowed = ALLOWED[word]
  if (allowed === undefined) throw new UsageError(`there is no command ${JSON.stringify(word)}`)
  for (const option of Object.keys(values))
    if (!allowed.includes(option as Option)) throw new UsageError(`${word} has no option --${option}`)
  const { dir, config, url, ca } = values
  switch (word) {
    case 'serve':
      expectWords(words, [])
      return { name: 'serve', dir, config }
    case 'init':
      expectWords(words, ['DIR'])
      if (url === undefined) throw new UsageError('init needs --url URL, the URL under which apps call the relay')
      return { name: 'init', directory: words[0]!, url }
    case 'check':
      expectWords(words, ['URL'])
      return { name: 'check', url: words[0]!, ca, tokenFile: values['token-file'] }
    case 'move':
      expectWords(words, [])
      return moveOf(dir, values.to, values.from)
    default:
      return { name: 'call', call: callOf(word, words), dir, isJson: values.json === true }
  }
}

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function moveOf(dir: string | undefined, to: string | undefined, from: string | undefined): Command {
  if ((to === undefined) === (from === undefined)) throw new UsageError('move needs either --to URL or --from URL')
  const url = (to ?? from)!
  const problem = databaseUrlProblem(url)
  // The text is not shown: it may hold a password.
  if (problem !== null)
    throw new UsageError(`--${to === undefined ? 'from' : 'to'} takes ${DATABASE_URL}; in this one ${problem}`)
  return { name: 'move', dir, url, isTo: to !== undefined }
}

function callOf(word: string, words: readonly string[]): Call {
  if (word === 'stats') {
    expectWords(words, [])
    return { name: 'stats', parameters: {} }
  }
  if (word === 'forget') {
    expectWords(words, ['PUB'])
    return { name: 'forget', parameters: { pub: words[0]! } }
  }
  const [verb, ...rest] = words
  if (verb !== 'add' && verb !== 'list' && verb !== 'remove')
    throw new UsageError('token takes add NAME, list, or remove NAME')
  expectWords(rest, verb === 'list' ? [] : ['NAME'])
  return { name: `token-${verb}`, parameters: verb === 'list' ? {} : { name: rest[0]! } }
}

function expectWords(words: readonly string[], names: readonly string[]): void {
  if (words.length < names.length) throw new UsageError(`${names[words.length]} is missing`)
  if (words.length > names.length)
    throw new UsageError(`there is a word too many: ${JSON.stringify(words[names.length])}`)
}
