/** The direct way of a page: to another browser, and to a daemon with personad-rtc (docs/connectoid.md, docs/channel.md section 14). */
import { describe, expect, test } from 'vitest'
import { BROWSER } from '../../examples/shopping-list/chromium.ts'
import { Person, relayAndApp } from './browser-person.ts'
import { isLibraryInstalled } from '../../src/rtcnode/installed.ts'
import { readUpTo, Side } from '../support/channel-sides.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const TIMEOUT_MS = 120_000
const BACK_ONLINE = `dispatchEvent(new Event('online'))`
/** Each story starts browsers, so most of them run only where the environment asks for it. */
const more = test.runIf(process.env['PAGES'] !== undefined)

/** Kills the relay. @returns starts it again with its data, at its address */
async function stopRelay(relay: RelayProcess): Promise<() => Promise<unknown>> {
  relay.child.kill('SIGKILL')
  await relay.ended
  const { port, dataDir } = relay
  return () => RelayProcess.start({ home: tempDir(), dataDir, listen: `127.0.0.1:${port}` })
}

/** Alice and Bob, who both allow the direct way. */
async function connected(service: string, app: string): Promise<{ alice: Person; bob: Person }> {
  const options = { service, direct: true }
  const [alice, bob] = await Promise.all([Person.start(app, options), Person.start(app, options)])
  await bob.accept(await alice.share('Bob'), 'Alice')
  await Promise.all([alice.sees('Bob', { state: 'connected' }), bob.sees('Alice', { state: 'connected' })])
  return { alice, bob }
}

describe.skipIf(BROWSER === undefined)('a page that allows the direct way (needs chromium)', () => {
  test(
    'sends to another page without the relay while it is open, and by the relay after it is closed',
    async () => {
      const { relay, app } = await relayAndApp()
      const { alice, bob } = await connected(relay.url, app)
      expect(await alice.sees('Bob', {})).toMatchObject({ way: 'relay' })
      await alice.send('Bob', 'opens the way')
      await Promise.all([alice.sees('Bob', { way: 'direct' }), bob.sees('Alice', { way: 'direct' })])
      const startRelay = await stopRelay(relay)
      await Promise.all([alice.send('Bob', 'direct'), bob.send('Alice', 'direct, too')])
      expect(await bob.messages(2)).toEqual(['opens the way', 'direct'])
      expect(await alice.messages(1)).toEqual(['direct, too'])
      await alice.sees('Bob', { unsent: 0, problem: null })
      await bob.run('connections.forEach((each) => each.close())')
      await bob.send('Alice', 'by the relay')
      await bob.sees('Alice', { way: 'relay', unsent: 1, problem: 'OFFLINE' })
      await startRelay()
      await Promise.all([alice.run(BACK_ONLINE), bob.run(BACK_ONLINE)])
      expect(await alice.messages(2)).toEqual(['direct, too', 'by the relay'])
    },
    TIMEOUT_MS,
  )

  test.runIf(process.env['PAGES'] !== undefined && isLibraryInstalled())(
    'sends to a daemon and back without the relay, and by the relay after it is closed (needs node-datachannel)',
    async () => {
      const { relay, app } = await relayAndApp()
      const net = { relays: [relay.url], private: ['127.0.0.1'], direct: true }
      const side = await new Side(net).start()
      const page = await Person.start(app, { service: relay.url, direct: true, page: 'https://app.example/' })
      const link = await page.share('Daemon')
      const { id } = await side.client.call('channel.accept', { invite: link, app: 'list', name: 'Page', direct: true })
      await page.sees('Daemon', { state: 'connected' })
      await page.send('Daemon', 'opens the way')
      await page.sees('Daemon', { way: 'direct' })
      const startRelay = await stopRelay(relay)
      await page.send('Daemon', 'direct')
      await side.client.call('channel.send', { id, text: 'back' })
      expect(await readUpTo(side, id, 2)).toEqual(['opens the way', 'direct'])
      expect(await page.messages(1)).toEqual(['back'])
      await page.run('connections.forEach((each) => each.close())')
      await page.send('Daemon', 'by the relay')
      await page.sees('Daemon', { way: 'relay' })
      await startRelay()
      await page.run(BACK_ONLINE)
      expect(await readUpTo(side, id, 3, 2)).toEqual(['by the relay'])
    },
    TIMEOUT_MS,
  )

  more(
    'hangs up after 30 s without contents',
    async () => {
      const { relay, app } = await relayAndApp()
      const { alice, bob } = await connected(relay.url, app)
      await alice.page.clock.install()
      await alice.send('Bob', 'opens the way')
      await Promise.all([alice.sees('Bob', { way: 'direct' }), bob.sees('Alice', { way: 'direct' })])
      await alice.page.clock.fastForward('00:31')
      await Promise.all([alice.sees('Bob', { way: 'relay' }), bob.sees('Alice', { way: 'relay' })])
    },
    TIMEOUT_MS,
  )
})
