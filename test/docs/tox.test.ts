import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allNodes, commandTree } from '../../src/cli/program/command-tree.ts'
import { buildProgram } from '../../src/cli/program/program.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const DOC = read('docs/tox.md')
const ERRORS = read('src/tox/save/errors.ts')

test('docs/tox.md names only codes that exist, and every code that inspect reports', () => {
  const codes = new Set([...ERRORS.matchAll(/^ {2}\| '(TOX_[A-Z_]+)'/gm)].map(([, code]) => code!))
  const named = new Set([...DOC.matchAll(/TOX_[A-Z_]+/g)].map(([code]) => code))
  const told = new Set([...read('src/tox/save/findings.ts').matchAll(/'(TOX_[A-Z_]+)'/g)].map(([, code]) => code!))
  expect([...named].filter((code) => !codes.has(code))).toEqual([])
  expect([...told].filter((code) => !named.has(code))).toEqual([])
  expect([named.size > 15, told.size]).toEqual([true, 8])
})

test('docs/tox.md has every command on profiles, and only commands and options that exist', () => {
  const program = buildProgram(async () => {})
  const tox = program.commands.find((command) => command.name() === 'tox')!
  const named = new Set([...DOC.matchAll(/persona tox ([a-z]+)/g)].map(([, name]) => name!))
  const commands = new Map(tox.commands.map((command) => [command.name(), command]))
  expect([...named].filter((name) => !commands.has(name))).toEqual([])
  for (const name of ['up', 'down', 'peers', 'add', 'rekey', 'inspect', 'set', 'friends', 'encrypt', 'new', 'publish'])
    expect(named).toContain(name)
  const options = new Set(allNodes(commandTree(program)).flatMap((node) => node.options.flatMap(({ names }) => names)))
  const used = [...DOC.matchAll(/(?<![-\w])--[a-z][a-z-]+/g)].map(([option]) => option)
  expect(used.filter((option) => !options.has(option))).toEqual([])
  expect(used.length).toBeGreaterThan(10)
})

test('docs/tox.md explains every code of a companion that does not run', () => {
  const codes = [...read('src/toxnode/errors.ts').matchAll(/^ {2}\| '(LIVE_[A-Z_]+)'/gm)].map(([, code]) => code!)
  expect(codes.length).toBeGreaterThan(7)
  expect(codes.filter((code) => !DOC.includes(`\`${code}\``))).toEqual([])
})
