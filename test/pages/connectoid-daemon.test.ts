/** A web page and a daemon are ends of one channel, over a real relay (docs/connectoid.md). */
import { expect, test } from 'vitest'
import { BROWSER } from '../../examples/shopping-list/chromium.ts'
import { Person, relayAndApp } from './browser-person.ts'
import { makePersona, readUpTo, Side } from '../support/channel-sides.ts'

const TIMEOUT_MS = 60_000

test.skipIf(BROWSER === undefined)(
  'a page and a daemon connect by an invite of either side; the page proves the persona of the daemon (needs chromium)',
  async () => {
    const { relay, app } = await relayAndApp()
    const side = await new Side({ relays: [relay.url], private: ['127.0.0.1'] }).start()
    const personaId = await makePersona(side)
    const page = await Person.start(app, { service: relay.url, name: 'Page', page: 'https://app.example/' })
    const { invite } = await side.client.call('channel.invite', { app: 'list', name: 'Invited page' })
    await page.accept(invite, 'Daemon')
    const view = await page.sees('Daemon', { state: 'connected' })
    expect(await page.run(`peer('Daemon').persona`)).toBe(personaId)
    const link = await page.share('Daemon by link')
    const { id: guestId } = await side.client.call('channel.accept', { invite: link, app: 'list', name: 'Page' })
    await page.sees('Daemon by link', { state: 'connected' })
    const channels = await side.until(async (client) => {
      const all = (await client.call('channel.list', {})).channels
      return all.length === 2 && all.every(({ state }) => state === 'open') && all
    })
    const hostId = channels.find(({ id }) => id !== guestId)!.id
    expect((await side.show(hostId)).words).toEqual(view.words)
    for (const [id, name] of [
      [hostId, 'Daemon'],
      [guestId, 'Daemon by link'],
    ] as const) {
      await page.send(name, `to ${name}`)
      await side.client.call('channel.send', { id, text: `from ${name}` })
      expect(await readUpTo(side, id, 1)).toEqual([`to ${name}`])
    }
    expect((await page.messages(2)).toSorted()).toEqual(['from Daemon', 'from Daemon by link'])
  },
  TIMEOUT_MS,
)
