/** Names that only friends and siblings can compute: where a card is found, and which device an entry is (docs/card.md, section 6). */
import { encodeUtf8, formatBase64url } from '../core/encoding/bytes.ts'
import type { Engine } from '../core/engine.ts'
import { LABEL_CARD_AT, LABEL_CARD_DEVICE } from '../core/labels.ts'

const AT_BYTES = 16 // format: nobody finds a card by trying
const TAG_BYTES = 8 // format: 20 devices of one persona never share one by chance

/**
 * Where the card of a persona for an app is found: `GET <store>/card/<at>`. A stranger who has only the PersonaID lacks c_0, so they cannot
 * try which apps somebody uses.
 * @param root c_0, 32 bytes
 * @param personaId K_0, 32 bytes
 * @returns 22 characters
 */
export function cardAt(root: Uint8Array, personaId: Uint8Array, app: string, engine: Engine): string {
  const hash = engine.sha512(LABEL_CARD_AT, root, personaId, encodeUtf8(app))
  return formatBase64url(hash.subarray(0, AT_BYTES))
}

/**
 * The tag of a device's entry.
 * @param readingKey r of the persona (docs/announce.md, section 2), 32 bytes
 * @param deviceKey key of this daemon's first device in the table; the entry's `sig` if it has none. 32 bytes
 * @returns 8 bytes
 */
export function deviceTag(readingKey: Uint8Array, deviceKey: Uint8Array, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_CARD_DEVICE, readingKey, deviceKey).slice(0, TAG_BYTES)
}
