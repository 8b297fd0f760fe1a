/** The command lines in README, docs and help, checked against the command line's own grammar. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commandTree, type CommandNode } from '../../src/cli/program/command-tree.ts'
import { EXAMPLES } from '../../src/cli/program/examples.ts'
import { buildProgram } from '../../src/cli/program/program.ts'
import { PENDING_KINDS } from '../../src/ipc/shapes/pending.ts'

const GUIDE = readdirSync(new URL('../../docs/guide/', import.meta.url)).map((page) => `docs/guide/${page}`)
const CHECKED_ELSEWHERE = [
  'docs/guide/commands.md', // test/unit/docs/readme.test.ts checks its table
  'docs/guide/two-browsers.md', // test/pages/guide.test.ts runs its commands, which are none of persona
]
const PAGES = [
  'README.md',
  'docs/backup.md',
  'docs/clients.md',
  'docs/pairing.md',
  'docs/threat-model.md',
  'docs/tox.md',
  ...GUIDE.filter((page) => !CHECKED_ELSEWHERE.includes(page)),
]
const TREE = commandTree(buildProgram(async () => {}))
const EVERYWHERE = ['--help', ...TREE.options.flatMap(({ names }) => names)]

/** Each command line after `persona`, from lines (with or without a prompt) and from backticks, without its comment. */
function linesOf(page: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
  const matches = [...text.matchAll(/^ *(?:\$ )?persona ([a-z].*)$|`persona ([a-z][^`]*)`/gm)]
  return matches.map(([, line, quoted]) => (line ?? quoted!).replace(/ #.*/, '').replaceAll(/\s+/g, ' ').trim())
}

test('accept and reject name every kind of pending change, in the help and for completion', () => {
  const kinds = ['accept', 'reject'].map((word) =>
    TREE.commands
      .find((command) => command.words.join(' ') === word)!
      .options.find(({ names }) => names.includes('--kind')),
  )
  expect(kinds.map((option) => option?.takes)).toEqual([PENDING_KINDS, PENDING_KINDS])
  for (const option of kinds) for (const kind of PENDING_KINDS) expect(option!.description).toContain(kind)
})

/** @returns the reason why the program would refuse the line; null when it would not */
function unknownIn(line: string): string | null {
  const words = line.split(' ')
  let node: CommandNode = TREE
  for (;;) {
    const next = node.commands.find((command) => command.words.at(-1) === words[0])
    if (next === undefined) break
    node = next
    words.shift()
  }
  // `persona chat NAME` opens a chat.
  const takesName = node.words.join(' ') === 'chat'
  if (node === TREE || (node.commands.length > 0 && words.length > 0 && !takesName))
    return `persona ${line}: no such command`
  const options = [...EVERYWHERE, ...node.options.flatMap(({ names }) => names)]
  const unknown = words.filter((word) => word.startsWith('--') && !options.includes(word))
  return unknown.length === 0 ? null : `persona ${line}: no such option: ${unknown.join(', ')}`
}

test('the guide has at least eight pages', () => {
  expect(GUIDE.length).toBeGreaterThanOrEqual(8)
})

test.each(PAGES)('%s names only commands and options that exist', (page) => {
  const lines = linesOf(page)
  expect(lines.length).toBeGreaterThan(1)
  expect(lines.map(unknownIn).filter((unknown) => unknown !== null)).toEqual([])
})

test('the examples in the help use only commands and options that exist, and fit on 80 columns', () => {
  const examples = Object.entries(EXAMPLES)
  const lines = examples.flatMap(([, list]) => list ?? [])
  expect(lines.length).toBeGreaterThan(20)
  const own = lines.filter((line) => line.startsWith('persona ')).map((line) => line.replace(/^persona /, ''))
  expect(own.map((line) => unknownIn(line.replace(/ +#.*/, ''))).filter((unknown) => unknown !== null)).toEqual([])
  expect(lines.filter((line) => line.length > 78)).toEqual([])
  const names = TREE.commands.map(({ words }) => words.at(-1))
  expect(examples.filter(([name]) => name !== '' && !names.includes(name))).toEqual([])
})

test('an unknown command or option is noticed', () => {
  expect(['frobnicate', 'tox frobnicate x', 'device remove phone --gone'].map(unknownIn)).not.toContain(null)
  expect(unknownIn('device remove phone --lost')).toBeNull()
})
