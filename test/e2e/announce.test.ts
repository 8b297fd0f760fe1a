/** Announcements by the real programs: daemons with personad-net, on nodes of bittorrent-dht. All of it stays on loopback. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { deviceKey } from '../support/person.ts'
import { DhtPeers } from '../support/dht-peers.ts'
import { Home } from '../support/persona.ts'

const PHONE = deviceKey('phone of Alice')
const NODES = 5

/** A home whose daemon knows these nodes. */
function homeOn(ports: readonly number[]): Home {
  const home = new Home()
  mkdirSync(join(home.directory, 'config'))
  const bootstrap = ports.map((port) => `"127.0.0.1:${port}"`).join(', ')
  const config = `net:\n  bootstrap: [${bootstrap}]\n  private: [127.0.0.1]\n`
  writeFileSync(join(home.directory, 'config/personad.yaml'), config, { mode: 0o600 })
  return home
}

test('a friend whose daemon was off finds the new phone while every device of Alice is off', async () => {
  const peers = await DhtPeers.start('bittorrent-dht', NODES)
  const alice = homeOn(peers.ports)
  const bob = homeOn(peers.ports)
  await alice.start()
  await alice.done(['init', '--device', 'laptop', '--key', deviceKey('laptop of Alice')])
  const on = (await alice.json(['announce', 'on'])) as { kind: string; items: { nodes: number }[] }
  expect(on).toMatchObject({
    kind: 'contacts',
    readingKey: true,
    network: true,
    items: [{ nodes: NODES, problem: null }],
  })

  await bob.start()
  const status = (await alice.json(['blob'])) as { text: string }
  await bob.done(['observe', status.text, '--from', deviceKey('laptop of Alice'), '--name', 'Alice'])
  await bob.stop()

  await alice.done(['device', 'add', 'phone', '--key', PHONE])
  expect(await alice.done(['announce'])).toContain(`on ${NODES} nodes`)
  await alice.stop()

  await bob.start()
  const refreshed = await bob.json(['contact', 'refresh', 'Alice'])
  expect(refreshed).toMatchObject({ contacts: [{ name: 'Alice', problem: null }] })
  const shown = (await bob.json(['contact', 'show', 'Alice'])) as { claims: { name: string; key: string }[] }
  expect(shown.claims).toMatchObject([{ name: 'phone', key: PHONE }])
  expect(await bob.done(['announce'])).toMatch(/^announcements are off; contacts who announce: 1 of 1; traffic: /)
})
