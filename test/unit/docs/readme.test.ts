/** What README says can be done, and where it points. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { buildProgram } from '../../../src/cli/program/program.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const DOCUMENTS = ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/clients.md']
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** Finds the command that words name, and the first word or option that it does not know. */
function unknownIn(words: readonly string[], root: Command): string | null {
  let command = root
  for (const word of words) {
    const options = [...root.options, ...command.options].flatMap(({ long, short }) => [long, short])
    if (word.startsWith('-')) {
      if (!options.includes(word)) return word
      continue
    }
    // \`set|change\`: the last of them stands for what follows.
    const next = word.split('|').map((one) => command.commands.find((known) => known.name() === one))
    if (next.every((one) => one !== undefined)) command = next.at(-1)!
    else if (command.commands.length > 0) return word
  }
  return command.commands.length > 0 && command !== root ? command.name() : null
}

/** `persona ...` in code, up to a comment. */
function commandsIn(text: string): string[][] {
  return [...text.matchAll(/(?:^|`)persona ([^`\n]+)/gm)].map(([, line]) => wordsOf(line!))
}

function wordsOf(line: string): string[] {
  return line
    .replace(/#.*/, '')
    .replaceAll(/"[^"]*"/g, 'TEXT')
    .trim()
    .split(/\s+/)
}

/** What the table of commands has in its second column, where \`persona\` is left out. */
function tableOfCommands(): string[][] {
  const text = read('README.md')
  const section = text.slice(text.indexOf('## Commands'), text.indexOf('## How it is built'))
  return [...section.matchAll(/^\| .*$/gm)]
    .flatMap(([row]) => [...row.matchAll(/`([a-z][^`]*)`/g)].map(([, span]) => wordsOf(span!)))
    .filter(([first]) => first !== 'persona')
}

const program = buildProgram(() => Promise.resolve())

test('README has at most 200 lines', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(200)
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

test('every command that people can give stands in README', () => {
  const said = [...commandsIn(read('README.md')), ...tableOfCommands()].map((words) => words.join(' '))
  const leaves = program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [command.name()]
      : command.commands.map((inner) => `${command.name()} ${inner.name()}`),
  )
  expect(leaves.length).toBeGreaterThan(15)
  for (const name of leaves) {
    expect(
      said.some((line) => `${line} `.startsWith(`${name} `)),
      name,
    ).toBe(true)
  }
})

test('every link leads to a file', () => {
  const links = DOCUMENTS.flatMap((file) =>
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
