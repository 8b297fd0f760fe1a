/** All carriers of the daemon: which one serves an address, and over which of them this end receives. */
import { MAX_INTAKES, type Address, type Intake } from '../../../channel/invite/address.ts'
import { exportBoxSecret, generateBoxKeyPair } from '../../../seal/key-pair.ts'
import type { Carrier, OwnPlace } from '../../../channel/carriers/carrier.ts'
import { CarrierError } from '../../../channel/carriers/errors.ts'
import { FolderCarrier, type FolderMeans } from './folder-carrier.ts'
import type { RecordWay } from './record-carriers.ts'
import { RelayCarrier, type RelayCarrierMeans } from '../../../channel/carriers/relay-carrier.ts'

export interface CarriersMeans {
  readonly folder: FolderMeans
  readonly relay: RelayCarrierMeans
  /** The relays of the owner, asked for at each new place. */
  readonly relays: () => readonly string[]
  readonly records?: readonly RecordWay[]
}

/** A carrier, and where on it an intake is to be. */
interface Choice {
  readonly carrier: Carrier
  readonly at: string
}

export class Carriers {
  readonly folder: FolderCarrier
  readonly relay: RelayCarrier
  readonly records: readonly RecordWay[]
  readonly all: readonly Carrier[]
  readonly #means: CarriersMeans

  constructor(means: CarriersMeans) {
    this.#means = means
    this.folder = new FolderCarrier(means.folder)
    this.relay = new RelayCarrier(means.relay)
    this.records = means.records ?? []
    this.all = [this.folder, this.relay, ...this.records.map(({ carrier }) => carrier)]
  }

  async close(): Promise<void> {
    await Promise.all(this.records.map(async (way) => await way.close()))
  }

  /** The carrier of an intake; null for one that this version does not know. */
  of(url: string): Carrier | null {
    return this.all.find((carrier) => carrier.serves(url)) ?? null
  }

  /**
   * Makes a place where this end receives, with a new key.
   * @param over `folder`, `folder:` and a configured directory, `dht`, `veilid`, or URLs of relays, perhaps after `relay:`; null for what fits
   * @param peer where the peer of a guest receives, or null. A folder is taken that holds the peer's subdirectory
   * @throws {CarrierError} NO_CARRIER | CARRIER_UNKNOWN, and as {@link Carrier.open} if not one of the intakes can be made
   */
  async openPlace(over: readonly string[] | null, peer: Address | null = null): Promise<OwnPlace> {
    const choices = await this.#choose(over, peer)
    const pair = await generateBoxKeyPair('x25519', true)
    const pub = pair.key.bytes
    const secret = await exportBoxSecret(pair)
    const opened = await Promise.allSettled(choices.map(async ({ carrier, at }) => await carrier.open(at, pub, secret)))
    const where = opened.flatMap((each): Intake[] => (each.status === 'fulfilled' ? [each.value] : []))
    const failed = opened.find((each) => each.status === 'rejected')
    // One relay of several may be wrong; a named one must not be left out without a word.
    if (failed !== undefined && (where.length === 0 || over !== null)) throw failed.reason
    return { address: { pub, where }, secret }
  }

  async #choose(over: readonly string[] | null, peer: Address | null): Promise<Choice[]> {
    const choices = over === null ? await this.#fitting(peer) : await this.#named(over, peer)
    if (choices.length > 0) return choices.slice(0, MAX_INTAKES)
    throw new CarrierError('NO_CARRIER', 'there is neither a relay nor a folder for the channel', {
      hint: 'add a relay or a folder first, or name "dht" or "veilid"',
    })
  }

  /** The choices that the owner named. @throws {CarrierError} CARRIER_UNKNOWN */
  async #named(over: readonly string[], peer: Address | null): Promise<Choice[]> {
    if (over.length > MAX_INTAKES)
      throw new CarrierError('CARRIER_UNKNOWN', `a place has at most ${MAX_INTAKES} ways to it, not ${over.length}`, {
        hint: 'name fewer',
      })
    const choices = await Promise.all(
      [...new Set(over)].map(async (text): Promise<Choice> => {
        if (text === 'folder') return { carrier: this.folder, at: await this.#folderFor(peer) }
        if (text.startsWith('folder:')) return { carrier: this.folder, at: text.slice('folder:'.length) }
        const way = this.records.find(({ network }) => network === text)
        if (way !== undefined) return choiceOf(way)
        const url = relayIn(text)
        if (this.relay.serves(url)) return { carrier: this.relay, at: url }
        throw new CarrierError('CARRIER_UNKNOWN', `${JSON.stringify(text)} names no carrier`, {
          hint: 'name "folder", "folder:" and a directory of the configuration, "dht", "veilid", or the URL of a relay',
        })
      }),
    )
    this.#checkReach(choices, peer)
    return choices
  }

  /** In a record, an end writes in its own one alone. So a guest without one reaches no host who has nothing else. @throws {CarrierError} CARRIER_UNKNOWN */
  #checkReach(choices: readonly Choice[], peer: Address | null): void {
    const ways = (peer?.where ?? []).map(({ url }) => this.records.find(({ carrier }) => carrier.serves(url)) ?? null)
    const canReach = (way: RecordWay | null): boolean =>
      way === null || choices.some(({ carrier }) => carrier === way.carrier)
    if (ways.length === 0 || ways.some(canReach)) return
    const names = ways.map((way) => `"${way!.network}"`).join(' or ')
    throw new CarrierError('CARRIER_UNKNOWN', 'the other side can be reached in none of the ways that you name', {
      hint: `name ${names}, or nothing`,
    })
  }

  /**
   * The relays of the owner, and a folder and the records if the peer is there. Without a relay, the first folder, or the relays of the peer.
   */
  async #fitting(peer: Address | null): Promise<Choice[]> {
    const relays = this.#means.relays().map((at): Choice => ({ carrier: this.relay, at }))
    const where = peer?.where ?? []
    const isAt = (carrier: Carrier): boolean => where.some(({ url }) => carrier.serves(url))
    const ways = this.records.filter(({ carrier }) => isAt(carrier))
    const shared = ways.filter(({ offBecause }) => offBecause === null).map(choiceOf)
    if (isAt(this.folder) && this.folder.folders.length > 0)
      shared.unshift({ carrier: this.folder, at: await this.#folderFor(peer) })
    if (shared.length > 0) return isAt(this.relay) ? [...shared, ...relays] : shared
    if (ways.length > 0 && !isAt(this.relay)) return ways.map(choiceOf)
    if (relays.length > 0) return relays
    if (peer === null && this.folder.folders.length > 0)
      return [{ carrier: this.folder, at: await this.#folderFor(null) }]
    // Boxes cost nothing where everybody may have one.
    const ofPeer = where.filter(({ url }) => this.relay.serves(url))
    return ofPeer.map(({ url }) => ({ carrier: this.relay, at: url }))
  }

  /** The folder that holds a subdirectory of the peer; the first one where none does. @throws {CarrierError} NO_CARRIER */
  async #folderFor(peer: Address | null): Promise<string> {
    for (const { url } of peer?.where ?? []) {
      const [found] = this.folder.serves(url) ? await this.folder.holding(url) : []
      if (found !== undefined) return found
    }
    const [first] = this.folder.folders
    if (first !== undefined) return first
    throw new CarrierError('NO_CARRIER', 'no folder is configured', { hint: 'add one to net.folders' })
  }
}

/** The URL of a relay that the owner or an app names, with or without `relay:`. */
export function relayIn(way: string): string {
  return way.replace(/^relay:/, '')
}

/** @throws {CarrierError} NO_CARRIER */
function choiceOf({ carrier, network, offBecause }: RecordWay): Choice {
  if (offBecause === null) return { carrier, at: network }
  throw new CarrierError('NO_CARRIER', offBecause, {
    hint: 'name nodes of the DHT in net.bootstrap, without net.proxy',
    details: { network },
  })
}
