/** The facts of readers in the vectors of objects and entries, and how the code under test gets them (docs/messages.md). */
import { formatHex, parseBase64url, parseHex } from '../../src/core/encoding/bytes.ts'
import { MessageError } from '../../src/message/errors.ts'
import type { Route } from '../../src/message/seals.ts'
import { importBoxKeyPair, type BoxKeyPair } from '../../src/seal/key-pair.ts'
import { APP, cardKeyPair } from '../support/cards.ts'
import { ALICE, ALICE_LAPTOP, ALICE_PHONE, BOB, BOB_PHONE, CAROL, CAROL_PHONE, encSecret } from '../support/messages.ts'

/** The facts that a reader has before it opens anything. */
export interface ReaderFacts {
  /** PersonaIDs. */
  readonly from: string
  readonly reader: string
  readonly app: string
  /** Secrets of the keys `enc` of the device that reads. */
  readonly secrets: readonly string[]
  /** Keys `sig`: of the sender's card, or for a receipt of the devices to which its object was sealed. */
  readonly devices: readonly string[]
}

/** The members of each vector of both kinds. */
export interface ReaderFields extends ReaderFacts {
  readonly name: string
  readonly section: number
  readonly comment: string
}

export const hex = (text: string): Uint8Array => parseHex(text)!
export const base = (text: string): Uint8Array => parseBase64url(text)!

export const routeOf = ({ from, reader, app }: ReaderFacts): Route => ({ from: hex(from), reader: hex(reader), app })

export async function pairsOf({ secrets }: ReaderFacts): Promise<BoxKeyPair[]> {
  return await Promise.all(secrets.map(async (secret) => await importBoxKeyPair('x25519', hex(secret))))
}

export async function coded<Result>(read: () => Promise<Result>): Promise<Result | { code: string }> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    return { code: error.code }
  }
}

export const BOBS_PHONE: ReaderFacts = {
  from: formatHex(ALICE),
  reader: formatHex(BOB),
  app: APP,
  secrets: [formatHex(encSecret(BOB_PHONE))],
  devices: [ALICE_PHONE, ALICE_LAPTOP].map((device) => formatHex(cardKeyPair(device).publicKey)),
}
export const ALICES_LAPTOP: ReaderFacts = {
  ...BOBS_PHONE,
  reader: formatHex(ALICE),
  secrets: [formatHex(encSecret(ALICE_LAPTOP))],
}
export const CAROLS_PHONE: ReaderFacts = {
  ...BOBS_PHONE,
  reader: formatHex(CAROL),
  secrets: [formatHex(encSecret(CAROL_PHONE))],
}
