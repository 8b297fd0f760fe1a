/** The relays of the owner, by the configuration and by records, and the clients of all relays. */
import { createHash } from 'node:crypto'
import { systemClock } from '../../process/pulse.ts'
import type { RelayClient } from '../../relay/client.ts'
import type { RelayFetch, RelayMeans } from '../../relay/means.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { NetAccess } from '../net/access.ts'
import { MAX_OWN_RELAYS, type NetConfig } from '../net/config.ts'
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { SealedRecords } from '../sealed/records.ts'
import { sealedKind, type SealedKind } from '../sealed/sealed-kind.ts'
import { kind, type Kind } from '../state/kind.ts'
import { RelaysError } from './errors.ts'
import type { OwnRelay, RelayClients, Relays } from './relays.ts'

/** The relays that the owner added, and those of the configuration that have a token. One record holds them all. */
interface RelayList {
  readonly relays: readonly { readonly url: string; readonly addedSec: number; readonly hasToken: boolean }[]
}

// A relay is chosen for one device: it may be in the network of this device.
export const RELAYS: Kind<RelayList> = kind('relay', { travels: 'never', isCached: true })
/** By {@link tokenId}. */
export const RELAY_TOKENS: SealedKind<string> = sealedKind('relaytoken', {
  encode: encodeUtf8,
  decode: (bytes) => decodeUtf8(bytes)!,
})

const ALL = 'all'

export interface OwnRelaysOptions {
  readonly keeper: Keeper
  readonly sealed: SealedRecords
  readonly access: Pick<NetAccess, 'fetch'>
  readonly config: Pick<NetConfig, 'relays' | 'private'>
  readonly means?: Omit<RelayMeans, 'fetch'>
}

export class OwnRelays implements Relays {
  readonly #options: OwnRelaysOptions
  #loading: Promise<RelayClients> | null = null
  readonly #listeners = new Set<(url: string) => void>()

  constructor(options: OwnRelaysOptions) {
    this.#options = options
  }

  list(): OwnRelay[] {
    const { relays: configured } = this.#options.config
    const added = this.#options.keeper.onDisk.of(RELAYS).get(ALL)?.relays ?? []
    const tokens = new Set(added.flatMap(({ url, hasToken }) => (hasToken ? [url] : [])))
    return [
      ...configured.map((url) => ({ url, hasToken: tokens.has(url), from: 'configuration' as const })),
      ...added
        .filter(({ url }) => !configured.includes(url))
        .map(({ url, hasToken }) => ({ url, hasToken, from: 'added' as const })),
    ]
  }

  clients(): Promise<RelayClients> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  async client(url: string): Promise<RelayClient> {
    return (await this.clients()).of(url)
  }

  token(url: string): string | null {
    const { sealed } = this.#options
    if (this.list().find((each) => each.url === url)?.hasToken !== true) return null
    return sealed.onDisk(RELAY_TOKENS).get(tokenId(url)) ?? null
  }

  /**
   * Notes a relay, or another token for it.
   * @throws {RelaysError} RELAYS_TOO_MANY @throws {CustodyError} APPS_LOCKED
   */
  async add(url: string, token: string | null): Promise<void> {
    const { keeper, sealed } = this.#options
    await keeper.change(() => {
      const others = this.#inChange().filter((each) => each.url !== url)
      if (others.length >= MAX_OWN_RELAYS)
        throw new RelaysError('RELAYS_TOO_MANY', `${MAX_OWN_RELAYS} relays are added already`, 'remove one first')
      const hadToken = this.#inChange().find((each) => each.url === url)?.hasToken === true
      if (token !== null) sealed.inChange(RELAY_TOKENS).put(tokenId(url), token)
      this.#put([...others, { url, addedSec: keeper.nowSec, hasToken: hadToken || token !== null }])
    })
    for (const run of this.#listeners) run(url)
  }

  onAdded(run: (url: string) => void): () => void {
    this.#listeners.add(run)
    return () => void this.#listeners.delete(run)
  }

  /** Forgets a relay and its token. @returns whether there was one @throws {CustodyError} APPS_LOCKED */
  async remove(url: string): Promise<boolean> {
    const { keeper, sealed } = this.#options
    return await keeper.change(() => {
      const before = this.#inChange()
      const known = before.find((each) => each.url === url)
      if (known === undefined) return false
      if (known.hasToken) sealed.inChange(RELAY_TOKENS).delete(tokenId(url))
      this.#put(before.filter((each) => each !== known))
      return true
    })
  }

  async #load(): Promise<RelayClients> {
    const { relayClients } = await import('../../relay/clients.ts')
    const { access, config, means = SYSTEM_MEANS } = this.#options
    const fetch: RelayFetch<string | ReadableStream<Uint8Array>> = async (to, request) =>
      await access.fetch(to, request)
    return { of: relayClients({ ...means, fetch }, config.private), fetch, clock: means.clock }
  }

  #inChange(): RelayList['relays'] {
    return this.#options.keeper.state.of(RELAYS).get(ALL)?.relays ?? []
  }

  #put(relays: RelayList['relays']): void {
    const { state } = this.#options.keeper
    state.stage(state.of(RELAYS).put(ALL, { relays }))
  }
}

function tokenId(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 32)
}

/** A relay's clock is compared with the wall clock. */
const SYSTEM_MEANS: Omit<RelayMeans, 'fetch'> = {
  clock: { ...systemClock, nowMs: () => Date.now() },
  random: Math.random,
}
