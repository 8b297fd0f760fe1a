/** Answers the methods of the owner's relays. */
import type { Handlers } from '../../ipc/methods/method.ts'
import type { RelayAdded, RelayMethods } from '../../ipc/methods/relays.ts'
import { isWebAddress } from '../../core/encoding/web-address.ts'
import { KeeperError } from '../state/errors.ts'
import type { SealedRecords } from '../sealed/records.ts'
import { RelaysError } from './errors.ts'
import type { OwnRelays } from './own-relays.ts'

export function relayHandlers(relays: OwnRelays, sealed: SealedRecords): Handlers<RelayMethods> {
  return {
    'relay.list': () => ({ relays: relays.list() }),
    'relay.add': ({ url, token, force }) => add(relays, sealed, url, token ?? null, force === true),
    'relay.remove': async ({ url }) => {
      const address = await addressOf(relays, url)
      const known = relays.list().find((each) => each.url === address)
      if (!(await relays.remove(address)) && known === undefined)
        throw new KeeperError('NOT_FOUND', `${address} is not among your relays`, 'list your relays', { what: 'relay' })
      if (known?.from === 'configuration') {
        const hint = 'take it out of net.relays and restart the daemon'
        throw new RelaysError('RELAY_CONFIGURED', `the configuration names ${address}`, hint)
      }
      return { relays: relays.list() }
    },
  }
}

async function add(
  relays: OwnRelays,
  sealed: SealedRecords,
  given: string,
  token: string | null,
  isForced: boolean,
): Promise<RelayAdded> {
  const url = await addressOf(relays, given)
  if (token !== null) sealed.key.require()
  const { tryRelay } = await import('./try-relay.ts')
  const client = await relays.client(url)
  // A token that is there counts for a relay that is added again.
  const known = token ?? (sealed.key.isOpen ? relays.token(url) : null)
  const about = await tryRelay(client, known).catch((error: unknown) => {
    if (isForced && error instanceof RelaysError) return null
    throw error
  })
  await relays.add(url, token)
  return { relay: relays.list().find((each) => each.url === url)!, about }
}

/** The address in its usual spelling. @throws {RelayError} RELAY_URL @throws {RelaysError} RELAY_UNUSABLE */
async function addressOf(relays: OwnRelays, given: string): Promise<string> {
  const { url } = (await relays.client(given.trim())).address
  if (isWebAddress(url)) return url
  const message = `no invite can name ${url}`
  throw new RelaysError('RELAY_UNUSABLE', message, 'use an address of plain letters and digits, with a port above 1023')
}
