/** The cards of one persona as records: what decides stands in the record of the persona, each text in one of its own. */
import { formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import { jsonCodec, type Codec } from '../../store/store.ts'
import { checkCount, checkText } from './checked-values.ts'

/** A card without its text. Its epoch and root are those of the persona's record. */
export interface KeptCard {
  readonly at: string
  readonly app: string
  readonly seq: number
  readonly hash: Uint8Array
  /** Length of the text. */
  readonly bytes: number
  readonly endsUs: number
  /** The address that counts for it, as HMAC; null where somebody with a right put it. */
  readonly guest: string | null
  readonly isPublic: boolean
}

/** Known of a persona while the store has a card of it. All its cards have this root and this epoch. */
export interface KeptPersona {
  readonly root: Uint8Array
  readonly epoch: number
  /** When to look at it again; never after the end of one of its cards. */
  readonly dueUs: number
  readonly cards: readonly KeptCard[]
}

export interface KeptText {
  readonly endsUs: number
  readonly text: string
}

type Json = Readonly<Record<string, unknown>>

export const PERSONA_CODEC: Codec<KeptPersona> = {
  version: 1,
  encode: ({ root, cards, ...persona }) =>
    JSON_CODEC.encode({
      ...persona,
      root: formatBase64url(root),
      cards: cards.map(({ hash, ...card }) => ({ ...card, hash: formatBase64url(hash) })),
    }),
  decode: (bytes) => {
    const { root, epoch, dueUs, cards } = JSON_CODEC.decode(bytes)
    return {
      root: hash32(root),
      epoch: checkCount(epoch),
      dueUs: checkCount(dueUs),
      cards: (cards as Json[]).map(readCard),
    }
  },
}

export const CARD_TEXT_CODEC: Codec<KeptText> = jsonCodec(1, (value) => {
  const { endsUs, text: card } = value as Json
  return { endsUs: checkCount(endsUs), text: checkText(card) }
})

const JSON_CODEC = jsonCodec(1, (value) => value as Json)

function readCard({ at, app, seq, hash, bytes, endsUs, guest, isPublic }: Json): KeptCard {
  return {
    at: checkText(at),
    app: checkText(app),
    seq: checkCount(seq),
    hash: hash32(hash),
    bytes: checkCount(bytes),
    endsUs: checkCount(endsUs),
    guest: guest === null ? null : checkText(guest),
    isPublic: isPublic === true,
  }
}

function hash32(value: unknown): Uint8Array {
  const bytes = parseBase64url(checkText(value))
  if (bytes?.length !== 32) throw new Error('not 32 bytes')
  return bytes
}
