/** The command lines that README and docs tell people to type, against the program. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { commandTree, type CommandNode } from '../../src/cli/program/command-tree.ts'
import { buildProgram } from '../../src/cli/program/program.ts'

const PAGES = [
  'README.md',
  'docs/backup.md',
  'docs/clients.md',
  'docs/pairing.md',
  'docs/threat-model.md',
  'docs/tox.md',
]
const TREE = commandTree(buildProgram(async () => {}))
const EVERYWHERE = ['--help', ...TREE.options.flatMap(({ names }) => names)]

/** What stands behind `persona`, in lines of their own or between backticks, without the remark behind a #. */
function linesOf(page: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
  const matches = [...text.matchAll(/^persona ([a-z].*)$|`persona ([a-z][^`]*)`/gm)]
  return matches.map(([, line, quoted]) => (line ?? quoted!).replace(/ #.*/, '').replaceAll(/\s+/g, ' ').trim())
}

/** What the program would not know in it; null when it knows all. */
function unknownIn(line: string): string | null {
  const words = line.split(' ')
  let node: CommandNode = TREE
  for (;;) {
    const next = node.commands.find((command) => command.words.at(-1) === words[0])
    if (next === undefined) break
    node = next
    words.shift()
  }
  if (node === TREE || (node.commands.length > 0 && words.length > 0)) return `persona ${line}: no such command`
  const options = [...EVERYWHERE, ...node.options.flatMap(({ names }) => names)]
  const unknown = words.filter((word) => word.startsWith('--') && !options.includes(word))
  return unknown.length === 0 ? null : `persona ${line}: no such option: ${unknown.join(', ')}`
}

test.each(PAGES)('%s tells only commands and options that there are', (page) => {
  const lines = linesOf(page)
  expect(lines.length).toBeGreaterThan(1)
  expect(lines.map(unknownIn).filter((unknown) => unknown !== null)).toEqual([])
})

test('a command or option that is not there is noticed', () => {
  expect(['frobnicate', 'tox frobnicate x', 'device remove phone --gone'].map(unknownIn)).not.toContain(null)
  expect(unknownIn('device remove phone --lost')).toBeNull()
})
