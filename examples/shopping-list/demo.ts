/** `npm run demo:connectoid`: a relay, the shopping list, and two browsers that share it by one link. Screenshots show both. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { BROWSER, launchBrowser } from './chromium.ts'
import { serveList } from './serve.ts'
import { Shopper } from './shopper.ts'

const PERSONA_RELAY = resolve(import.meta.dirname, '../../src/launch/persona-relay.js')
const running = new Set<ChildProcess>()

interface Relay {
  readonly process: ChildProcess
  readonly url: string
}

/** Starts a relay that keeps its data below a directory. @param port 0 for any free one */
async function startRelay(dir: string, port: number): Promise<Relay> {
  const config = join(dir, 'relay.yaml')
  writeFileSync(config, `listen: '127.0.0.1:${port}'\n`, { mode: 0o600 })
  const args = [PERSONA_RELAY, 'serve', '--dir', join(dir, 'relay'), '--config', config]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  running.add(child)
  for await (const line of createInterface({ input: child.stderr })) {
    if (!line.includes('"relay.ready"')) continue
    child.stderr.resume()
    return { process: child, url: (JSON.parse(line) as { url: string }).url }
  }
  throw new Error('the relay did not start')
}

async function stopRelay(relay: Relay): Promise<void> {
  relay.process.kill('SIGTERM')
  await once(relay.process, 'exit')
  running.delete(relay.process)
}

function scene(text: string): void {
  console.log(`- ${text}`)
}

/** The whole story. @param dir for the data of relay and browsers @param shots the directory of the screenshots */
async function play(dir: string, shots: string): Promise<void> {
  const show = async ({ page }: Shopper, name: string): Promise<void> => {
    await page.screenshot({ path: join(shots, `${name}.png`) })
  }
  const relay = await startRelay(dir, 0)
  const list = await serveList(relay.url, 0)
  scene(`A relay serves at ${relay.url}, and the page at ${list.url}`)

  const browsers = await Promise.all(['alice', 'bob'].map((name) => launchBrowser(join(dir, name))))
  const alice = await Shopper.open(browsers[0]!, list.url, 'Alice')
  await alice.add('Bread')
  await alice.add('Milk')
  await alice.seesItems('Bread', 'Milk')
  const link = await alice.share('Bob')
  await show(alice, '1-alice-link')
  await alice.closeLink()
  scene('Alice writes a list, and makes a link for Bob')

  const bob = await Shopper.open(browsers[1]!, link, 'Bob')
  await bob.isAsked()
  await show(bob, '2-bob-asked')
  await bob.agree('Alice')
  await bob.seesItems('Bread', 'Milk')
  if ((await alice.words()) !== (await bob.words())) throw new Error('Alice and Bob see different words')
  await show(alice, '3-alice-words')
  await alice.findWordsSame()
  await bob.findWordsSame()
  scene('Bob opens the link and agrees; both see the list, and the same four words')

  await stopRelay(relay)
  await alice.tick('Milk')
  await bob.remove('Bread')
  await bob.add('Eggs')
  await show(bob, '4-bob-offline')
  await startRelay(dir, Number(new URL(relay.url).port))
  for (const { page } of [alice, bob]) await page.reload()
  await Promise.all([alice, bob].map((person) => person.seesItems('✓ Milk', 'Eggs')))
  await show(alice, '5-alice-both')
  await show(bob, '5-bob-both')
  scene('Both edit while the relay is away; once it is back, both lists are equal')

  await alice.stopSharing('Bob')
  await bob.sees('They share this list with you no more.')
  await show(bob, '6-bob-alone')
  scene('Alice stops sharing, and Bob sees it')
  await Promise.all(browsers.map((browser) => browser.close()))
  list.close()
}

async function main(): Promise<void> {
  if (BROWSER === undefined) throw new Error('there is no Chromium on this machine: install the package chromium')
  const { values } = parseArgs({ options: { screenshots: { type: 'string' } } })
  const shots = resolve(values.screenshots ?? mkdtempSync(join(tmpdir(), 'shopping-list-screenshots-')))
  mkdirSync(shots, { recursive: true })
  const dir = mkdtempSync(join(tmpdir(), 'shopping-list-'))
  // However this ends, no relay and no data stays.
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  await play(dir, shots)
  console.log(`the screenshots are in ${shots}`)
  process.exit(0)
}

try {
  await main()
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}
