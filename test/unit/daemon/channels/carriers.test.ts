import { mkdtempSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MAX_INTAKES, type Address } from '../../../../src/channel/invite/address.ts'
import { ownIntakes, type Line, type OwnPlace } from '../../../../src/channel/carriers/carrier.ts'
import { Carriers } from '../../../../src/daemon/channels/carriers/carriers.ts'
import { systemClock } from '../../../../src/process/pulse.ts'
import { RelayClient } from '../../../../src/relay/client.ts'
import { parseRelayUrl } from '../../../../src/relay/relay-url.ts'
import { importBoxKeyPair } from '../../../../src/seal/key-pair.ts'
import { firstMessage, frame } from '../../../support/carrier-places.ts'
import { codeOf } from '../../../support/code-of.ts'
import { testRelay } from '../../../support/relay-boxes.ts'
import { RelayNetwork } from '../../../support/relay-fetch.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const [ONE, TWO, THREE] = ['https://one.example/', 'https://two.example/', 'https://three.example/'] as const

/** Three relays, and daemons with what their owners configured. */
function world(): {
  network: RelayNetwork
  daemon: (relays: readonly string[], folders: readonly string[]) => Carriers
} {
  const origins = [ONE, TWO, THREE].map((url) => url.slice(0, -1))
  const [first, ...others] = origins.map((origin) => testRelay({ origin }))
  const network = new RelayNetwork(first!)
  for (const [i, origin] of origins.entries()) network.add(origin, [first!, ...others][i]!)
  return {
    network,
    daemon: (relays, folders) =>
      new Carriers({
        folder: { folders, clock: systemClock, wallMs: Date.now },
        relay: {
          client: (url) => new RelayClient(parseRelayUrl(url), network.means),
          token: () => null,
          clock: network.clock,
        },
        relays: () => relays,
      }),
  }
}

function twoFolders(): [string, string] {
  const parent = tempDir()
  return [mkdtempSync(join(parent, 'one-')), mkdtempSync(join(parent, 'two-'))]
}

const urlsOf = ({ address }: OwnPlace): string[] => address.where.map(({ url }) => url.replace(/:[0-9a-f]{16}$/, ''))

it('an address has one carrier, or none that this version knows', () => {
  const carriers = world().daemon([], [])
  expect(carriers.of('folder:0123456789abcdef')?.name).toBe('folder')
  expect(carriers.of(ONE)?.name).toBe('relay')
  for (const url of ['veilid:abc', 'folder:abc', '']) expect(carriers.of(url), url).toBeNull()
})

it('a place has a key of its own, and its secret', async () => {
  const carriers = world().daemon([ONE], [])
  const [a, b] = [await carriers.openPlace(null), await carriers.openPlace(null)]
  expect(a.address.pub).not.toEqual(b.address.pub)
  expect((await importBoxKeyPair('x25519', a.secret)).key.bytes).toEqual(a.address.pub)
})

it('without a word of the owner, a place is at all relays of theirs, else in their first folder', async () => {
  const { daemon } = world()
  const [folder, other] = twoFolders()
  expect(urlsOf(await daemon([ONE, TWO], [folder]).openPlace(null))).toEqual([ONE, TWO])
  expect(urlsOf(await daemon([], [folder, other]).openPlace(null))).toEqual(['folder'])
  expect([readdirSync(folder).length, readdirSync(other).length]).toEqual([1, 0])
  expect(await codeOf(daemon([], []).openPlace(null))).toBe('NO_CARRIER')
})

it('the owner names carriers, and gets those or none', async () => {
  const { daemon, network } = world()
  const [folder, other] = twoFolders()
  const carriers = daemon([ONE], [folder, other])
  expect(urlsOf(await carriers.openPlace(['folder']))).toEqual(['folder'])
  expect(urlsOf(await carriers.openPlace([`folder:${other}`, TWO]))).toEqual(['folder', TWO])
  expect(readdirSync(other)).toHaveLength(1)
  for (const over of [
    ['folder:/etc'],
    ['veilid'],
    ['folder', 'https://127.0.0.1/'],
    Array.from({ length: MAX_INTAKES + 1 }, (_, n) => `${ONE}${n}`),
  ])
    expect(await codeOf(carriers.openPlace(over)), over.join()).toMatch(/^CARRIER_(UNKNOWN|DENIED)$/)
  expect(await codeOf(daemon([ONE], []).openPlace(['folder']))).toBe('NO_CARRIER')
  expect(network.asked.length).toBeGreaterThan(0)
})

it('one relay of the owner that may not be called does not keep the others away', async () => {
  const { daemon } = world()
  expect(urlsOf(await daemon(['https://127.0.0.1/', TWO], []).openPlace(null))).toEqual([TWO])
  expect(await codeOf(daemon(['https://127.0.0.1/'], []).openPlace(null))).toBe('CARRIER_DENIED')
})

it('a guest meets the host where the host is: in the folder that has it, or at relays', async () => {
  const { daemon } = world()
  const [folder, other] = twoFolders()
  const inFolder = (await daemon([], [other]).openPlace(null)).address
  const atRelay = (await daemon([ONE], []).openPlace(null)).address
  const guest = daemon([TWO], [folder, other])
  expect(urlsOf(await guest.openPlace(null, inFolder))).toEqual(['folder'])
  expect(readdirSync(other)).toHaveLength(2)
  expect(urlsOf(await guest.openPlace(null, atRelay))).toEqual([TWO])
  const both: Address = { pub: atRelay.pub, where: [...inFolder.where, ...atRelay.where] }
  expect(urlsOf(await guest.openPlace(null, both))).toEqual(['folder', TWO])
  expect(urlsOf(await daemon([], [folder]).openPlace(null, atRelay))).toEqual([ONE])
  expect(await codeOf(daemon([], []).openPlace(null, inFolder))).toBe('NO_CARRIER')
})

it('two ends with several ways between them get the same data by each, and know it', async () => {
  const { daemon, network } = world()
  const [shared] = twoFolders()
  const [host, guest] = [daemon([ONE, TWO], [shared]), daemon([THREE], [shared])]
  const invite = await host.openPlace(['folder', ONE, TWO])
  const home = await guest.openPlace(['folder', THREE], invite.address)
  const toHost: Line = { id: 'guest', own: [home], peer: invite.address }
  for (const to of invite.address.where) expect(await guest.of(to.url)!.send(toHost, to, firstMessage(1))).toBe('left')
  const open: Line = { id: 'invite', own: [invite], peer: null }
  const came = await Promise.all(ownIntakes(open).map(async (own) => await host.of(own.url)!.receive(open, own, '')))
  expect(came.map((arrivals) => arrivals.map(({ data }) => data))).toEqual([0, 1, 2].map(() => [firstMessage(1)]))
  const toGuest: Line = { id: 'host', own: [invite], peer: home.address }
  network.script = ({ url }) => {
    if (url === THREE) throw new TypeError('fetch failed')
    return null
  }
  const outcomes = await Promise.all(
    home.address.where.map(async (to) => await codeOf(host.of(to.url)!.send(toGuest, to, frame(2)))),
  )
  expect(outcomes).toEqual(['done', 'CARRIER_AWAY'])
  const [first] = ownIntakes(toHost)
  expect((await guest.of(first!.url)!.receive(toHost, first!, '')).map(({ data }) => data)).toEqual([frame(2)])
})
