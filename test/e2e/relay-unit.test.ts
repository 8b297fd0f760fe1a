/**
 * The unit of `persona-relay init` under a real service manager of the system, which boots below a root of its own. It takes half a minute, and
 * root: SYSTEM_MANAGER=1 runs it.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { missingForManager, namedLines, NO_MANAGER, runInNamespaces } from '../support/service-manager.ts'

const NAMESPACES = ['--mount', '--pid', '--ipc', '--uts', '--net', '--fork', '--kill-child', '--propagation', 'private']
const STORY = 'test/support/relay-unit-story.sh' // a path below the checkout

const reason =
  process.env['SYSTEM_MANAGER'] === undefined ? 'needs SYSTEM_MANAGER=1' : missingForManager(['pivot_root'], NAMESPACES)

describe.skipIf(reason !== '')(`persona-relay as a service of the system (${reason || 'runs'})`, () => {
  let lines = new Map<string, string>()
  beforeAll(() => {
    const directory = mkdtempSync(join(tmpdir(), 'personad-test-'))
    const manager = [resolve('test/support/system-manager.sh'), resolve('.'), STORY, directory]
    const { status, stderr } = runInNamespaces(NAMESPACES, ['sh', ...manager])
    if (status === NO_MANAGER) throw new Error(`no service manager of the system can run here: ${stderr}`)
    const text = readFileSync(join(directory, 'lines'), 'utf8')
    rmSync(directory, { recursive: true })
    if (status !== 0) throw new Error(`the story ended with ${status}: ${text}${stderr}`)
    lines = namedLines(text)
  }, 180_000)

  const rules: readonly [rule: string, expected: Readonly<Record<string, string>>][] = [
    ['the unit of init starts, and the relay answers', { started: 'active success', healthy: '{"ok":true}' }],
    ['its user exists only while it runs, and owns the data', { user: 'dynamic' }],
    [
      'nobody else reaches the data',
      {
        data: '700 700',
        files: 'anchor control.sock lock metrics.sock objects pid relay.key store',
        'open-files': '0',
      },
    ],
    [
      'it has no capability, cannot gain privileges, calls only what the unit lists, and writes no core dump',
      { capabilities: '0000000000000000', 'no-new-privileges': '1', filter: '2', core: '0', 'most-files': '20000' },
    ],
    ["root calls the operator's commands from outside of the sandbox", { token: '1', stats: 'some' }],
    ['a reload takes what the configuration may change', { reloaded: '0', operator: '1' }],
    ['a killed relay starts again', { 'after-kill': 'active 1 {"ok":true}' }],
    ['a stop ends it without an error', { stopped: 'inactive success 0' }],
    [
      'a move under the service manager reads the directory of the service, which it keeps',
      { mover: '1', 'after-move': 'active 1' },
    ],
    ['a start without its database is tried again until the database is there', { away: 'activating 1' }],
    ['a configuration that it refuses is not tried again', { refused: 'failed 78 0' }],
  ]
  test.each(rules)('%s', (_, expected) => {
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, lines.get(name)]))).toEqual(expected)
  })
})
