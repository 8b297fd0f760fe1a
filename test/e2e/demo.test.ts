/** `npm run demo`, as a user without profiles runs it, and copies of it with one broken step. CI plays it on copies of real profiles too. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempDir } from '../support/temp-dir.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const TIMEOUT_MS = 120_000

interface Played {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  /** The files that it left in the directory for temporary files. */
  readonly left: readonly string[]
}

async function play(demo: string, ...args: readonly string[]): Promise<Played> {
  const temp = tempDir()
  const child = spawn(process.execPath, [demo, ...args], { env: { ...process.env, TMPDIR: temp } })
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text))
  const [status] = (await once(child, 'close')) as [number]
  return { status, ...printed, left: readdirSync(temp) }
}

/** A copy of the demo with one line replaced. */
function demoWith(file: string, line: string, other: string): string {
  const root = tempDir()
  cpSync(join(ROOT, 'examples'), join(root, 'examples'), { recursive: true })
  for (const name of ['src', 'package.json']) symlinkSync(join(ROOT, name), join(root, name))
  const path = join(root, 'examples', file)
  const text = readFileSync(path, 'utf8')
  expect(text.split(line)).toHaveLength(2)
  writeFileSync(path, text.replace(line, other))
  return join(root, 'examples', 'demo.ts')
}

function expectWholeStory({ status, stdout, stderr, left }: Played): void {
  expect(stderr).toBe('')
  expect(status).toBe(0)
  const scenes = [...stdout.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number))
  expect(scenes).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  expect(stdout).toContain('alice $ persona init --device laptop --tox-profile alice-laptop.tox\n')
  expect(stdout).toMatch(/\n {6}event: Alice \(….{8}\): message goes to phone \(….{8}\)\n/)
  const checks = [...stdout.matchAll(/^ {3}=> /gm)].length
  expect(checks).toBeGreaterThan(15)
  expect(stdout.endsWith(`\nAll ${checks} checks hold.\n`)).toBe(true)
  expect(left).toEqual([])
}

describe('the demo', () => {
  // CI plays the demo as a step of its own; `npm run test:slow` plays it here too.
  test.runIf(process.env['STORIES'] !== undefined)(
    'plays on profiles that it makes itself',
    async () => {
      const played = await play(join(ROOT, 'examples', 'demo.ts'), '--generate')
      expectWholeStory(played)
      expect(played.stdout).toContain('The demo makes its own Tox profiles.')
    },
    TIMEOUT_MS,
  )

  // One of them shows in each run that the checks can fail, and all of them in `npm run test:slow`.
  test.for([
    {
      what: 'the phone never shows the table',
      file: 'demo.ts',
      line: "without an answer.',\n  )\n  carry(cast, 'alice-phone.tox')",
      other: "without an answer.',\n  )",
      fails: 'this does not hold: one change waits',
    },
    {
      what: 'a client cuts the status message',
      file: 'demo-profiles.ts',
      isQuick: true,
      line: 'encode(text)',
      other: 'encode(text.slice(0, -1))',
      fails: 'this does not hold: Alice is a persona with one trusted device',
    },
    {
      what: 'another device shows the table in the place of the laptop',
      file: 'demo-profiles.ts',
      line: 'deliver(text: string, from: string, file: string): void {',
      other: 'deliver(text: string, from: string, file: string): void {\n  from = anyOtherFriend(file, [from]).key',
      fails: 'this does not hold: Alice is a persona with one trusted device',
    },
  ])('fails when $what', { timeout: TIMEOUT_MS }, async ({ file, line, other, fails, isQuick = false }, { skip }) => {
    skip(!isQuick && process.env['STORIES'] === undefined, 'a long run plays it')
    const { status, stdout, stderr, left } = await play(demoWith(file, line, other), '--generate')
    expect(stderr).toContain(fails)
    expect(status).toBe(1)
    expect(stdout).not.toContain('checks hold')
    expect(left).toEqual([])
  })

  test('refuses missing profiles', async () => {
    const empty = join(tempDir(), 'empty')
    mkdirSync(empty)
    const { status, stderr } = await play(join(ROOT, 'examples', 'demo.ts'), '--profiles', empty)
    expect([status, stderr]).toEqual([1, `\ndemo: no alice-laptop, alice-phone and bob.tox in ${empty}\n`])
  })
})
