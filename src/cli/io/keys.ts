/** Device keys as people type them: a ToxPk or a whole Tox ID. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { parseToxPk } from '../../tox/save/address.ts'

const TOX_ID_DIGITS = 76

/**
 * Reads a ToxPk, or the ToxPk in a whole Tox ID.
 * @param text hex digits of either case
 * @returns 64 upper-case hex digits
 * @throws {ToxError} TOX_BAD_ID
 */
export function parseDeviceKey(text: string): string {
  return formatHex(parseToxPk(text.trim()))
}

/** A query for lookups: a Tox ID becomes its ToxPk; the daemon reads everything else. */
export function parseQuery(text: string): string {
  return text.length === TOX_ID_DIGITS && /^[0-9A-Fa-f]+$/.test(text) ? parseDeviceKey(text) : text
}
