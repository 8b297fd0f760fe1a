/** Rights to send, where the operator gives tokens (docs/relay.md, "Rights to send"): the `ext` of a box is an HMAC, so a link never gives the token away. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { LABEL_RELAY_EXT } from '../../core/labels.ts'
import { EXT_BYTES } from '../../relay/send-right.ts'
import type { BoxKey } from '../../seal/box-key.ts'

/** Whether `ext` is the right to send to a box under one of the tokens. It tries all of them, whichever fits. */
export function hasRight(tokens: readonly string[], key: BoxKey, ext: Uint8Array | null): boolean {
  if (ext?.length !== EXT_BYTES) return false
  return tokens.map((token) => timingSafeEqual(rightOf(token, key), ext)).includes(true)
}

function rightOf(token: string, key: BoxKey): Buffer {
  const mac = createHmac('sha256', encodeUtf8(token)).update(LABEL_RELAY_EXT).update(key.bytes).digest()
  return mac.subarray(0, EXT_BYTES)
}
