/** Cards of made personas. They derive from small numbers, so they are the same at every run. */
import { signCard, type Card, type CardEntry } from '../../src/card/card.ts'
import { signToken, TOKEN_LIFE_SEC, type DeviceToken } from '../../src/card/token.ts'
import { verifyCard, type VerifiedCard } from '../../src/card/verify.ts'
import { encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import type { KeyPair } from '../../src/crypto/engine.ts'
import { deviceTag } from '../../src/card/place.ts'
import { makeDeviceKey, NOW_SEC, sodium, type MadePersona } from './made-persona.ts'

export const APP = 'org.example.notes'
/** r of the made personas. */
export const READING_KEY: Uint8Array = new Uint8Array(32).fill(7)

/** The key with which device `number` signs for the app. */
export function cardKeyPair(number: number): KeyPair {
  return sodium.signKeyPair(sodium.sha512(encodeUtf8(`card key ${number}`)).slice(0, 32))
}

/** The entry of a made device. */
export function makeEntry(number: number): CardEntry {
  return {
    tag: deviceTag(READING_KEY, makeDeviceKey(number), sodium),
    sig: cardKeyPair(number).publicKey,
    enc: makeDeviceKey(100 + number),
  }
}

export interface CardWishes extends Partial<Omit<Card, 'chain' | 'devices'>> {
  readonly epoch?: number
  readonly chain?: Partial<Card['chain']>
  /** Numbers of made devices, or actual entries. */
  readonly devices?: readonly (number | CardEntry)[]
}

/** By default: epoch 0, seq 1, devices 1 and 2, one inbox and one store. */
export function makeCard(
  persona: MadePersona,
  { epoch = 0, chain, devices = [1, 2], issuedAtSec = NOW_SEC, ...wishes }: CardWishes = {},
): Card {
  return {
    chain: { ...persona.positions[epoch]!, ...chain },
    app: APP,
    seq: 1,
    prev: wishes.seq === undefined || wishes.seq === 1 ? null : new Uint8Array(32).fill(5),
    issuedAtSec,
    expiresAtSec: issuedAtSec + 30 * 86_400,
    inboxes: ['https://relay.example/'],
    stores: ['https://store.example/alice/'],
    ...wishes,
    devices: devices.map((device) => (typeof device === 'number' ? makeEntry(device) : device)),
  }
}

export function signedCard(persona: MadePersona, wishes: CardWishes = {}): string {
  const card = makeCard(persona, wishes)
  return signCard(card, (message) => persona.sign(card.chain.epoch, message))
}

export function verifiedCard(persona: MadePersona, wishes: CardWishes = {}): VerifiedCard {
  return verifyCard(signedCard(persona, wishes), sodium)
}

/** The token with which a made device signs a request: a PUT without `to`, at NOW_SEC, unless `wishes` has others. */
export function makeToken(
  persona: MadePersona,
  body: string | Uint8Array,
  { issuedAtSec = NOW_SEC, ...wishes }: Partial<DeviceToken> & Pick<DeviceToken, 'origin' | 'path'>,
  device = 1,
): string {
  const { publicKey, secretKey } = cardKeyPair(device)
  const token: DeviceToken = {
    personaId: persona.positions[0]!.personaId,
    app: APP,
    deviceKey: publicKey,
    to: null,
    issuedAtSec,
    expiresAtSec: issuedAtSec + TOKEN_LIFE_SEC,
    method: 'PUT',
    bodyHash: sodium.sha256(typeof body === 'string' ? encodeUtf8(body) : body),
    ...wishes,
  }
  return signToken(token, (message) => sodium.sign(message, secretKey))
}
