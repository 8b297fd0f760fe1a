/** The friends of the companion: chooses them by the tables, and stores them (docs/tox.md, Friends). */
import type { Contact } from '../../ipc/shapes/contact.ts'
import type { Connection } from '../../ipc/shapes/tox.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { kind, type Kind } from '../state/kind.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { personaContact } from '../state/view.ts'

export const MAX_PEERS = 1024 // sanity: an offline friend costs libtoxcore some 0.03 % of a processor
const MAX_PEERS_A_PERSONA = 40 // sanity: two full tables; a contact must not fill the list with keys of their choice

/** A friend of the companion. The id is its key. Records are never deleted: a friend that leaves its table is reported. */
export interface PeerRecord {
  /** A device of the owner, a device of a contact, a device that the user named, or a device that asked. */
  readonly how: 'sibling' | 'contact' | 'named' | 'request'
  /** The persona whose device it was when it was added; null if no persona's. */
  readonly personaId: string | null
  /** The Tox ID from the user, which gets a friend request; null if no request is needed. */
  readonly toxId: string | null
  readonly addedAtSec: number
}

/** Never travels: each machine has its own companion, which finds its friends in the tables. */
export const PEERS: Kind<PeerRecord> = kind('peer', { travels: 'never' })

/** A friend during this run. */
export interface Peer {
  readonly record: PeerRecord
  name: string
  connection: Connection
  /** It reads packets. */
  instant: boolean
  /** TOX_ERR_FRIEND_ADD */
  refused: number | null
  left: boolean
}

export interface NewPeer {
  readonly key: string
  readonly record: PeerRecord
}

export class Peers {
  readonly #keeper: Keeper
  readonly #friends: 'all' | 'named'
  readonly #all = new Map<string, Peer>()

  private constructor(keeper: Keeper, friends: 'all' | 'named') {
    this.#keeper = keeper
    this.#friends = friends
  }

  static async open(keeper: Keeper, friends: 'all' | 'named'): Promise<Peers> {
    const peers = new Peers(keeper, friends)
    for await (const [key, record] of keeper.onDisk.of(PEERS).iterate()) peers.#all.set(key, newPeer(record))
    return peers
  }

  get all(): ReadonlyMap<string, Peer> {
    return this.#all
  }

  get isFull(): boolean {
    return this.#all.size >= MAX_PEERS
  }

  /** Marks all friends as offline, since the node ended. */
  forgetConnections(): void {
    for (const peer of this.#all.values()) Object.assign(peer, { connection: 'none', instant: false, refused: null })
  }

  /** Stores new friends durably; skips existing friends and those beyond the limit. @returns the added friends */
  async add(wanted: readonly NewPeer[]): Promise<NewPeer[]> {
    const fresh = wanted.filter(({ key }) => !this.#all.has(key)).slice(0, MAX_PEERS - this.#all.size)
    if (fresh.length === 0) return []
    // Before the write: two concurrent calls must not both add one friend.
    for (const { key, record } of fresh) this.#all.set(key, newPeer(record))
    const { state } = this.#keeper
    await this.#keeper.change(() => {
      for (const { key, record } of fresh) state.stage(state.of(PEERS).put(key, record))
    })
    return fresh
  }

  /** The devices of the owner, except the companion itself. */
  siblings(own: string): NewPeer[] {
    const { ownTable, nowSec } = this.#keeper
    if (ownTable === null) return []
    const record = { how: 'sibling', personaId: ownTable.personaId, toxId: null, addedAtSec: nowSec } as const
    return ownTable.devices.filter(({ key }) => key !== own).map(({ key }) => ({ key, record }))
  }

  /** The devices of all contacts that are followed. */
  async contacts(): Promise<NewPeer[]> {
    if (this.#friends === 'named') return [...this.#namedPersonas()].flatMap((personaId) => this.contact(personaId))
    const wanted: NewPeer[] = []
    for await (const [, persona] of this.#keeper.onDisk.personas.iterate()) wanted.push(...this.#devicesOf(persona))
    return wanted
  }

  /** The devices of one contact, if it is followed. */
  contact(personaId: string): NewPeer[] {
    const persona = this.#keeper.onDisk.personas.get(personaId)
    return persona === undefined ? [] : this.#devicesOf(persona)
  }

  /** Whether a contact's devices are befriended without a question. */
  follows(persona: PersonaRecord): boolean {
    const { entry, personaId } = persona
    if (entry === null || entry.policy !== 'auto' || entry.blocked) return false
    return this.#friends === 'all' || this.#namedPersonas().has(personaId)
  }

  /** Whether one more device of this contact may be befriended without a question. */
  hasRoom(personaId: string): boolean {
    return this.#roomOf(personaId) > 0
  }

  /** Devices that have left the table of their persona since the last call. */
  newlyLeft(): string[] {
    const left: string[] = []
    for (const [key, peer] of this.#all) {
      const isLeft = peer.record.personaId !== null && !this.#isListed(key, peer.record.personaId)
      if (isLeft && !peer.left) left.push(key)
      peer.left = isLeft
    }
    return left
  }

  #isListed(key: string, personaId: string): boolean {
    return this.#keeper.onDisk.personas.get(personaId)?.devices.some((device) => device.key === key) === true
  }

  /** Personas of which the user has named a device or accepted a request. */
  #namedPersonas(): Set<string> {
    const named = new Set<string>()
    for (const [key, { record }] of this.#all) {
      if (record.how !== 'named' && record.how !== 'request') continue
      const personaId = record.personaId ?? this.#keeper.onDisk.devices.get(key)?.bound ?? null
      if (personaId !== null) named.add(personaId)
    }
    return named
  }

  // Skips devices that are known as somebody else's. Otherwise anybody could make us contact a device by listing it.
  #devicesOf(persona: PersonaRecord): NewPeer[] {
    if (!this.follows(persona)) return []
    const contact = personaContact(persona, this.#keeper.reader())
    if (contact.kind !== 'persona' || contact.devices.length === 0) return []
    const { personaId } = persona
    const record = { how: 'contact', personaId, toxId: null, addedAtSec: this.#keeper.nowSec } as const
    const fresh = listedBy(contact).filter((key) => !this.#all.has(key))
    return fresh.slice(0, this.#roomOf(personaId)).map((key) => ({ key, record }))
  }

  #roomOf(personaId: string): number {
    let room = MAX_PEERS_A_PERSONA
    for (const { record } of this.#all.values()) if (record.personaId === personaId) room--
    return Math.max(0, room)
  }
}

function listedBy({ devices, claims }: Contact): string[] {
  return [...devices, ...claims.filter((device) => !device.contested)].map(({ key }) => key)
}

function newPeer(record: PeerRecord): Peer {
  return { record, name: '', connection: 'none', instant: false, refused: null, left: false }
}
