/** Ids of sealed records that stand for texts. The ids are in the clear on disk, so a hash stands in place of a name. */
import { encodeUtf8, formatHex } from '../../core/encoding/bytes.ts'
import type { Sha256 } from '../../core/engine.ts'

const HASH_BYTES = 16 // sanity: two of one scope never meet by chance

/**
 * The id of a record by a text that must not stand on the disk.
 * @param scope within which the text is unique, such as the name of an app; it stands in the clear
 */
export function hashed(scope: string, text: string, engine: Sha256): string {
  return `${scope}/${formatHex(engine.sha256(encodeUtf8(`${scope} ${text}`)).subarray(0, HASH_BYTES)).toLowerCase()}`
}
