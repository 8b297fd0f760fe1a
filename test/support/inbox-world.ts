/** A relay with inboxes over HTTP, and made personas who call it with device tokens. */
import { signToken, TOKEN_LIFE_SEC, type DeviceToken } from '../../src/card/token.ts'
import { cardAt } from '../../src/card/place.ts'
import { encodeUtf8, formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import type { Clock } from '../../src/process/pulse.ts'
import { formatInboxPath, type InboxPath } from '../../src/relay/paths/inbox-path.ts'
import type { InboxAt, SignCall } from '../../src/relay/inboxes.ts'
import type { InboxEntry } from '../../src/relay/wire.ts'
import { APP, cardKeyPair, makeToken, signedCard, verifiedCard, type CardWishes } from './cards.ts'
import { makePersona, sodium, type MadePersona } from './made-persona.ts'
import { CARDS_URL, testCards, type TestCards, type TestCardsOptions } from './relay-cards.ts'
import { serveBoxes, type TestServer } from './relay-http.ts'
import { TestBoxes } from './test-boxes.ts'

export const alice: MadePersona = makePersona(1)
export const bob: MadePersona = makePersona(2)
export const carol: MadePersona = makePersona(3)
export const TOKEN = 'operators-token'

export const idOf = ({ positions }: MadePersona): string => formatHex(positions[0]!.personaId)

/** The place of a persona's card for an app, which every epoch shares. */
export function placeOf(persona: MadePersona, app: string = APP): string {
  const { root, chain } = verifiedCard(persona)
  return cardAt(root, chain.personaId, app, sodium)
}

function signOf({ positions }: MadePersona, device = 1): SignCall {
  const { publicKey, secretKey } = cardKeyPair(device)
  return ({ to, ...call }, nowSec) =>
    signToken(
      {
        ...call,
        personaId: positions[0]!.personaId,
        app: APP,
        deviceKey: publicKey,
        to: to === null ? null : parseHex(to),
        issuedAtSec: nowSec,
        expiresAtSec: nowSec + TOKEN_LIFE_SEC,
      },
      (message) => sodium.sign(message, secretKey),
    )
}

/** The inbox of a persona, called by a device of somebody. */
export const inboxOf = (persona: MadePersona, caller: MadePersona, device = 1): InboxAt => ({
  persona: idOf(persona),
  app: APP,
  sign: signOf(caller, device),
})

export interface Reply {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

/** A call by a device of a persona. */
export interface DeviceCall {
  readonly method?: string
  /** Below the address of the relay, with its query. */
  readonly path: string
  readonly body?: string
  readonly device?: number
  /** Members of the token that differ from the call. */
  readonly token?: Partial<DeviceToken>
}

export interface InboxWorld extends TestCards {
  readonly url: string
  readonly served: TestServer
  /** Puts a card, with the operator's token unless as a guest. */
  readonly putCard: (persona: MadePersona, wishes?: CardWishes, isGuest?: boolean) => Promise<number>
  readonly bearerOf: (persona: MadePersona, call: DeviceCall) => string
  readonly call: (persona: MadePersona, call: DeviceCall) => Promise<Reply>
  /** Leaves an entry for a persona. */
  readonly post: (
    from: MadePersona,
    encId: string,
    call?: Partial<DeviceCall> & { readonly to?: MadePersona },
  ) => Promise<Reply>
  /** The ids that a device of a persona finds. */
  readonly list: (persona: MadePersona, device?: number, query?: string) => Promise<InboxEntry[]>
  readonly ack: (persona: MadePersona, device: number, numbers: readonly number[]) => Promise<Reply>
  readonly senders: (persona: MadePersona, rules: object) => Promise<Reply>
}

export const pathOf = (persona: MadePersona, part: InboxPath['part'] = 'entries'): string =>
  `/${formatInboxPath({ persona: idOf(persona), part })}`

/** A relay that has the cards of Alice, as a guest, and of Bob, by right. */
export async function inboxWorld(options: TestCardsOptions & { readonly clock?: Clock } = {}): Promise<InboxWorld> {
  const { url: address = CARDS_URL } = options
  const test = testCards({ tokens: [TOKEN], ...options })
  const served = await serveBoxes({
    boxes: new TestBoxes(),
    cards: test.cards,
    inboxes: test.inboxes,
    about: { url: address },
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.others === undefined ? {} : { limits: options.others }),
  })
  const { origin, pathname } = new URL(address)
  const bearerOf: InboxWorld['bearerOf'] = (persona, { method = 'GET', path, body = '', device = 1, token }) => {
    const named = { origin, path: pathname.replace(/\/$/, '') + path, method, issuedAtSec: test.nowSec, ...token }
    return makeToken(persona, encodeUtf8(body), named, device)
  }
  const call: InboxWorld['call'] = async (persona, given) => {
    const { method = 'GET', path, body } = given
    const headers = { authorization: `Bearer ${bearerOf(persona, given)}` }
    const answer = await fetch(served.url + path, { method, headers, ...(body === undefined ? {} : { body }) })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown>, headers: answer.headers }
  }
  const owned = (persona: MadePersona, part: InboxPath['part'], body: object, device = 1): Promise<Reply> =>
    call(persona, { method: 'POST', path: pathOf(persona, part), body: JSON.stringify({ app: APP, ...body }), device })
  const world: InboxWorld = Object.assign(test, {
    url: served.url,
    served,
    bearerOf,
    call,
    putCard: async (persona: MadePersona, wishes: CardWishes = {}, isGuest = false): Promise<number> => {
      const card = signedCard(persona, { issuedAtSec: test.nowSec, ...wishes })
      const headers: Record<string, string> = isGuest ? {} : { authorization: `Bearer ${TOKEN}` }
      const path = `/card/${placeOf(persona, wishes.app)}`
      return (await fetch(served.url + path, { method: 'PUT', body: card, headers })).status
    },
    post: (from: MadePersona, encId: string, { to = bob, ...given }: Partial<DeviceCall> & { to?: MadePersona } = {}) =>
      call(from, {
        method: 'POST',
        path: pathOf(to),
        body: JSON.stringify({ app: APP, encId }),
        ...given,
        token: { to: to.positions[0]!.personaId, ...given.token },
      }),
    list: async (persona: MadePersona, device = 1, query = ''): Promise<InboxEntry[]> => {
      const { body } = await call(persona, { path: `${pathOf(persona)}?app=${APP}${query}`, device })
      return body['entries'] as InboxEntry[]
    },
    ack: (persona: MadePersona, device: number, n: readonly number[]) => owned(persona, 'ack', { n }, device),
    senders: (persona: MadePersona, rules: object) => owned(persona, 'senders', rules),
  })
  await world.putCard(alice, {}, true)
  await world.putCard(bob)
  return world
}
