/** The relays of the owner, by the configuration and by records, and the clients of all relays. */
import type { RelayClient } from '../../relay/client.ts'
import type { RelayMeans } from '../../relay/means.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { NetAccess } from '../net/access.ts'
import { MAX_OWN_RELAYS, type NetConfig } from '../net/config.ts'
import { kind, type Kind } from '../state/kind.ts'
import { RelaysError } from './errors.ts'
import type { OwnRelay, Relays } from './relays.ts'

/** The relays that the owner added, and what belongs to those of the configuration. One record holds them all. */
interface RelayList {
  readonly relays: readonly { readonly url: string; readonly addedSec: number; readonly hasToken: boolean }[]
}

// A relay is chosen for one device: it names the network that this device is in.
export const RELAYS: Kind<RelayList> = kind('relay', { travels: 'never', isCached: true })
const ALL = 'all'

export interface OwnRelaysOptions {
  readonly keeper: Keeper
  readonly access: Pick<NetAccess, 'fetch'>
  readonly config: Pick<NetConfig, 'relays' | 'private'>
  readonly means?: Omit<RelayMeans, 'fetch'>
}

export class OwnRelays implements Relays {
  readonly #options: OwnRelaysOptions
  readonly #clients = new Map<string, RelayClient>()

  constructor(options: OwnRelaysOptions) {
    this.#options = options
  }

  list(): OwnRelay[] {
    const { relays: configured } = this.#options.config
    const added = this.#added()
    const tokens = new Set(added.flatMap(({ url, hasToken }) => (hasToken ? [url] : [])))
    return [
      ...configured.map((url) => ({ url, hasToken: tokens.has(url), from: 'configuration' as const })),
      ...added
        .filter(({ url }) => !configured.includes(url))
        .map(({ url, hasToken }) => ({ url, hasToken, from: 'added' as const })),
    ]
  }

  async client(url: string): Promise<RelayClient> {
    const [{ RelayClient }, { parseRelayUrl }] = await Promise.all([
      import('../../relay/client.ts'),
      import('../../relay/relay-url.ts'),
    ])
    const { access, config, means = SYSTEM_MEANS } = this.#options
    const address = parseRelayUrl(url, config.private)
    const known = this.#clients.get(address.url)
    if (known !== undefined) return known
    const client = new RelayClient(address, { ...means, fetch: (to, request) => access.fetch(to, request) })
    if (this.#clients.size >= MAX_CLIENTS) this.#clients.delete(this.#clients.keys().next().value!)
    this.#clients.set(address.url, client)
    return client
  }

  token(_url: string): string | null {
    return null
  }

  /** @throws {RelaysError} RELAYS_TOO_MANY */
  async add(url: string): Promise<void> {
    const { keeper } = this.#options
    await keeper.change(() => {
      const others = this.#inChange().filter((each) => each.url !== url)
      if (others.length >= MAX_OWN_RELAYS)
        throw new RelaysError('RELAYS_TOO_MANY', `${MAX_OWN_RELAYS} relays are added already`, 'remove one first')
      this.#put([...others, { url, addedSec: keeper.nowSec, hasToken: false }])
    })
  }

  /** @returns whether there was one */
  async remove(url: string): Promise<boolean> {
    return await this.#options.keeper.change(() => {
      const before = this.#inChange()
      const relays = before.filter((each) => each.url !== url)
      if (relays.length < before.length) this.#put(relays)
      return relays.length < before.length
    })
  }

  #inChange(): RelayList['relays'] {
    return this.#options.keeper.state.of(RELAYS).get(ALL)?.relays ?? []
  }

  #put(relays: RelayList['relays']): void {
    const { state } = this.#options.keeper
    state.stage(state.of(RELAYS).put(ALL, { relays }))
  }

  #added(): RelayList['relays'] {
    return this.#options.keeper.onDisk.of(RELAYS).get(ALL)?.relays ?? []
  }
}

const MAX_CLIENTS = 256 // sanity: the relays of all peers of a daemon; a client without calls is a few words

/** A relay's clock is compared with the wall clock. */
const SYSTEM_MEANS: Omit<RelayMeans, 'fetch'> = {
  clock: {
    nowMs: () => Date.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms)
      timer.unref()
      return () => clearTimeout(timer)
    },
  },
  random: Math.random,
}
