/** The man pages: made by the code, complete, and without warnings from their formatters. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allNodes, commandTree } from '../../src/cli/program/command-tree.ts'
import { buildProgram } from '../../src/cli/program/program.ts'
import { configSections } from '../../src/daemon/config.ts'
import { RELAY_SECTIONS } from '../../src/relayd/program/relay-config.ts'
import { USAGE } from '../../src/relayd/program/arguments.ts'
import { keysOf } from '../../src/process/config-file.ts'
import { WINGS } from '../../src/daemon/wings.ts'
import { madePage, PAGES } from '../generate/man.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const NAMES = ['persona.1', 'personad.1', 'personad.yaml.5', 'persona-relay.1']
const pathOf = (name: string): string => new URL(`../../docs/man/${name}`, import.meta.url).pathname
const JUDGES = [
  ['mandoc', '-Tlint', '-Wwarning'],
  ['man', '--warnings', '--local-file'],
] as const

test.each(PAGES.map(([path, make]) => [basename(path), path, make] as const))(
  'the list in %s equals the one that the code makes (to update it: node test/generate/man.ts)',
  (_, path, make) => {
    const text = readFileSync(path, 'utf8')
    expect(text).toBe(madePage(text, make()))
  },
)

test('persona.1 lists every command and every option of the command line', () => {
  const page = read('docs/man/persona.1')
  const items = page.split(/^\.It (?=Ic )/m).slice(1)
  const leaves = allNodes(commandTree(buildProgram(() => Promise.resolve()))).filter(
    (node) => node.commands.length === 0,
  )
  expect(items).toHaveLength(leaves.length)
  for (const { words, args, options } of leaves) {
    const item = items.find((one) => new RegExp(`^Ic ${words.join(' ')}(?: Ar| Op|\n)`).test(one))
    expect(item, words.join(' ')).toBeDefined()
    for (const { name } of args) expect(item!.split('\n')[0], words.join(' ')).toContain(`Ar ${name}`)
    for (const { names } of options) for (const name of names) expect(item).toContain(`Fl ${name.slice(1)}`)
  }
  for (const option of ['json', 'verbose', 'home', 'version', 'help'])
    expect(page).toMatch(new RegExp(`^\\.It .*Fl.* -${option}`, 'm'))
})

test('personad.yaml.5 lists every key of the configuration with its default, and no other key', () => {
  const page = read('docs/man/personad.yaml.5')
  const listed = [...page.matchAll(/^\.It Cm ([a-z_.]+)\n(?:(?!^\.It Cm [a-z_]+\.)[^])*?^Default:\n\.Ql (.+) \.$/gm)]
  expect(listed.map(([, key]) => key)).toEqual(keysOf(configSections(WINGS)).map(({ path }) => path))
  expect(listed.every(([, , value]) => value !== '')).toBe(true)
})

test('personad.1 lists every option of the daemon, and no other', () => {
  const [, usage] = /const USAGE = `([^`]*)`/.exec(read('src/daemon/main.ts'))!
  const options = [...usage!.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, option]) => option)
  const listed = [...read('docs/man/personad.1').matchAll(/^\.It Fl -([a-z-]+)/gm)].map(([, option]) => option)
  expect(options.length).toBeGreaterThan(3)
  expect(listed).toEqual(options)
})

test('persona-relay.1 lists every command, option and key of the relay, and no other', () => {
  const page = read('docs/man/persona-relay.1')
  const listed = (pattern: RegExp): (string | undefined)[] => [...page.matchAll(pattern)].map(([, name]) => name)
  const options = [...USAGE.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, option]) => option)
  expect(options.length).toBeGreaterThan(5)
  expect(listed(/^\.It Fl -([a-z-]+)/gm)).toEqual(options)
  const commands = ['serve', 'init', 'check', 'token add', 'token list', 'token remove', 'stats', 'forget']
  const keys = keysOf(RELAY_SECTIONS).map(({ path }) => path)
  expect(listed(/^\.It Cm ([a-z ._]+?)(?: Ar .*)?$/gm)).toEqual([...commands, ...keys])
})

describe.each(NAMES)('%s', (name) => {
  const page = read(`docs/man/${name}`)

  test('is mdoc in ASCII, and closes its lists', () => {
    expect(page).toMatch(
      /^(?:\.\\".*\n)*\.Dd [A-Z][a-z]+ \d{1,2}, \d{4}\n\.Dt \S+ [15]\n\.Os\n\.Sh NAME\n\.Nm \S+\n\.Nd .+\n/,
    )
    expect(page).not.toMatch(/[^\n\x20-\x7E]/)
    for (const [open, close] of [
      ['Bl', 'El'],
      ['Bd', 'Ed'],
    ]) {
      const count = (macro: string): number => page.split(`\n.${macro}`).length - 1
      expect(count(open!)).toBe(count(close!))
    }
    expect(page.split('\n').filter((line) => line === '.' || /^\.[a-z]/.test(line))).toEqual([])
  })

  for (const [judge, ...args] of JUDGES) {
    const absence = spawnSync(judge, ['--version']).error === undefined ? '' : ` (skipped: no ${judge})`
    test.skipIf(absence !== '')(`passes ${judge} without a warning${absence}`, () => {
      const run = spawnSync(judge, [...args, pathOf(name)], { encoding: 'utf8' })
      expect(judge === 'mandoc' ? run.stdout : '').toBe('')
      expect(run.stderr).toBe('')
      expect(run.status).toBe(0)
    })
  }
})
