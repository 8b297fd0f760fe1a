/** `npm run demo:apps`: two people meet in a second app without a code or a link, by the real programs. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { tempDir } from '../support/temp-dir.ts'

const DEMO = resolve(import.meta.dirname, '../../examples/two-apps/demo.ts')

test.runIf(process.env['STORIES'] !== undefined).for([
  { what: 'two devices of each person', args: [], expected: 18 },
  { what: 'one device of each person', args: ['--one'], expected: 16 },
])(
  'the story of two apps on $what holds in each of its lines, and leaves nothing',
  { timeout: 240_000 },
  async ({ args, expected }) => {
    const temp = tempDir()
    const child = spawn(process.execPath, [DEMO, ...args], { env: { ...process.env, TMPDIR: temp } })
    const printed = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text))
    const [status] = (await once(child, 'close')) as [number]
    expect([printed.stderr, status]).toEqual(['', 0])
    const scenes = [...printed.stdout.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number))
    expect(scenes).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(printed.stdout).toMatch(
      /^ {6}Kim ….{8}, introduced by org\.example\.renuicorn, is proposed in org\.example\.veilchat$/m,
    )
    const checks = [...printed.stdout.matchAll(/^ {3}=> /gm)].length
    expect(checks).toBe(expected)
    expect(printed.stdout.endsWith(`\nAll ${checks} checks hold.\n`)).toBe(true)
    expect(readdirSync(temp)).toEqual([])
  },
)
