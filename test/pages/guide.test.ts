/** The page of docs/guide/two-browsers.md, made of its blocks by its commands, in two browsers. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { BROWSER } from '../../examples/shopping-list/chromium.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { openTab, startBrowser } from './browsers.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const TIMEOUT_MS = 180_000 // sanity: some ten seconds on an idle machine
const hasPython = spawnSync('python3', ['--version']).status === 0

function blockOf(guide: string, language: string): string {
  const blocks = [...guide.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm'))]
  expect(blocks).toHaveLength(1)
  return blocks[0]![1]!
}

/** Runs a command until it prints an address. */
async function served(command: string): Promise<string> {
  const child = spawn('sh', ['-c', `exec ${command}`], { cwd: ROOT, env: { ...process.env, PYTHONUNBUFFERED: '1' } })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stderr.resume()
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/\S+\//.exec(line)?.[0]
    if (url !== undefined) return url
  }
  throw new Error(`${command}: ended`)
}

describe.skipIf(BROWSER === undefined || !hasPython)('the guide (needs chromium and python3)', () => {
  test(
    'its page shares a note between two browsers, also while the relay was away',
    async () => {
      const home = tempDir()
      const relay = await RelayProcess.start({ home })
      const guide = readFileSync(join(ROOT, 'docs/guide/two-browsers.md'), 'utf8')
      const ours = guide.replaceAll('http://127.0.0.1:8787', relay.url)
      const note = join(home, 'note')
      mkdirSync(note)
      writeFileSync(join(note, 'index.html'), blockOf(ours, 'html'))
      writeFileSync(join(note, 'app.js'), blockOf(ours, 'js'))
      const commands = blockOf(guide, 'sh').trim().split('\n')
      expect(commands).toHaveLength(2)
      const [make, serve] = commands.map((line) => line.replace(/\bnote\b/, note).replace('8080', '0'))
      expect(spawnSync('sh', ['-c', make!], { cwd: ROOT, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
      const url = await served(serve!)

      const [first, second] = await Promise.all([startBrowser(), startBrowser()])
      const alice = await openTab(first, url)
      await alice.getByRole('button', { name: 'Share' }).click()
      await alice.locator('#link:not(:empty)').waitFor()
      const bob = await openTab(second, (await alice.locator('#link').textContent())!)
      await bob.locator('#agree').click()
      await Promise.all([alice, bob].map((page) => page.getByText('friend: connected').waitFor()))
      const [byAlice, byBob] = await Promise.all([alice, bob].map((page) => page.locator('#people').textContent()))
      expect(byAlice).toMatch(/^friend: connected( [a-z]+){4}$/)
      expect(byBob).toBe(byAlice)

      const shown = `(text) => new Promise((done) => { const look = () => note.value === text ? done() : requestAnimationFrame(look); look() })`
      await alice.locator('#note').fill('milk')
      await alice.locator('#note').press('Tab')
      await bob.evaluate(`(${shown})('milk')`)
      await relay.kill('SIGTERM')
      await alice.locator('#note').fill('milk and bread')
      await alice.locator('#note').press('Tab')
      await RelayProcess.start({ home, listen: `127.0.0.1:${relay.port}` })
      await bob.evaluate(`(${shown})('milk and bread')`)
    },
    TIMEOUT_MS,
  )
})
