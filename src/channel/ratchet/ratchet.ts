/**
 * The keys of frames: an ordered double ratchet (docs/channel.md, section 6). A change of direction makes a step with new keys of X25519;
 * each frame moves the chain of its direction once. Keys that are dead are no longer in the value.
 */
import { concatBytes, equalBytes } from '../../core/encoding/bytes.ts'
import { LABEL_CHANNEL_CHAIN, LABEL_CHANNEL_KEY, LABEL_CHANNEL_STEP } from '../../core/labels.ts'
import { otherRole, type ChannelEngine, type Role } from './engine.ts'
import { hash32, hkdf, KEY_BYTES, roleByte } from './kdf.ts'

export interface Ratchet {
  readonly role: Role
  /** 32 bytes */
  readonly root: Uint8Array
  /** Null before the first frame of this end, and after a step of the peer: the next frame makes a step. */
  readonly sendChain: Uint8Array | null
  /** Null before the first frame of the peer. */
  readonly receiveChain: Uint8Array | null
  /** The secret of the newest own key; null once the peer's step has used it. */
  readonly ownSecret: Uint8Array | null
  readonly ownKey: Uint8Array
  /** The newest key of the peer. */
  readonly peerKey: Uint8Array
}

/** The ratchet of the guest after M2: it makes the first step. */
export function guestRatchet(root: Uint8Array, ownKey: Uint8Array, peerKey: Uint8Array): Ratchet {
  return { role: 'guest', root, sendChain: null, receiveChain: null, ownSecret: null, ownKey, peerKey }
}

/** The ratchet of the host after M1: it cannot send before the guest's first step. */
export function hostRatchet(root: Uint8Array, ownSecret: Uint8Array, ownKey: Uint8Array, peerKey: Uint8Array): Ratchet {
  return { role: 'host', root, sendChain: null, receiveChain: null, ownSecret, ownKey, peerKey }
}

/** Whether this end can send: it has a chain, or may make a step. The host cannot, before the guest's first frame. */
export function canSend({ sendChain, ownSecret }: Ratchet): boolean {
  return sendChain !== null || ownSecret === null
}

export interface Moved {
  readonly ratchet: Ratchet
  /** 32 bytes, for one frame. */
  readonly messageKey: Uint8Array
  /** Whether the frame is the first of a chain. */
  readonly isStep: boolean
}

/** Moves on to the key of the next frame that this end sends. */
export function nextToSend(ratchet: Ratchet, engine: ChannelEngine): Moved {
  const isStep = ratchet.sendChain === null
  const stepped = isStep ? stepToSend(ratchet, engine) : ratchet
  const chain = stepped.sendChain!
  return { ratchet: { ...stepped, sendChain: nextChain(chain, engine) }, messageKey: messageKey(chain, engine), isStep }
}

/**
 * Moves on to the key of the next frame that the peer sent. The caller takes the result only when the frame opens.
 * @param key the peer's key in the header of the frame
 * @returns null for a key that cannot be: the peer makes a step only after it got a new key of this end
 */
export function nextToReceive(ratchet: Ratchet, key: Uint8Array, engine: ChannelEngine): Moved | null {
  const isStep = ratchet.receiveChain === null || !equalBytes(key, ratchet.peerKey)
  const stepped = isStep ? stepToReceive(ratchet, key, engine) : ratchet
  if (stepped === null) return null
  const chain = stepped.receiveChain!
  return {
    ratchet: { ...stepped, receiveChain: nextChain(chain, engine) },
    messageKey: messageKey(chain, engine),
    isStep,
  }
}

function stepToSend(ratchet: Ratchet, engine: ChannelEngine): Ratchet {
  const ownSecret = engine.randomBytes(KEY_BYTES)
  const agreed = engine.agree(ownSecret, ratchet.peerKey)
  // The peer's key was checked when it came: only a key of low order gives zero.
  if (agreed === null) throw new RangeError('the key of the peer is of low order')
  const { root, chain } = step(ratchet.root, agreed, ratchet.role, engine)
  return { ...ratchet, root, sendChain: chain, ownSecret, ownKey: engine.boxPublicKey(ownSecret) }
}

function stepToReceive(ratchet: Ratchet, key: Uint8Array, engine: ChannelEngine): Ratchet | null {
  const agreed = ratchet.ownSecret === null ? null : engine.agree(ratchet.ownSecret, key)
  if (agreed === null) return null
  const { root, chain } = step(ratchet.root, agreed, otherRole(ratchet.role), engine)
  return { ...ratchet, root, receiveChain: chain, sendChain: null, ownSecret: null, peerKey: key }
}

/** A step, made by the end with this role. */
function step(
  root: Uint8Array,
  agreed: Uint8Array,
  role: Role,
  engine: ChannelEngine,
): { readonly root: Uint8Array; readonly chain: Uint8Array } {
  const keys = hkdf(engine, agreed, root, concatBytes(LABEL_CHANNEL_STEP, roleByte(role)), 2 * KEY_BYTES)
  return { root: keys.slice(0, KEY_BYTES), chain: keys.slice(KEY_BYTES) }
}

function nextChain(chain: Uint8Array, engine: ChannelEngine): Uint8Array {
  return hash32(engine, LABEL_CHANNEL_CHAIN, chain)
}

function messageKey(chain: Uint8Array, engine: ChannelEngine): Uint8Array {
  return hash32(engine, LABEL_CHANNEL_KEY, chain)
}
