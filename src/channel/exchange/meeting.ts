/** The guest's first frame: it keeps the promise of the handshake (docs/channel.md, section 5). */
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { Item } from '../ratchet/body.ts'
import { breakChannel, type Draft } from './channel.ts'
import { CONTROL } from './control.ts'
import type { ChannelEngine } from '../ratchet/engine.ts'
import { commitTo, handshakeWords, NONCE_BYTES } from '../ratchet/root.ts'

/** Checks nB at the host, and makes the words. @returns false when the channel is broken by it */
export function takeFirst(draft: Draft, items: readonly Item[], engine: ChannelEngine): boolean {
  const { channel, events } = draft
  const promise = channel.promise!
  const [first] = items
  const isNonce = first?.item === 'control' && first.type === CONTROL.nonce && first.bytes.length === NONCE_BYTES
  if (!isNonce || !equalBytes(commitTo(engine, first.bytes), promise.commit)) {
    breakChannel(draft, 'COMMITMENT')
    return false
  }
  const words = handshakeWords(engine, promise, promise.nA, first.bytes)
  channel.phase = 'open'
  channel.promise = null
  channel.greeting = null
  channel.words = words
  events.push({ event: 'met', words })
  return true
}
