/** Clients of relays: one each, and so many at a time, since peers name relays too. */
import { expect, test } from 'vitest'
import { MAX_CLIENTS, relayClients } from '../../../src/relay/clients.ts'
import type { RelayMeans } from '../../../src/relay/means.ts'

const means: RelayMeans = {
  fetch: () => Promise.reject(new Error('nothing is called')),
  clock: { nowMs: () => 0, after: () => () => {} },
  random: () => 0,
}

test('a relay has one client, however its address is written', () => {
  const clientOf = relayClients(means, [])
  expect(clientOf('https://RELAY.example')).toBe(clientOf('https://relay.example/'))
  expect(clientOf('https://relay.example/')).not.toBe(clientOf('https://other.example/'))
  expect(() => clientOf('http://relay.example/')).toThrow(expect.objectContaining({ code: 'RELAY_URL' }))
})

test('a peer who names ever new relays takes no client away that is used, and fills no memory', () => {
  const clientOf = relayClients(means, [])
  const [own, first] = [clientOf('https://own.example/'), clientOf('https://first.example/')]
  for (let n = 0; n < MAX_CLIENTS - 1; n++) {
    clientOf(`https://peer.example/${n}/`)
    expect(clientOf('https://own.example/')).toBe(own)
  }
  expect(clientOf('https://first.example/')).not.toBe(first)
})
