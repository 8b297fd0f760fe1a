/** A device that writes and reads messages over relays with src/card, src/message and src/relay alone, as docs/messages.md has it. */
import { cardAt } from '../../src/card/place.ts'
import { verifyCard, type VerifiedCard } from '../../src/card/verify.ts'
import {
  concatBytes,
  equalBytes,
  formatBase64url,
  formatHex,
  parseBase64url,
  parseHex,
} from '../../src/core/encoding/bytes.ts'
import { openEntry, sealEntry, type Entry, type MessageEntry, type Receipt } from '../../src/message/entry.ts'
import type { Header } from '../../src/message/header.ts'
import { openObject } from '../../src/message/open-object.ts'
import { makeReceipt, verifyReceipt } from '../../src/message/receipt.ts'
import { sealObject } from '../../src/message/seal-object.ts'
import { getCard, putCard, type CardPut } from '../../src/relay/cards.ts'
import type { RelayClient } from '../../src/relay/client.ts'
import { relayClients } from '../../src/relay/clients.ts'
import { acknowledge, listEntries, postEntry } from '../../src/relay/inboxes.ts'
import type { RelayFetch } from '../../src/relay/means.ts'
import { deleteObject, getObject, putObject, type ObjectsAt, type SignObject } from '../../src/relay/objects.ts'
import type { InboxEntry } from '../../src/relay/wire.ts'
import { APP, cardKeyPair, makeToken } from './cards.ts'
import { idOf, inboxOf, placeOf } from './inbox-world.ts'
import { sodium, type MadePersona } from './made-persona.ts'
import { encPair, inPieces } from './messages.ts'

/** The means of all devices of a test. */
export interface Network {
  readonly fetch: RelayFetch<string | ReadableStream<Uint8Array>>
  readonly nowMs: () => number
}

/** A message as its sender keeps it until all receipts have come. */
export interface Written {
  readonly entry: MessageEntry
  readonly object: Uint8Array
  /** The keys `sig` of the devices to which it is sealed. */
  readonly readers: readonly Uint8Array[]
}

export interface Read {
  readonly header: Header
  readonly content: Uint8Array
}

const LOCAL = ['127.0.0.1'] // real relays of a test serve here
const MAX_OBJECT_BYTES = 20 << 20

export class Correspondent {
  readonly persona: MadePersona
  readonly personaId: Uint8Array
  readonly #device: number
  readonly #network: Network
  readonly #clientOf: (url: string) => RelayClient
  #count = 0

  /** @param device the number of a made device: its keys are those of makeEntry */
  constructor(persona: MadePersona, device: number, network: Network) {
    this.persona = persona
    this.personaId = persona.positions[0]!.personaId
    this.#device = device
    this.#network = network
    const clock = { nowMs: network.nowMs, after: () => () => {} }
    this.#clientOf = relayClients({ fetch: network.fetch, clock, random: () => 0.5 }, LOCAL)
  }

  /** Leaves a card of the own persona: as a guest, unless the relay lists the persona. */
  async putCard(relay: string, card: string): Promise<CardPut> {
    const { root, chain, app } = verifyCard(card, sodium)
    return await putCard(this.#clientOf(relay), { at: cardAt(root, chain.personaId, app, sodium) }, card)
  }

  /** The newest card that a relay has at a place. */
  async cardAt(relay: string, at: string): Promise<VerifiedCard> {
    const text = await getCard(this.#clientOf(relay), { at })
    if (text === null) throw new Error(`no card at ${relay}`)
    return verifyCard(text, sodium)
  }

  /** The newest card of a persona whose c_0 the device knows. */
  async cardOf(relay: string, persona: MadePersona): Promise<VerifiedCard> {
    return await this.cardAt(relay, placeOf(persona))
  }

  /** The newest card of whoever left an entry, which the relay has beside it. */
  async senderOf(relay: string, { from, at }: InboxEntry): Promise<VerifiedCard> {
    const card = await this.cardAt(relay, at)
    if (formatHex(card.chain.personaId) !== from) throw new Error('the card is of another persona than the entry')
    return card
  }

  /** Seals a message to the devices of a card, and to the other devices of the own one. */
  async write(content: Uint8Array, own: VerifiedCard, theirs: VerifiedCard): Promise<Written> {
    const parts: Uint8Array[] = []
    const { publicKey, secretKey } = cardKeyPair(this.#device)
    const others = own.devices.filter(({ sig }) => !equalBytes(sig, publicKey))
    const id = sodium.randomBytes(32)
    const { hash } = await sealObject(
      {
        id,
        kind: 'message',
        count: ++this.#count,
        from: this.personaId,
        device: publicKey,
        to: theirs.chain.personaId,
        app: APP,
        issuedAtSec: Math.floor(this.#network.nowMs() / 1000),
        toKeys: theirs.devices.map(({ enc }) => enc),
        ownKeys: others.map(({ enc }) => enc),
      },
      () => inPieces(content, 10_000),
      (part) => void parts.push(part),
      { engine: sodium, sign: (message) => sodium.sign(message, secretKey) },
    )
    const readers = [...theirs.devices, ...others].map(({ sig }) => sig)
    return { entry: { kind: 'message', id, store: 0, hash }, object: concatBytes(...parts), readers }
  }

  /** Leaves the object of a message in a store. */
  async store(relay: string, { entry, object }: Written): Promise<'kept' | 'same' | 'other'> {
    const source = { bytes: object.length, hash: entry.hash, parts: () => inPieces(object, 1 << 16) }
    return await putObject(this.#objectsAt(relay), formatBase64url(entry.id), source, this.#sign)
  }

  /** Leaves an entry at a relay, for the persona of a card. @returns the sealed entry as it went */
  async post(relay: string, entry: Entry, card: VerifiedCard): Promise<string> {
    const encId = await this.seal(entry, card)
    await this.postSealed(relay, encId, card.chain.personaId)
    return encId
  }

  async seal(entry: Entry, { chain, devices }: VerifiedCard): Promise<string> {
    const route = { from: this.personaId, reader: chain.personaId, app: APP }
    const keys = devices.map(({ enc }) => enc)
    return formatBase64url(await sealEntry(entry, route, keys))
  }

  /** @param persona PersonaID of the owner of the inbox */
  async postSealed(relay: string, encId: string, persona: Uint8Array): Promise<void> {
    await postEntry(this.#clientOf(relay), { ...this.#inbox, persona: formatHex(persona) }, encId)
  }

  /** The entries of the own inbox that this device has not acknowledged. */
  async unread(relay: string): Promise<readonly InboxEntry[]> {
    const { entries } = await listEntries(this.#clientOf(relay), this.#inbox, 0)
    return entries
  }

  async open({ from, encId }: Pick<InboxEntry, 'from' | 'encId'>): Promise<Entry> {
    const route = { from: parseHex(from)!, reader: this.personaId, app: APP }
    return await openEntry(parseBase64url(encId)!, route, [await encPair(this.#device)])
  }

  /** Fetches an object from the store of its sender's card that the entry names, and opens it. */
  async read(entry: MessageEntry, sender: VerifiedCard): Promise<Read> {
    const parts: Uint8Array[] = []
    const expected = {
      entry,
      route: { from: sender.chain.personaId, reader: this.personaId, app: APP },
      devices: sender.devices.map(({ sig }) => sig),
      pairs: [await encPair(this.#device)],
    }
    const object = this.#fetchFrom(sender, entry)
    const header = await openObject(object, expected, (part) => void parts.push(part.slice()), sodium)
    return { header, content: concatBytes(...parts) }
  }

  async *#fetchFrom({ stores, chain }: VerifiedCard, { id, store }: MessageEntry): AsyncGenerator<Uint8Array> {
    const at = { ...this.#objectsAt(stores[store]!), persona: formatHex(chain.personaId) }
    const found = await getObject(at, formatBase64url(id), { maxBytes: MAX_OBJECT_BYTES })
    if (found === null) throw new Error('the store does not have the object')
    yield* found.parts
  }

  async acknowledge(relay: string, entries: readonly InboxEntry[]): Promise<void> {
    const numbers = entries.map(({ n }) => n)
    await acknowledge(this.#clientOf(relay), this.#inbox, numbers)
  }

  /** States that this device has a message. */
  receipt({ id, hash }: MessageEntry): Receipt {
    const { secretKey } = cardKeyPair(this.#device)
    return makeReceipt(id, hash, (message) => sodium.sign(message, secretKey))
  }

  /** The devices to which a message was sealed and of which no receipt came. */
  missing({ entry, readers }: Written, receipts: readonly Receipt[]): readonly Uint8Array[] {
    const confirmed = receipts.map((receipt) => verifyReceipt(receipt, entry.hash, readers, sodium))
    return readers.filter((reader) => !confirmed.includes(reader))
  }

  async remove(relay: string, { entry }: Written): Promise<boolean> {
    return await deleteObject(this.#objectsAt(relay), formatBase64url(entry.id), this.#sign)
  }

  get #inbox(): ReturnType<typeof inboxOf> {
    return inboxOf(this.persona, this.persona, this.#device)
  }

  #objectsAt(relay: string): ObjectsAt {
    return { client: this.#clientOf(relay), fetch: this.#network.fetch, persona: idOf(this.persona) }
  }

  readonly #sign: SignObject = (call, issuedAtSec) =>
    makeToken(this.persona, '', { ...call, issuedAtSec }, this.#device)
}
