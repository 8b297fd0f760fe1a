/** Announcements by the real programs: who finds a table while every device of its owner is off, and who does not. */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ChainPlace } from '../../src/core/announce/judge.ts'
import { formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import { AnnounceNet, LIBTORRENT_ABSENCE, placeIn, statusOf, tableIn, walkOn } from '../support/announce-net.ts'
import { loopbackClient } from '../support/dht-peers.ts'
import { deviceKey } from '../support/person.ts'
import type { Home } from '../support/persona.ts'

const EXAMPLE = new URL('../../examples/open-announcement.ts', import.meta.url).pathname
const LAPTOP = deviceKey('laptop of Alice')
const PHONE = deviceKey('phone of Alice')
const TABLET = deviceKey('tablet of Alice')

// A story starts up to five daemons and thirty commands, and other tests run beside it.
vi.setConfig({ testTimeout: 60_000 })

let net: AnnounceNet
beforeAll(async () => {
  net = await AnnounceNet.start()
})
afterAll(() => net.close())

/** Alice announces to her contacts, from a laptop. */
async function announcer(): Promise<Home> {
  const alice = net.home()
  await alice.start()
  await alice.done(['init', '--device', 'laptop', '--key', LAPTOP])
  expect(await alice.json(['announce', 'on'])).toMatchObject({
    kind: 'contacts',
    readingKey: true,
    network: true,
    items: [{ nodes: net.nodes, problem: null }],
  })
  return alice
}

/** Somebody whose daemon has seen this status message of Alice's laptop. */
async function friend(status: string): Promise<Home> {
  const home = net.home()
  await home.start()
  await home.done(['observe', status, '--from', LAPTOP, '--name', 'Alice'])
  return home
}

/** Somebody who knows the contact link of Alice, and no table of hers. */
async function knowsLinkOf(alice: Home): Promise<Home> {
  const home = net.home()
  await home.start()
  const { link } = (await alice.json(['link'])) as { link: string }
  await home.done(['contact', 'add', link, '--name', 'Alice'])
  return home
}

async function claimsAt(home: Home): Promise<string[]> {
  const { claims } = (await home.json(['contact', 'show', 'Alice'])) as { claims: { name: string }[] }
  return claims.map(({ name }) => name)
}

test('a friend whose daemon was off finds the new phone while every device of Alice is off, and with the policy ask it waits', async () => {
  const alice = await announcer()
  const status = await statusOf(alice)
  const [bob, carol] = [await friend(status), await friend(status)]
  await carol.done(['contact', 'policy', 'Alice', 'ask'])
  await Promise.all([bob.stop(), carol.stop()])

  await alice.done(['device', 'add', 'phone', '--key', PHONE])
  expect(await alice.done(['announce'])).toContain(`on ${net.nodes} nodes`)
  await alice.stop()

  await bob.start()
  expect(await bob.json(['contact', 'refresh', 'Alice'])).toMatchObject({
    contacts: [{ name: 'Alice', problem: null }],
  })
  expect(await bob.json(['contact', 'show', 'Alice'])).toMatchObject({ claims: [{ name: 'phone', key: PHONE }] })
  expect(await bob.done(['announce'])).toMatch(/^announcements are off; 1 of 1 contact announces; /)

  await carol.start()
  await carol.done(['contact', 'refresh', 'Alice'])
  expect(await claimsAt(carol)).toEqual([])
  const { pending } = (await carol.json(['pending'])) as { pending: { contact: string; tableHash: string }[] }
  expect(pending).toMatchObject([{ contact: 'Alice' }])
  await carol.done(['accept', 'Alice', '--table', pending[0]!.tableHash])
  expect(await claimsAt(carol)).toEqual(['phone'])
})

test('a stranger with the PersonaID alone finds nothing; a device key opens the kind devices, and nothing is needed for public', async () => {
  const alice = await announcer()
  const { personaId } = tableIn(await statusOf(alice))
  const stranger: ChainPlace = { personaId, root: null, epoch: 0, signingKey: personaId, readingKey: null }
  const { client } = await loopbackClient(net.ports)
  expect(await walkOn(client, stranger, [parseHex(LAPTOP)!])).toMatchObject({ best: null, items: [] })

  // A contact link names the chain, and not the reading key.
  const [linked, friendOfLaptop] = [await knowsLinkOf(alice), await knowsLinkOf(alice)]
  await friendOfLaptop.done(['observe', 'in the garden', '--from', LAPTOP, '--name', 'Al'])
  expect(await linked.done(['contact', 'refresh', 'Alice'])).toMatch(/^Alice: nothing found;/)

  expect(await alice.json(['announce', 'on', '--kind', 'devices'])).toMatchObject({
    items: [{ nodes: net.nodes }, { nodes: net.nodes }],
  })
  expect(await walkOn(client, stranger)).toMatchObject({ best: null, items: [{ verdict: { code: 'ITEM_CLOSED' } }] })
  expect(await walkOn(client, stranger, [parseHex(PHONE)!])).toMatchObject({ best: null })
  expect((await walkOn(client, stranger, [parseHex(LAPTOP)!])).best?.deviceKeys.map(formatHex)).toEqual([LAPTOP])

  expect(await linked.done(['contact', 'refresh', 'Alice'])).toMatch(/^Alice: an announcement is there, /)
  expect(await friendOfLaptop.done(['contact', 'refresh', 'Alice'])).toBe('Alice: a newer table\n')
  expect(await claimsAt(friendOfLaptop)).toEqual(['laptop'])

  await alice.done(['announce', 'on', '--kind', 'public'])
  expect((await walkOn(client, stranger)).best?.deviceKeys.map(formatHex)).toEqual([LAPTOP])
  expect(await linked.done(['contact', 'refresh', 'Alice'])).toBe('Alice: a newer table\n')
  expect(await claimsAt(linked)).toEqual(['laptop'])
})

test('after reread a former friend finds nothing new, and who saw the new status message does', async () => {
  const alice = await announcer()
  const former = await friend(await statusOf(alice))
  expect(await alice.done(['announce', 'reread'])).toContain(`on ${net.nodes} nodes`)
  const present = await friend(await statusOf(alice))
  await alice.done(['device', 'add', 'tablet', '--key', TABLET])
  await alice.done(['announce'])
  expect(await former.done(['contact', 'refresh', 'Alice'])).toBe('Alice: nothing new\n')
  expect(await claimsAt(former)).toEqual([])
  expect(await present.done(['contact', 'refresh', 'Alice'])).toBe('Alice: a newer table\n')
  expect(await claimsAt(present)).toEqual(['tablet'])
})

test.skipIf(LIBTORRENT_ABSENCE !== null)(
  `libtorrent gets what a daemon put, and examples/open-announcement.ts opens it${LIBTORRENT_ABSENCE === null ? '' : ` (skipped: ${LIBTORRENT_ABSENCE})`}`,
  async () => {
    const alice = await announcer()
    const old = await statusOf(alice)
    await alice.done(['device', 'add', 'phone', '--key', PHONE])
    await alice.done(['announce'])
    await alice.stop()
    const run = (input: string): string => execFileSync(process.execPath, [EXAMPLE, old], { input, encoding: 'utf8' })
    const [, key, salt] = /^key ([0-9A-F]{64})\nsalt ([0-9A-F]{40})\n$/.exec(run(''))!
    expect(key).toBe(formatHex(placeIn(old).signingKey))
    const got = await net.torrents!.order({ do: 'get', node: 1, key, salt })
    expect(run(JSON.stringify(got))).toBe(`table 0.4: laptop (…${LAPTOP.slice(-8)}), phone (…${PHONE.slice(-8)})\n`)
  },
)
