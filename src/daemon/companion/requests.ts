/** Friend requests to the companion. The table in the request shows whose device asks (docs/tox.md, Friends). */
import { checkDeviceKey } from '../../core/blob.ts'
import { parseHex } from '../../core/encoding/bytes.ts'
import type { OrderVerdict } from '../../ipc/shapes/judged.ts'
import type { ToxRequest } from '../../ipc/shapes/tox.ts'
import { ToxError } from '../../tox/save/errors.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { PeerRecord, Peers } from './peers.ts'

const MAX_PENDING = 32 // sanity: a person can look through so many; the oldest goes first

/**
 * Accepts a device whose table lists it, if that table may be the current one. An older table may be from before the device was removed
 * or stolen: then the owner decides.
 */
const PRESENT: ReadonlySet<OrderVerdict> = new Set(['accept', 'refresh', 'fork'])

export class FriendRequests {
  readonly #keeper: Keeper
  readonly #peers: Peers
  readonly #pending = new Map<string, ToxRequest & { readonly text: string }>()

  constructor(keeper: Keeper, peers: Peers) {
    this.#keeper = keeper
    this.#peers = peers
  }

  /** The requests that wait for the owner, the newest last. */
  get pending(): ToxRequest[] {
    return [...this.#pending.values()].map(({ key, personaId, atSec }) => ({ key, personaId, atSec }))
  }

  /** @returns the record of the new friend; or null if the owner must decide, with `isNew` if that is worth an event */
  judge(
    key: string,
    text: string,
  ):
    | { readonly peer: PeerRecord }
    | { readonly peer: null; readonly isNew: boolean; readonly personaId: string | null } {
    const { nowSec } = this.#keeper
    const { valid, listsSender, verdict, blob } = this.#keeper.verify(text, key)
    const personaId = valid && listsSender === true && blob !== null ? blob.personaId : null
    if (personaId !== null && verdict !== null && PRESENT.has(verdict)) {
      const how = this.#howKnown(personaId)
      if (how !== null) return { peer: { how, personaId, toxId: null, addedAtSec: nowSec } }
    }
    const isNew = !this.#pending.has(key)
    this.#pending.delete(key)
    this.#pending.set(key, { key, personaId, atSec: nowSec, text })
    const [oldest] = this.#pending.keys()
    const isCrowd = this.#pending.size > MAX_PENDING
    if (isCrowd) this.#pending.delete(oldest!)
    // A flood of requests must not cause a flood of events.
    return { peer: null, isNew: isNew && !isCrowd, personaId }
  }

  /**
   * Accepts a device for the owner. @returns the text of its request; null if it did not ask
   * @throws {ToxError} TOX_FRIEND_OWN_KEY @throws {BlobError} DEVICE_KEY_*
   */
  take(key: string, own: string): string | null {
    checkDeviceKey(parseHex(key)!)
    if (key === own)
      throw new ToxError('TOX_FRIEND_OWN_KEY', 'this is the companion itself: give the ID of another device')
    const text = this.#pending.get(key)?.text ?? null
    this.#pending.delete(key)
    return text
  }

  #howKnown(personaId: string): 'sibling' | 'contact' | null {
    if (personaId === this.#keeper.ownTable?.personaId) return 'sibling'
    const persona = this.#keeper.onDisk.personas.get(personaId)
    // Without these limits a contact could fill the list with requests from keys of their choice.
    const isLetIn = persona !== undefined && this.#peers.follows(persona) && this.#peers.hasRoom(personaId)
    return isLetIn ? 'contact' : null
  }
}
