/** Two relays in this process, over HTTP, and people who write to each other: Alice's relay has her store, and each has an inbox. */
import { verifyCard, type VerifiedCard } from '../../src/card/verify.ts'
import type { MessageEntry } from '../../src/message/entry.ts'
import type { RelayResponse } from '../../src/relay/means.ts'
import type { InboxEntry } from '../../src/relay/wire.ts'
import { signedCard, type CardWishes } from './cards.ts'
import { Correspondent, type Network, type Written } from './correspondent.ts'
import { alice, bob, carol, idOf } from './inbox-world.ts'
import { NOW_SEC, sodium, type MadePersona } from './made-persona.ts'
import { ALICE_LAPTOP, ALICE_PHONE, BOB_LAPTOP, BOB_PHONE, CAROL_PHONE } from './messages.ts'
import { serveBoxes } from './relay-http.ts'
import { testObjects, type TestObjects } from './relay-objects.ts'
import { tempDir } from './temp-dir.ts'
import { TestBoxes } from './test-boxes.ts'

export const ALICES = 'https://alice.example/'
export const BOBS = 'https://bob.example/'

const DEVICES = new Map<MadePersona, readonly number[]>([
  [alice, [ALICE_PHONE, ALICE_LAPTOP]],
  [bob, [BOB_PHONE, BOB_LAPTOP]],
  [carol, [CAROL_PHONE]],
])
const HOMES = new Map([
  [alice, ALICES],
  [bob, BOBS],
  [carol, BOBS],
])

/** A message that waits for Bob. */
export interface Waiting {
  readonly written: Written
  readonly entry: MessageEntry
  readonly sender: VerifiedCard
  readonly found: InboxEntry
}

export class MessageRelays {
  readonly at: ReadonlyMap<string, TestObjects & { readonly served: string }>
  /** Bytes that a store gives in place of an object. Null takes the store off the network. */
  tamper: ((object: Uint8Array) => Uint8Array) | null = (object) => object
  readonly network: Network = { fetch: (url, request) => this.#fetch(url, request), nowMs: () => NOW_SEC * 1000 }

  private constructor(at: MessageRelays['at']) {
    this.at = at
  }

  /** Starts the relays. Everybody has a card at home by right, and at the other relay as a guest. */
  static async start(): Promise<MessageRelays> {
    const listed = [alice, bob, carol]
    const at = new Map<string, TestObjects & { readonly served: string }>()
    for (const url of [ALICES, BOBS]) {
      const personas = listed.filter((persona) => HOMES.get(persona) === url).map(idOf)
      const made = await testObjects(tempDir(), { url, personas })
      const { cards, inboxes } = made
      const { url: served } = await serveBoxes({ boxes: new TestBoxes(), cards, inboxes, kept: made, about: { url } })
      at.set(url, Object.assign(made, { served: `${served}/` }))
    }
    const relays = new MessageRelays(at)
    for (const persona of listed)
      for (const url of [ALICES, BOBS]) await relays.device(persona).putCard(url, relays.card(persona).text)
    return relays
  }

  /** A card of a persona, with the addresses of its home. */
  card(persona: MadePersona, wishes: CardWishes = {}): VerifiedCard {
    const home = HOMES.get(persona)!
    const text = signedCard(persona, { devices: DEVICES.get(persona)!, inboxes: [home], stores: [home], ...wishes })
    return verifyCard(text, sodium)
  }

  device(persona: MadePersona, device: number = DEVICES.get(persona)![0]!): Correspondent {
    return new Correspondent(persona, device, this.network)
  }

  /** A device of Alice writes to Bob's newest card, and his phone finds the entry. */
  async write(text: string, device: number = ALICE_PHONE): Promise<Waiting> {
    const sender = this.device(alice, device)
    const [own, theirs] = [await sender.cardOf(ALICES, alice), await sender.cardOf(BOBS, bob)]
    const written = await sender.write(new TextEncoder().encode(text), own, theirs)
    await sender.store(ALICES, written)
    const encId = await sender.post(BOBS, written.entry, theirs)
    const found = (await this.device(bob).unread(BOBS)).find((each) => each.encId === encId)!
    return { written, entry: written.entry, sender: own, found }
  }

  /** A device reads a message by the newest card of its sender, which its relay has. @returns its text */
  async read({ found, entry }: Pick<Waiting, 'found' | 'entry'>, reader: Correspondent): Promise<string> {
    const { content } = await reader.read(entry, await reader.senderOf(BOBS, found))
    return new TextDecoder().decode(content)
  }

  readonly #fetch: Network['fetch'] = async (url, request) => {
    const home = [...this.at.keys()].find((each) => url.startsWith(each))!
    const isObject = request.method === 'GET' && url.startsWith(`${home}store/`)
    if (isObject && this.tamper === null) throw new TypeError('fetch failed')
    const answer = await fetch(url.replace(home, this.at.get(home)!.served), request)
    if (isObject && answer.status === 206)
      return given(this.tamper!(new Uint8Array(await answer.arrayBuffer())), answer)
    return withoutDate(answer, answer.body)
  }
}

/** The answer of a store that gives these bytes, and says so. */
function given(bytes: Uint8Array, { status, headers }: Response): RelayResponse {
  const range = `bytes 0-${bytes.length - 1}/${bytes.length}`
  const changed = new Headers({ etag: headers.get('etag')!, 'content-range': range })
  return withoutDate({ status, headers: changed }, new Response(Buffer.from(bytes)).body)
}

/** The header of the server has the time of this machine, unlike the clock of the relay. */
function withoutDate(
  { status, headers }: { readonly status: number; readonly headers: Headers },
  body: RelayResponse['body'],
): RelayResponse {
  return { status, headers: { get: (name) => (name === 'date' ? null : headers.get(name)) }, body }
}
