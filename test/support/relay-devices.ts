/** A made persona with a card at a relay, as its devices ask for objects over HTTP. */
import { cardAt } from '../../src/card/place.ts'
import type { DeviceToken } from '../../src/card/token.ts'
import { formatBase64url, formatHex } from '../../src/core/encoding/bytes.ts'
import type { Cards } from '../../src/relayd/cards/cards.ts'
import { makeToken, verifiedCard, type CardWishes } from './cards.ts'
import { NOW_SEC, sodium, type MadePersona } from './made-persona.ts'
import { CARDS_URL } from './relay-cards.ts'

export interface Asked {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  /** The body as JSON; undefined for any other one. */
  readonly body: unknown
}

export interface AskOptions extends Partial<DeviceToken> {
  /** The number of the made device; null asks without a token. */
  readonly device?: number | null
  readonly bearer?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sends this instead of the body that the token is for. */
  readonly sent?: string | ReadableStream<Uint8Array>
  readonly signal?: AbortSignal
}

/** An id that a number gives: no test needs chance. */
export function objectIdOf(number: number): string {
  return formatBase64url(sodium.sha256(Buffer.from(`object ${number}`)))
}

export class RelayDevices {
  readonly persona: MadePersona
  readonly personaId: string
  readonly #url: string
  readonly #origin: string

  /** The time of the tokens. */
  readonly nowSec: () => number

  /** @param origin by which the relay calls itself */
  constructor(persona: MadePersona, url: string, origin: string = CARDS_URL, nowSec: () => number = () => NOW_SEC) {
    this.nowSec = nowSec
    this.persona = persona
    this.personaId = formatHex(persona.positions[0]!.personaId)
    this.#url = url
    this.#origin = origin
  }

  /** The same devices, at the address that the relay has after a restart. */
  moved(url: string): RelayDevices {
    return new RelayDevices(this.persona, url, url, this.nowSec)
  }

  objectPath(number: number): string {
    return `/store/${this.personaId}/${objectIdOf(number)}`
  }

  get personaPath(): string {
    return `/persona/${this.personaId}`
  }

  cardOf(wishes: CardWishes = {}): { readonly text: string; readonly at: string } {
    const { text, root, chain, app } = verifiedCard(this.persona, wishes)
    return { text, at: cardAt(root, chain.personaId, app, sodium) }
  }

  /** Keeps a card at a relay in this process. */
  async putCard(cards: Pick<Cards, 'put'>, token: string | null, wishes: CardWishes = {}): Promise<void> {
    const { text, at } = this.cardOf(wishes)
    const { outcome } = await cards.put({ at }, text, token, { address: 'home' })
    if (outcome !== 'kept') throw new Error(`the card is not kept: ${outcome}`)
  }

  /** The header of a PUT as bytes, for a body that the test sends by itself. */
  putHeader(path: string, body: string | Uint8Array, lengthBytes: number = body.length): string {
    const token = this.tokenFor('PUT', path, body)
    return `PUT ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${lengthBytes}\r\n\r\n`
  }

  tokenFor(
    method: string,
    path: string,
    body: string | Uint8Array,
    wishes: Partial<DeviceToken> = {},
    device = 1,
  ): string {
    const token = { method, origin: this.#origin, path, issuedAtSec: this.nowSec(), ...wishes }
    return makeToken(this.persona, body, token, device)
  }

  async ask(method: string, path: string, body: string | Uint8Array = '', options: AskOptions = {}): Promise<Asked> {
    const {
      device = method === 'GET' || method === 'HEAD' ? null : 1,
      bearer,
      headers = {},
      sent,
      signal,
      ...wishes
    } = options
    const token = bearer ?? (device === null ? undefined : this.tokenFor(method, path, body, wishes, device))
    const payload = sent ?? (body.length === 0 ? undefined : Buffer.from(body))
    const answer = await fetch(this.#url + path, {
      method,
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(payload === undefined ? {} : { body: payload, duplex: 'half' }),
      ...(signal === undefined ? {} : { signal }),
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    return { status: answer.status, headers: answer.headers, bytes, body: parse(bytes) }
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
