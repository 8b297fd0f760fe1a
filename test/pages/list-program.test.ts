/** examples/list.py, a program of a daemon, shares the list of a real browser (docs/guide/two-browsers.md). */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { BROWSER } from '../../examples/shopping-list/chromium.ts'
import { serveList } from '../../examples/shopping-list/serve.ts'
import { Shopper } from '../../examples/shopping-list/shopper.ts'
import { Side } from '../support/channel-sides.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { startBrowser } from './browsers.ts'

const PROGRAM = resolve(import.meta.dirname, '../../examples/list.py')
const TIMEOUT_MS = 120_000 // sanity: some seconds on an idle machine
const hasPython = spawnSync('python3', ['--version']).status === 0

test.skipIf(BROWSER === undefined || !hasPython)(
  'a program in Python accepts the link of a browser, and both see each change of the other (needs chromium and python3)',
  async () => {
    const relay = await RelayProcess.start({ home: tempDir() })
    const list = await serveList(relay.url, 0)
    onTestFinished(() => list.close())
    const side = await new Side({ relays: [relay.url], private: ['127.0.0.1'] }).start()
    const { token } = await side.client.call('app.allow', { name: 'shopping-list', can: ['channel'] })
    const alice = await Shopper.open(await startBrowser(), list.url, 'Alice')
    await alice.add('Bread')
    const link = await alice.share('Kitchen')
    await alice.closeLink()
    const program = spawn('python3', [PROGRAM, join(side.home, 'run', 'app.sock'), link, 'Salt'], {
      env: { ...process.env, LIST_TOKEN: token },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void program.kill('SIGKILL'))
    const ended = once(program, 'exit')
    const printed: string[] = []
    createInterface({ input: program.stdout }).on('line', (line) => printed.push(line))
    const failed = ended.then(([status]) => Promise.reject(new Error(`the program ended with ${status}`)))
    await Promise.race([alice.seesItems('Bread', 'Salt'), failed])
    await alice.tick('Salt')
    await alice.remove('Bread')
    await alice.seesItems('✓ Salt')
    await alice.stopSharing('Kitchen')
    expect((await ended)[0]).toBe(0)
    expect(printed.slice(0, 3)).toEqual(['[ ] Bread', '[ ] Salt', ''])
    expect(printed.slice(-2)).toEqual(['[x] Salt', ''])
  },
  TIMEOUT_MS,
)
