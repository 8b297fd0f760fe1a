/** The example app in two real browsers, each with the screen of a phone (examples/shopping-list). */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { BROWSER } from '../../examples/shopping-list/chromium.ts'
import { serveList, type Served } from '../../examples/shopping-list/serve.ts'
import { Shopper } from '../../examples/shopping-list/shopper.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { startBrowser } from './browsers.ts'

const TIMEOUT_MS = 180_000 // sanity: some ten seconds on an idle machine
/** Each story starts browsers, so most of them run only where the environment asks for it. */
const more = test.runIf(process.env['PAGES'] !== undefined)
const PHONE_PIXELS = 360
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

async function serve(relay: string, port = 0): Promise<Served> {
  const list = await serveList(relay, port)
  onTestFinished(() => list.close())
  return list
}

interface Judged {
  readonly passes: number
  readonly broken: readonly string[]
}

/** Checks what people see now: the rules of axe, its contrast in dark colours too, and that nothing is wider than the screen. */
async function expectForAll(page: Page): Promise<void> {
  await page.evaluate(AXE)
  const judge = async (options: object): Promise<Judged> =>
    await page.evaluate(`axe.run(${JSON.stringify(options)}).then(({ passes, violations }) => ({ passes: passes.length,
      broken: violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join()) }))`)
  const all = await judge({})
  expect(all.broken).toEqual([])
  expect(all.passes).toBeGreaterThan(10)
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await judge({ runOnly: ['color-contrast'] })).toEqual({ passes: 1, broken: [] })
  await page.emulateMedia({ colorScheme: 'light' })
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE_PIXELS)
}

describe.skipIf(BROWSER === undefined)('the shopping list in two browsers (needs chromium)', () => {
  test(
    'is one list after one link, also after edits and a reload without relay and network; it is accessible',
    async () => {
      const home = tempDir()
      const relay = await RelayProcess.start({ home })
      const list = await serve(relay.url)
      const [first, second] = await Promise.all([startBrowser(), startBrowser()])
      const alice = await Shopper.open(first, list.url, 'Alice')
      await alice.add('Bread')
      await alice.add('Milk')
      const link = await alice.share('Bob')
      await expectForAll(alice.page)
      await alice.closeLink()

      const calls: string[] = []
      second.on('request', (request) => calls.push(request.url()))
      const bob = await Shopper.open(second, link, 'Bob')
      await bob.isAsked()
      await expectForAll(bob.page)
      expect(calls).toContain(`${list.url}app.js`)
      expect(calls.filter((url) => url.startsWith(relay.url))).toEqual([])
      await bob.agree('Alice')
      await bob.seesItems('Bread', 'Milk')
      expect(bob.page.url()).toBe(list.url)
      expect(await bob.words()).toBe(await alice.words())
      await expectForAll(alice.page)
      await alice.findWordsSame()
      await bob.add('Eggs')
      await alice.tick('Milk')
      await bob.seesItems('Bread', '✓ Milk', 'Eggs')
      await alice.seesItems('Bread', '✓ Milk', 'Eggs')

      await relay.kill('SIGKILL')
      list.close()
      await alice.change('Bread', 'Rye bread')
      await bob.remove('Bread')
      await bob.add('Tea')
      await alice.remove('Eggs')
      await alice.page.reload()
      await alice.seesItems('Rye bread', '✓ Milk')
      await bob.page.reload()
      await bob.seesItems('✓ Milk', 'Eggs', 'Tea')
      await serve(relay.url, Number(new URL(list.url).port))
      await RelayProcess.start({ home, listen: `127.0.0.1:${relay.port}` })
      for (const { page } of [alice, bob]) await page.reload()
      await Promise.all([alice, bob].map((person) => person.seesItems('✓ Milk', 'Tea')))

      await alice.stopSharing('Bob')
      await bob.sees('They share this list with you no more.')
      await alice.sees('Nobody yet.')
      await alice.seesItems('✓ Milk', 'Tea')
    },
    TIMEOUT_MS,
  )
})

describe.skipIf(BROWSER === undefined)('one person of the list (needs chromium)', () => {
  more(
    'reads on a second device that the link was used, perhaps by themselves, and goes on at the first',
    async () => {
      const relay = await RelayProcess.start({ home: tempDir() })
      const list = await serve(relay.url)
      const [hers, phone, laptop] = await Promise.all([startBrowser(), startBrowser(), startBrowser()])
      const alice = await Shopper.open(hers, list.url, 'Alice')
      const link = await alice.share('Bob')
      await alice.closeLink()
      const bob = await Shopper.open(phone, link, 'Bob')
      await bob.agree('Alice')
      expect(await bob.words()).toBe(await alice.words())
      const again = await Shopper.open(laptop, link, 'Bob')
      await again.agree('Alice')
      await again.sees('The link was used by somebody else, perhaps by you on another device. Ask for a new link.')
      await alice.sees('Somebody else came with the same link.')
      await bob.add('Tea')
      await alice.seesItems('Tea')
      expect(await again.items()).toEqual([])
    },
    TIMEOUT_MS,
  )

  more(
    'whose browser has thrown its storage away is last heard before that, and has the list again by a new link',
    async () => {
      const relay = await RelayProcess.start({ home: tempDir() })
      const list = await serve(relay.url)
      const [hers, his] = await Promise.all([startBrowser(), startBrowser()])
      const alice = await Shopper.open(hers, list.url, 'Alice')
      await alice.add('Bread')
      const link = await alice.share('Bob')
      await alice.closeLink()
      const bob = await Shopper.open(his, link, 'Bob')
      await bob.agree('Alice')
      await bob.seesItems('Bread')
      await alice.sees('They have all changes.')
      await bob.page.goto('about:blank')
      const devTools = await his.newCDPSession(bob.page)
      await devTools.send('Storage.clearDataForOrigin', { origin: new URL(list.url).origin, storageTypes: 'all' })
      await bob.page.goto(list.url)
      await bob.sees('Nobody yet.')
      await alice.add('Milk')
      await alice.sees('The last changes are on their way. Last heard: ')
      const second = await alice.renewLink('Bob')
      await alice.closeLink()
      expect(await alice.page.locator('#people h3').allTextContents()).toEqual(['Bob', 'Bob'])
      await bob.page.goto(second)
      await bob.agree('Alice')
      await bob.seesItems('Bread', 'Milk')
      await alice.sees('They have all changes.')
      await alice.seesPeople('Bob')
    },
    TIMEOUT_MS,
  )
})

describe('npm run demo:connectoid', () => {
  const DEMO = resolve(import.meta.dirname, '../../examples/shopping-list/demo.ts')

  test.runIf(BROWSER !== undefined && process.env['PAGES'] !== undefined)(
    'plays the story and leaves nothing but the screenshots',
    () => {
      const dir = tempDir()
      const env = { ...process.env, TMPDIR: dir }
      const demo = spawnSync(process.execPath, [DEMO, '--screenshots', join(dir, 'shots')], { env, encoding: 'utf8' })
      expect([demo.status, demo.stderr]).toEqual([0, ''])
      expect(readdirSync(join(dir, 'shots'))).toHaveLength(7)
      expect(readdirSync(dir).filter((name) => name.startsWith('shopping-list'))).toEqual([])
    },
    TIMEOUT_MS,
  )

  test('says in a sentence that there is no Chromium', () => {
    const demo = spawnSync(process.execPath, [DEMO], { env: { PATH: '' }, encoding: 'utf8' })
    expect(demo.stderr).toBe('demo: there is no Chromium on this machine: install the package chromium\n')
    expect(demo.status).toBe(1)
  })
})
