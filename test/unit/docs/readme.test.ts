/** README, its companions and the guide: size, commands and links. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { buildProgram } from '../../../src/cli/program/program.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const GUIDE = readdirSync(join(ROOT, 'docs/guide')).map((page) => `docs/guide/${page}`)
const DOCUMENTS = ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/clients.md', ...GUIDE]
const LINKING = [...DOCUMENTS, 'test/README.md', 'docs/glossary.md', 'docs/architecture.md', 'docs/decisions/README.md']
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** Groups that do something by themselves too. */
const ALSO_COMMANDS: ReadonlySet<string> = new Set(['announce', 'chat'])

/** @returns the first word or option that the command line does not know; null when it knows all */
function unknownIn(words: readonly string[], root: Command): string | null {
  let command = root
  for (const word of words) {
    const options = [...root.options, ...command.options].flatMap(({ long, short }) => [long, short])
    // Every command and every group of commands takes it.
    if (word === '--help') return null
    if (word.startsWith('-')) {
      if (word === '--help') return null
      if (!options.includes(word)) return word
      continue
    }
    // `set|change`: the words that follow belong to the last one.
    const next = word.split('|').map((one) => command.commands.find((known) => known.name() === one))
    if (next.every((one) => one !== undefined)) command = next.at(-1)!
    // `persona chat NAME` opens a chat.
    else if (command.commands.length > 0) return command.name() === 'chat' ? null : word
  }
  const isGroup = command.commands.length > 0 && command !== root && !ALSO_COMMANDS.has(command.name())
  return isGroup ? command.name() : null
}

/** `persona ...` in code, without its comment. */
function commandsIn(text: string): string[][] {
  return [...text.matchAll(/(?:^ *(?:\$ )?|`)persona ([a-z][^`\n]+)/gm)].map(([, line]) => wordsOf(line!))
}

function wordsOf(line: string): string[] {
  return line
    .replace(/#.*/, '')
    .replaceAll(/"[^"]*"/g, 'TEXT')
    .trim()
    .split(/\s+/)
}

/** The commands in the table of commands, which leaves `persona` out. */
function tableOfCommands(): string[][] {
  const text = read('docs/guide/commands.md')
  const section = text.slice(0, text.indexOf('Exit status'))
  return [...section.matchAll(/^\| .*$/gm)]
    .flatMap(([row]) => [...row.matchAll(/`([a-z][^`]*)`/g)].map(([, span]) => wordsOf(span!)))
    .filter(([first]) => first !== 'persona')
}

const program = buildProgram(() => Promise.resolve())

test('README has at most 120 lines of at most 100 columns', () => {
  const lines = read('README.md').trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(120)
  expect(lines.filter((line) => line.length > 100)).toEqual([])
})

test('every command in the documents exists, with its options', () => {
  const table = tableOfCommands()
  expect(table.length).toBeGreaterThan(40)
  const commands = [...DOCUMENTS.flatMap((file) => commandsIn(read(file))), ...table]
  expect(commands.length).toBeGreaterThan(100)
  for (const words of commands) expect(unknownIn(words, program), words.join(' ')).toBeNull()
})

test.each(['rotate --sideways', 'device explode x', 'init --key-file x', 'device'])(
  'a command that does not exist is noticed: %s',
  (line) => {
    expect(unknownIn(line.split(' '), program)).not.toBeNull()
  },
)

test('every command of the program is in the table of commands', () => {
  const listed = tableOfCommands().map((words) => words.join(' '))
  const leaves = program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [command.name()]
      : command.commands.map((inner) => `${command.name()} ${inner.name()}`),
  )
  expect(leaves.length).toBeGreaterThan(15)
  for (const name of leaves) {
    expect(
      listed.some((line) => `${line} `.startsWith(`${name} `)),
      name,
    ).toBe(true)
  }
})

test('every link leads to a file', () => {
  const links = LINKING.flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https:)([^)#]+)/g)].map(([, link]) => join(dirname(file), link!)),
  )
  expect(links.length).toBeGreaterThan(8)
  expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([])
})

test('every npm script in README exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = [...read('README.md').matchAll(/npm run (\w+)/g)].map(([, name]) => name!)
  expect(named.length).toBeGreaterThan(4)
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
})

test('every test that test/README.md names exists', () => {
  const named = [...read('test/README.md').matchAll(/\b(?:unit|property|contract|fault|e2e|docs)(?:\/[a-z0-9-]+)+/g)]
  expect(named.length).toBeGreaterThan(40)
  expect(named.filter(([path]) => !existsSync(join(ROOT, `test/${path}.test.ts`))).map(([path]) => path)).toEqual([])
})

describe('docs/architecture.md', () => {
  const page = read('docs/architecture.md')
  const [, tree] = /^```\nsrc\/\n([^]*?)^```$/m.exec(page)!
  const folders = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )

  test('has a line for every folder of src, and no other', () => {
    const listed = [...tree!.matchAll(/^ +((?:[a-z]+\/ ?)+)/gm)].flatMap(([, names]) => names!.trim().split(' '))
    expect(folders.length).toBeGreaterThan(40)
    expect(listed.toSorted()).toEqual(folders.map(({ name }) => `${name}/`).toSorted())
  })

  test('names only files that exist', () => {
    const named = [...page.matchAll(/`((?:daemon|core|cli|ipc)\/[a-z/-]+\.ts)`/g)].map(([, file]) => file!)
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((file) => !existsSync(join(ROOT, 'src', file)))).toEqual([])
  })
})
