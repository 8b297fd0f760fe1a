/**
 * Commands in their plain form, as prompts and scripts call them: `persona lookup Bob --json`. They run without the grammar of all commands, which
 * takes longer to load than everything else that they need.
 */
import { contextOf, printFailure, type Context } from './io/context.ts'

interface Plain {
  readonly wordCount: number
  readonly run: (context: Context, words: readonly string[]) => Promise<number>
}

const COMMANDS: ReadonlyMap<string, Plain> = new Map([
  [
    'lookup',
    { wordCount: 1, run: async (context, [query]) => (await import('./contacts/contacts.ts')).lookup(context, query!) },
  ],
  ['status', { wordCount: 0, run: async (context) => (await import('./daemon/status.ts')).status(context) }],
] satisfies [string, Plain][])

/**
 * @returns null for any other command line, and for one that is wrong. The grammar reads it, and says what is wrong with it. Else a function that
 *   runs the command, and returns its exit status
 */
export function plainCommand(argv: readonly string[]): (() => Promise<number>) | null {
  const line = plainLine(argv)
  const [name = '', ...words] = line?.words ?? []
  const command = COMMANDS.get(name)
  if (line === null || command === undefined || words.length !== command.wordCount) return null
  return async () => {
    try {
      return await command.run(contextOf(line.home, line.json, false), words)
    } catch (error) {
      return printFailure(line.json, error, line.home)
    }
  }
}

interface Line {
  readonly words: readonly string[]
  readonly json: boolean
  readonly home: string | undefined
}

/** @returns null if the arguments have another option, or anything that the grammar looks at more closely */
function plainLine(argv: readonly string[]): Line | null {
  const words: string[] = []
  let json = false
  let home: string | undefined
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (word === '--json') json = true
    else if (word === '--home' && home === undefined) {
      home = argv[++i]
      if (home === undefined || home === '' || home.startsWith('-')) return null
    } else if (word === '' || word.startsWith('-')) return null
    else words.push(word)
  }
  return { words, json, home }
}
