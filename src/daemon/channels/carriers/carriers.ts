/** All carriers of the daemon: which one serves an address, and over which of them this end receives. */
import { MAX_INTAKES, type Address, type Intake } from '../../../channel/invite/address.ts'
import { exportBoxSecret, generateBoxKeyPair } from '../../../seal/key-pair.ts'
import type { Carrier, OwnPlace } from '../../../channel/carriers/carrier.ts'
import { CarrierError } from '../../../channel/carriers/errors.ts'
import { FolderCarrier, type FolderMeans } from './folder-carrier.ts'
import { RelayCarrier, type RelayCarrierMeans } from '../../../channel/carriers/relay-carrier.ts'

export interface CarriersMeans {
  readonly folder: FolderMeans
  readonly relay: RelayCarrierMeans
  /** The relays of the owner, asked for at each new place. */
  readonly relays: () => readonly string[]
}

/** A carrier, and where on it an intake is to be. */
interface Choice {
  readonly carrier: Carrier
  readonly at: string
}

export class Carriers {
  readonly folder: FolderCarrier
  readonly relay: RelayCarrier
  readonly all: readonly Carrier[]
  readonly #means: CarriersMeans

  constructor(means: CarriersMeans) {
    this.#means = means
    this.folder = new FolderCarrier(means.folder)
    this.relay = new RelayCarrier(means.relay)
    this.all = [this.folder, this.relay]
  }

  /** The carrier of an intake; null for one that this version does not know. */
  of(url: string): Carrier | null {
    return this.all.find((carrier) => carrier.serves(url)) ?? null
  }

  /**
   * Makes a place where this end receives, with a new key.
   * @param over `folder`, `folder:` and a configured directory, or URLs of relays; null for what fits
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
      hint: 'add a relay or a folder first',
    })
  }

  /** The choices that the owner named. @throws {CarrierError} CARRIER_UNKNOWN */
  async #named(over: readonly string[], peer: Address | null): Promise<Choice[]> {
    if (over.length > MAX_INTAKES)
      throw new CarrierError('CARRIER_UNKNOWN', `a place has at most ${MAX_INTAKES} ways to it, not ${over.length}`, {
        hint: 'name fewer',
      })
    return await Promise.all(
      [...new Set(over)].map(async (text): Promise<Choice> => {
        if (text === 'folder') return { carrier: this.folder, at: await this.#folderFor(peer) }
        if (text.startsWith('folder:')) return { carrier: this.folder, at: text.slice('folder:'.length) }
        if (this.relay.serves(text)) return { carrier: this.relay, at: text }
        throw new CarrierError('CARRIER_UNKNOWN', `${JSON.stringify(text)} names no carrier`, {
          hint: 'name "folder", "folder:" and a directory of the configuration, or the URL of a relay',
        })
      }),
    )
  }

  /** The relays of the owner, and a folder if the peer is in one. Without a relay, the first folder, or the relays of the peer. */
  async #fitting(peer: Address | null): Promise<Choice[]> {
    const relays = this.#means.relays().map((at): Choice => ({ carrier: this.relay, at }))
    const isInFolder = peer?.where.some(({ url }) => this.folder.serves(url)) === true
    const isAtRelay = peer === null || peer.where.some(({ url }) => this.relay.serves(url))
    if (isInFolder && this.folder.folders.length > 0) {
      const choice = { carrier: this.folder, at: await this.#folderFor(peer) }
      return isAtRelay ? [choice, ...relays] : [choice]
    }
    if (relays.length > 0) return relays
    if (peer === null && this.folder.folders.length > 0)
      return [{ carrier: this.folder, at: await this.#folderFor(null) }]
    // Boxes cost nothing where everybody may have one.
    const ofPeer = peer?.where.filter(({ url }) => this.relay.serves(url)) ?? []
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
