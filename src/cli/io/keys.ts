/** Device keys as people give them: a ToxPk, a whole Tox ID, or the profile that holds it. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { parseToxPk } from '../../tox/save/address.ts'

const TOX_ID_DIGITS = 76

/**
 * 64 upper-case hex digits of a ToxPk or of a whole Tox ID, digits of either case, as it was copied.
 * @throws {ToxError} TOX_BAD_ID
 */
export function parseDeviceKey(text: string): string {
  return formatHex(parseToxPk(text.trim()))
}

/** A query for lookups: a whole Tox ID becomes the key in it, everything else is left to the daemon. */
export function parseQuery(text: string): string {
  return text.length === TOX_ID_DIGITS && /^[0-9A-Fa-f]+$/.test(text) ? parseDeviceKey(text) : text
}
