/** Commands in their plain form do what the grammar does with them, without loading it. */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { plainCommand } from '../../src/cli/plain-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const MAIN = resolve('src/cli/main.ts')
const HOOK = resolve('test/support/loaded-modules.mjs')
const home = join(tmpdir(), 'personad-no-such-home')

/** Runs the command line from its sources. @returns its answer, and the modules of src that it loaded */
function persona(...argv: string[]): { answer: unknown; loaded: string[] } {
  const file = join(tempDir(), 'loaded')
  const env = { ...process.env, LOADED_MODULES: file }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', HOOK, MAIN, ...argv], {
    env,
    encoding: 'utf8',
  })
  const loaded = readFileSync(file, 'utf8').trimEnd().split('\n')
  rmSync(file)
  return { answer: { status, stdout, stderr }, loaded }
}

describe('a command in its plain form', () => {
  it.each([
    ['lookup', ['lookup', 'Bob', '--home', home]],
    ['lookup for programs', ['--json', 'lookup', 'Bob', '--home', home]],
    ['status', ['status', '--home', home]],
  ])('%s answers as the grammar does, and loads none of it', (_, argv) => {
    const plain = persona(...argv)
    const whole = persona('--color', 'auto', ...argv)
    expect(plain.answer).toMatchObject({ status: 3 })
    expect(plain.answer).toEqual(whole.answer)
    const isGrammar = (path: string): boolean => path.startsWith('cli/program/')
    expect(plain.loaded.filter(isGrammar)).toEqual([])
    expect(whole.loaded.filter(isGrammar)).not.toEqual([])
  })
})

describe('the grammar reads', () => {
  it.each([
    ['no command', []],
    ['another command', ['contact', 'list']],
    ['a name that every object has', ['constructor', 'Bob']],
    ['a word too few', ['lookup']],
    ['a word too many', ['lookup', 'Bob', 'Carol']],
    ['a word too many for status', ['status', 'Bob']],
    ['an empty word', ['lookup', '']],
    ['another option', ['lookup', 'Bob', '--verbose']],
    ['help', ['lookup', '--help']],
    ['what follows --', ['lookup', '--', '--json']],
    ['--home without a directory', ['status', '--home']],
    ['--home with an empty text', ['status', '--home', '']],
    ['--home before an option', ['status', '--home', '--json']],
    ['--home twice', ['status', '--home', '/a', '--home', '/b']],
    ['--home with =', ['status', '--home=/a']],
  ])('%s', (_, argv) => {
    expect(plainCommand(argv)).toBeNull()
  })
})
