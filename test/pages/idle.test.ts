/** The requests of ends of a channel to a relay while nobody writes. `IDLE_MINUTES=60` waits an hour; a battery pays for each request. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { BROWSER } from '../../examples/shopping-list/chromium.ts'
import { readUpTo, Side } from '../support/channel-sides.ts'
import type { RelayProcess } from '../support/relay-process.ts'
import { Person, relayAndApp } from './browser-person.ts'

const MINUTES = Number(process.env['IDLE_MINUTES'] ?? 0)
const ENDS = 2

/** Requests that the relay has answered, by route and outcome. */
async function requestsAt(relay: RelayProcess): Promise<Map<string, number>> {
  const found = (await relay.metrics()).matchAll(/requests_total(\{\S+\}) (\d+)/g)
  return new Map([...found].map(([, name, count]) => [name!, Number(count)]))
}

function sum(counts: Map<string, number>): number {
  return [...counts.values()].reduce((all, count) => all + count, 0)
}

test.runIf(MINUTES > 0 && BROWSER !== undefined)(
  `a page and a daemon that are idle for ${MINUTES} minutes make at most one request an hour each`,
  async () => {
    const { relay, app } = await relayAndApp()
    const side = await new Side({ relays: [relay.url], private: ['127.0.0.1'] }).start()
    const page = await Person.start(app, { service: relay.url, name: 'Page', page: 'https://app.example/' })
    const { id } = await side.client.call('channel.accept', { invite: await page.share('Daemon'), app: 'list' })
    await page.sees('Daemon', { state: 'connected' })
    await page.send('Daemon', 'to the daemon')
    await readUpTo(side, id, 1)
    await side.client.call('channel.send', { id, text: 'to the page' })
    await page.messages(1)
    await page.sees('Daemon', { unsent: 0 })
    await pause(60_000) // Boxes of the handshake are cleared up.
    const before = await requestsAt(relay)
    await pause(MINUTES * 60_000)
    const after = await requestsAt(relay)
    console.log(`${sum(after) - sum(before)} requests of ${ENDS} ends in ${MINUTES} minutes`, [...after])
    expect(sum(after) - sum(before)).toBeLessThanOrEqual(ENDS * Math.ceil(MINUTES / 60))
    await page.send('Daemon', 'still there')
    await side.until(async () => (await side.show(id)).received === 2)
  },
  (MINUTES + 5) * 60_000,
)
