/** The right to send to a box, which its owner hands out with the key where the relay asks for a token (docs/relay.md, "Rights to send"). */
import { concatBytes, encodeUtf8, formatBase64url } from '../core/encoding/bytes.ts'
import { LABEL_RELAY_EXT } from '../core/labels.ts'
import type { BoxKey } from '../seal/box-key.ts'

export const EXT_BYTES = 16

/** Makes the `ext` of a box. @param token as the operator gave it: a secret of the owner of the box @returns 22 characters */
export async function sendRight(token: string, key: BoxKey): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const hmac = await crypto.subtle.importKey('raw', Uint8Array.from(encodeUtf8(token)), algorithm, false, ['sign'])
  const mac = await crypto.subtle.sign('HMAC', hmac, Uint8Array.from(concatBytes(LABEL_RELAY_EXT, key.bytes)))
  return formatBase64url(new Uint8Array(mac).subarray(0, EXT_BYTES))
}
