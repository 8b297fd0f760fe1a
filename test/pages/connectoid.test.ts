/** The library for web pages in real browsers, each a process of its own, over a real relay (docs/connectoid.md). */
import type { Request } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { BROWSER } from '../../examples/shopping-list/chromium.ts'
import { openTab, serveApp } from './browsers.ts'
import { Person, relayAndApp } from './browser-person.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const TIMEOUT_MS = 60_000
const DAY_MS = 86_400_000
/** Each story starts browsers, so most of them run only where the environment asks for it. */
const more = test.runIf(process.env['PAGES'] !== undefined)

/** Alice and Bob, connected. */
async function connected(service: string, app: string): Promise<{ alice: Person; bob: Person; url: string }> {
  const [alice, bob] = await Promise.all([
    Person.start(app, { service, name: 'Alice A.' }),
    Person.start(app, { service, name: 'Bob B.' }),
  ])
  const url = await alice.share('Bob')
  await bob.accept(url, 'Alice')
  await Promise.all([alice.sees('Bob', { state: 'connected' }), bob.sees('Alice', { state: 'connected' })])
  return { alice, bob, url }
}

describe.skipIf(BROWSER === undefined)('two pages in two browsers (needs chromium)', () => {
  test(
    'connect by one link, have the same words, and send both ways, also after a reload and while the other is closed',
    async () => {
      const { relay, app } = await relayAndApp()
      const service = relay.url
      const { alice, bob } = await connected(service, app)
      const [byAlice, byBob] = [await alice.sees('Bob', {}), await bob.sees('Alice', {})]
      expect(byAlice.words).toHaveLength(4)
      expect(byBob.words).toEqual(byAlice.words)
      expect([byAlice.ownName, byBob.ownName]).toEqual(['Bob B.', 'Alice A.'])
      await Promise.all([alice.send('Bob', 'milk'), bob.send('Alice', 'bread')])
      expect([await alice.messages(1), await bob.messages(1)]).toEqual([['bread'], ['milk']])
      // Nobody has allowed the direct way.
      expect([await alice.run('connections.length'), await bob.run('connections.length')]).toEqual([0, 0])
      await bob.run('connectoid.close()')
      await alice.send('Bob', 'eggs')
      await alice.run(`peer('Bob').verified()`)
      await alice.reload({ service })
      await alice.send('Bob', 'salt')
      expect(await alice.sees('Bob', {})).toMatchObject({ state: 'connected', words: null, isVerified: true })
      await bob.reload({ service })
      expect(await bob.messages(2)).toEqual(['eggs', 'salt'])
      expect(await alice.sees('Bob', { unsent: 0 })).toMatchObject({ problem: null })
      // Nothing that was taken comes again.
      await bob.reload({ service })
      await alice.send('Bob', 'tea')
      expect(await bob.messages(1)).toEqual(['tea'])
    },
    TIMEOUT_MS,
  )

  more(
    'go on by themselves after a restart of the relay, and say meanwhile that nothing gets out',
    async () => {
      const [home, { app, relay }] = [tempDir(), await relayAndApp()]
      const { alice, bob } = await connected(relay.url, app)
      relay.child.kill('SIGKILL')
      await relay.ended
      await alice.send('Bob', 'offline')
      await alice.sees('Bob', { problem: 'OFFLINE', unsent: 1 })
      const { port, dataDir } = relay
      await RelayProcess.start({ home, dataDir, listen: `127.0.0.1:${port}` })
      expect(await bob.messages(1)).toEqual(['offline'])
      await alice.sees('Bob', { problem: null, unsent: 0 })
    },
    TIMEOUT_MS,
  )

  test(
    'read that a link was used by somebody else, and that a second guest came; a click twice is one peer',
    async () => {
      const { relay, app } = await relayAndApp()
      const service = relay.url
      const { alice, bob: eve, url } = await connected(service, app)
      const bob = await Person.start(app, { service })
      const ids = await Promise.all([bob.accept(url, 'Alice'), bob.accept(url, 'Alice')])
      expect(ids[1]).toBe(ids[0])
      expect(await bob.run('connectoid.peers().length')).toBe(1)
      await bob.sees('Alice', { state: 'waiting', problem: 'INTERCEPTED' })
      await alice.sees('Bob', { state: 'connected', problem: 'USED_TWICE' })
      expect(await eve.accept(url, 'Alice')).toBe(await eve.run(`peer('Alice').id`))
      await eve.sees('Alice', { state: 'connected', problem: null })
      expect(await alice.run(`codeOf(() => connectoid.accept(${JSON.stringify(url)}, 'me'))`)).toBe('OWN_LINK')
    },
    TIMEOUT_MS,
  )

  more(
    'keep nothing that a script can read, and erase all of it on both sides once it is unshared',
    async () => {
      const { relay, app } = await relayAndApp()
      const service = relay.url
      const { alice, bob } = await connected(service, app)
      await bob.run('connectoid.close()')
      await alice.send('Bob', 'canary of the list')
      const kept = (await alice.run(STORED)) as Stored[]
      expect(kept.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['frame', 'out', 'pair', 'peer', 'seal']))
      for (const { text, isExtractable } of kept) {
        expect(isExtractable).toBe(false)
        expect(text).not.toContain('canary')
      }
      await alice.page.clock.install()
      await alice.run(`peer('Bob').unshare()`)
      expect(await alice.run('connectoid.peers().length')).toBe(0)
      await bob.reload({ service })
      await bob.sees('Alice', { state: 'gone' })
      expect(await bob.messages(1)).toEqual(['canary of the list'])
      await bob.run(`peer('Alice').unshare()`)
      await bob.run(`until(() => ${STORED}.then((all) => all.length === 0))`)
      // Alice posts her last word again, and finds that Bob's box is closed.
      await alice.page.clock.fastForward('51:00')
      await alice.run(`until(() => ${STORED}.then((all) => all.length === 0))`)
    },
    TIMEOUT_MS,
  )

  more.each([
    { how: 'the last word', isLost: false },
    { how: 'the next send, when the last word was lost', isLost: true },
  ])(
    'hear of an end by $how, after the page was closed for a day',
    async ({ isLost }) => {
      const { relay, app } = await relayAndApp()
      const service = relay.url
      const { alice, bob } = await connected(service, app)
      await bob.run('connectoid.close()')
      // Her last word lies at the relay, and her box is closed.
      const answers = ['send', 'retire'].map((action) =>
        alice.page.waitForResponse((response) => actionOf(response.request()) === action),
      )
      await Promise.all([...answers, alice.run(`peer('Bob').unshare()`)])
      // As where the relay has forgotten all messages.
      if (isLost)
        await bob.page.route(`${relay.url}**`, async (route) => {
          await (actionOf(route.request()) === 'send' ? route.continue() : route.abort())
        })
      await bob.page.clock.install({ time: Date.now() + DAY_MS })
      await bob.reload({ service })
      if (isLost) await bob.send('Alice', 'are you there?')
      await bob.sees('Alice', { state: 'gone' })
      expect(await bob.run(`codeOf(() => peer('Alice').send('again'))`)).toBe('NOT_CONNECTED')
    },
    TIMEOUT_MS,
  )

  more(
    'use one relay of two while the other is away, and go to another one without a new link',
    async () => {
      const relays = await Promise.all([tempDir(), tempDir(), tempDir()].map((home) => RelayProcess.start({ home })))
      const [first, second, third] = relays.map(({ url }) => url)
      const app = await serveApp(first!, second!, third!)
      relays[0]!.child.kill('SIGKILL')
      await relays[0]!.ended
      const alice = await Person.start(app, { service: [first, second] })
      const bob = await Person.start(app, { service: second })
      await bob.accept(await alice.share('Bob'), 'Alice')
      await Promise.all([alice.sees('Bob', { state: 'connected' }), bob.sees('Alice', { state: 'connected' })])
      await alice.send('Bob', 'over the second')
      expect(await bob.messages(1)).toEqual(['over the second'])
      await bob.reload({ service: third })
      await bob.send('Alice', 'from the third')
      await alice.messages(1)
      await alice.send('Bob', 'to the third')
      await bob.messages(1)
      relays[1]!.child.kill('SIGKILL')
      await alice.send('Bob', 'only by the third')
      expect(await bob.messages(2)).toEqual(['to the third', 'only by the third'])
    },
    TIMEOUT_MS,
  )

  more(
    'a record that cannot be read costs its own peer, and no other; unshare removes it',
    async () => {
      const { relay, app } = await relayAndApp()
      const service = relay.url
      const { alice, bob } = await connected(service, app)
      const broken = await alice.run(`connectoid.share('Carol').then(({ peer }) => peer.id)`)
      await alice.run('connectoid.close()')
      await alice.run(DAMAGE(`key[0] === 'peer' && key[1] === ${JSON.stringify(broken)}`))
      await alice.reload({ service })
      expect(await alice.run('unreadable')).toEqual([{ id: broken, code: 'UNREADABLE', cause: 'OperationError' }])
      await alice.sees('', { state: 'broken', problem: 'UNREADABLE' })
      expect(await alice.run(`codeOf(() => peer('').send('x'))`)).toBe('UNREADABLE')
      await Promise.all([alice.send('Bob', 'to Bob'), bob.send('Alice', 'to Alice')])
      expect([await alice.messages(1), await bob.messages(1)]).toEqual([['to Alice'], ['to Bob']])
      await alice.run(`peer('').unshare()`)
      expect(await alice.run('connectoid.peers().map(({ name }) => name)')).toEqual(['Bob'])
      await alice.reload({ service })
      expect(await alice.run('unreadable')).toEqual([])
      await alice.sees('Bob', { state: 'connected' })
    },
    TIMEOUT_MS,
  )

  more(
    'a second tab waits, and has the channels once the first is closed',
    async () => {
      const { relay, app } = await relayAndApp()
      const service = relay.url
      const { alice, bob } = await connected(service, app)
      const tab = new Person(await openTab(alice.page.context(), app))
      const opening = tab.open({ service })
      await tab.run('until(() => window.isWaiting)')
      await alice.page.close()
      await opening
      await bob.send('Alice', 'to the second tab')
      expect(await tab.messages(1)).toEqual(['to the second tab'])
    },
    TIMEOUT_MS,
  )
})

/** The action of a call of a relay. */
function actionOf(request: Request): string | undefined {
  return (request.postDataJSON() as { action?: string } | null)?.action
}

interface Stored {
  readonly kind: string
  readonly isExtractable: boolean
  /** The bytes as characters. */
  readonly text: string
}

/** Reads all that the page keeps. */
const STORED = `new Promise((resolve) => {
  const open = indexedDB.open('connectoid list')
  open.onsuccess = () => {
    const store = open.result.transaction('records').objectStore('records')
    const [keys, values] = [store.getAllKeys(), store.getAll()]
    values.onsuccess = () => {
      open.result.close()
      resolve(values.result.map((value, i) => ({
        kind: keys.result[i][0],
        isExtractable: (value.keys?.privateKey ?? value).extractable ?? false,
        text: value instanceof Uint8Array ? String.fromCharCode(...value) : '',
      })))
    }
  }
})`

/** Changes the last byte of the records whose `key` fits. */
const DAMAGE = (fits: string): string => `new Promise((resolve) => {
  const open = indexedDB.open('connectoid list')
  open.onsuccess = () => {
    const transaction = open.result.transaction('records', 'readwrite')
    transaction.objectStore('records').openCursor().onsuccess = ({ target: { result: cursor } }) => {
      if (cursor === null) return
      const { key, value } = cursor
      if (${fits}) { value[value.length - 1] ^= 1; cursor.update(value) }
      cursor.continue()
    }
    transaction.oncomplete = () => { open.result.close(); resolve() }
  }
})`
