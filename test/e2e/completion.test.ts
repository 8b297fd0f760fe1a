/** Completion with the Tab key, in the shells themselves. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { allNodes, commandTree } from '../../src/cli/program/command-tree.ts'
import { buildProgram } from '../../src/cli/program/program.ts'
import { OWN_LAPTOP } from '../support/keeper.ts'
import { Home } from '../support/persona.ts'
import { person } from '../support/person.ts'
import { launcherOf } from '../support/programs.ts'

/** Replaces the completion system of a shell that has none outside of an interactive line: prints each candidate on a line. */
const ASK = {
  bash: `source "$SCRIPT"
compopt() { echo FILES; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _persona; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: `compdef() { :; }
source "$SCRIPT"
_files() { echo FILES; }
compset() { PREFIX=\${PREFIX#*=}; }
compadd() { shift; for one in "$@"; do [[ $one == $PREFIX* ]] && print -r -- "\${(q)one}"; done; }
words=("$@"); CURRENT=$#; PREFIX=\${words[CURRENT]}; _persona`,
  fish: `source $SCRIPT
complete -C (string join ' ' -- (string escape -- $argv[1..-2]) $argv[-1])`,
} as const
type Shell = keyof typeof ASK
const SHELLS = Object.keys(ASK) as Shell[]

let home: Home
let env: NodeJS.ProcessEnv

beforeEach(async () => {
  home = new Home()
  const bin = join(home.directory, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'persona'), `#!/bin/sh\nexec '${process.execPath}' '${launcherOf('persona')}' "$@"\n`, {
    mode: 0o755,
  })
  const own = { PERSONAD_HOME: home.directory, XDG_CACHE_HOME: join(home.directory, 'cache'), HOME: home.directory }
  env = { ...process.env, ...own, PATH: `${bin}:${process.env['PATH']}`, LC_ALL: 'C.UTF-8' }
  for (const shell of SHELLS) writeFileSync(script(shell), await home.done(['completion', shell]))
})

const script = (shell: Shell): string => join(home.directory, `completion.${shell}`)

/** The candidates of the shell for the last of these words, which is being typed. */
function offers(shell: Shell, ...words: readonly string[]): string[] {
  const args = shell === 'fish' ? ['-c', ASK.fish] : [shell === 'zsh' ? '-fc' : '-c', ASK[shell], shell]
  const run = spawnSync(shell, [...args, 'persona', ...words], {
    env: { ...env, SCRIPT: script(shell) },
    cwd: home.directory,
    encoding: 'utf8',
  })
  expect(run.stderr).toBe('')
  const lines = run.stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => line.split('\t')[0]!).toSorted()
}

describe.each(SHELLS)('%s', (shell) => {
  const absence = spawnSync(shell, ['--version']).status === 0 ? '' : ` (skipped: no ${shell})`

  test.skipIf(absence !== '')(`completes commands, options, fixed words and files${absence}`, () => {
    const program = buildProgram(() => Promise.resolve())
    expect(offers(shell, '')).toEqual(program.commands.map((command) => command.name()).toSorted())
    expect(offers(shell, 'dev')).toEqual(['device'])
    const device = program.commands.find((command) => command.name() === 'device')!
    expect(offers(shell, '--home', '/x', 'device', '')).toEqual(device.commands.map((one) => one.name()).toSorted())
    for (const option of ['--again', '--key', '--tox-profile', '--json']) {
      expect(offers(shell, 'device', 'add', 'phone', '--')).toContain(option)
    }
    expect(offers(shell, 'device', 'add', '--ag')).toEqual(['--again'])
    expect(offers(shell, 'device', 'list', '--again')).toEqual([])
    expect(offers(shell, 'contact', 'policy', 'Bob', '')).toEqual(['ask', 'auto', 'pin'])
    expect(offers(shell, 'accept', 'Bob', '--kind', 'u')).toEqual(['update', 'upgrade'])
    writeFileSync(join(home.directory, 'bob.tox'), '')
    const files = shell === 'fish' ? 'bob.tox' : 'FILES'
    expect(offers(shell, 'tox', 'scan', 'a.tox', 'bo')).toEqual([files])
    expect(offers(shell, 'init', '--tox-profile', 'bo')).toEqual([files])
    expect(offers(shell, 'lock', '')).toEqual([])
  })

  test.skipIf(absence !== '')(`completes names only while the daemon runs${absence}`, async () => {
    expect(offers(shell, 'contact', 'show', '')).toEqual([])
    await home.start()
    await home.done(['init', '--device', 'laptop', '--key', OWN_LAPTOP])
    for (const name of ['Bob', 'Bob Two', 'Zoe', '--force', '$(touch pwned)', '`touch pwned`', 'x\u001B[31m', 'a\nb']) {
      await home.done(['observe', 'hi', '--from', person(name).key('laptop'), `--name=${name}`])
    }
    const bobs = shell === 'fish' ? ['Bob', 'Bob Two'] : ['Bob', 'Bob\\ Two']
    expect(offers(shell, 'contact', 'show', 'Bo')).toEqual(bobs)
    expect(offers(shell, 'contact', 'show', 'Bob')).toEqual(bobs)
    expect(offers(shell, 'lookup', 'Z')).toEqual(['Zoe'])
    expect(offers(shell, 'device', 'rename', '')).toEqual(['laptop'])
    expect(offers(shell, 'device', 'rename', 'laptop', '')).toEqual([])
    expect(offers(shell, 'rotate', '--keep', 'la')).toEqual(['laptop'])
    const all = offers(shell, 'contact', 'policy', '').join('\n')
    expect(all).toContain('touch')
    for (const wrong of ['--force', '\u001B']) expect(all).not.toContain(wrong)
    if (shell !== 'fish') expect(all).not.toMatch(/(?<!\\)[$`]/)
    // Whatever the home says, it is handed on as it is.
    expect(offers(shell, '--home', '/nowhere/$(touch pwned)', 'contact', 'show', '')).toEqual([])
    expect(spawnSync('ls', [home.directory], { encoding: 'utf8' }).stdout).not.toContain('pwned')
  })
})

test('an unknown shell is refused, and a missing daemon prints nothing in place of names', async () => {
  for (const shell of ['tcsh', 'constructor']) expect(await home.failure(['completion', shell])).toBe('2 USAGE')
  expect(await home.failure(['completion', 'bash', 'zsh'])).toBe('2 USAGE')
  const nothing = { status: 1, stdout: '', stderr: '' }
  expect(await home.run(['completion', 'names', 'devices'])).toEqual(nothing)
  await home.start()
  expect(await home.run(['completion', 'names', 'devices'])).toEqual(nothing)
  for (const kind of ['contacts', 'apps', 'everybody']) {
    expect(await home.run(['completion', 'names', kind])).toEqual({ ...nothing, status: 0 })
  }
})

test('an option takes a value in all commands or in none, as the scripts assume', () => {
  const kinds = new Map<string, Set<boolean>>()
  const nodes = allNodes(commandTree(buildProgram(() => Promise.resolve())))
  for (const { names, takes } of nodes.flatMap(({ options }) => options)) {
    for (const name of names) kinds.set(name, (kinds.get(name) ?? new Set()).add(takes !== null))
  }
  expect(kinds.size).toBeGreaterThan(30)
  expect([...kinds].filter(([, takes]) => takes.size > 1).map(([name]) => name)).toEqual([])
})
