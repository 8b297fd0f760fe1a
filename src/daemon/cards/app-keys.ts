/** The secret keys of this device for one app: what signs as the device, and what opens seals to it. Sealed records (docs/card.md, section 5). */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { isAppName } from '../../core/encoding/app-name.ts'
import { concatBytes, formatBase64url, formatHex, u64be } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { BoxKey } from '../../seal/box-key.ts'
import type { BoxKeyPair } from '../../seal/key-pair.ts'
import { sealedKind, type SealedCodec, type SealedKind } from '../sealed/sealed-kind.ts'

const KEY_BYTES = 32
const TIME_BYTES = 8
const OLD_BYTES: number = KEY_BYTES + TIME_BYTES
export const ENC_KEPT_SEC: number = 31 * 86_400 // format: longer than any object lives that was sealed to the key
const MAX_OLD = 16 // sanity: one a week, and one for each rotation and restore in between

/** A secret that opens and is in no card any more. */
export interface OldSecret {
  /** X25519, 32 bytes. */
  readonly secret: Uint8Array
  readonly untilSec: number
}

export interface AppKeys {
  /** Seed of the Ed25519 key, 32 bytes. */
  readonly sigSeed: Uint8Array
  /** X25519, 32 bytes. */
  readonly encSecret: Uint8Array
  /** The newest first. */
  readonly old: readonly OldSecret[]
}

const CODEC: SealedCodec<AppKeys> = {
  encode: ({ sigSeed, encSecret, old }) =>
    concatBytes(sigSeed, encSecret, ...old.flatMap(({ secret, untilSec }) => [secret, u64be(untilSec)])),
  decode: (bytes) => {
    const rest = bytes.length - 2 * KEY_BYTES
    if (rest < 0 || rest % OLD_BYTES !== 0) throw new Error('the keys of an app have another length')
    const old = Array.from({ length: rest / OLD_BYTES }, (_, i): OldSecret => {
      const at = 2 * KEY_BYTES + i * OLD_BYTES
      const time = new DataView(bytes.buffer, bytes.byteOffset + at + KEY_BYTES, TIME_BYTES)
      return { secret: bytes.slice(at, at + KEY_BYTES), untilSec: Number(time.getBigUint64(0)) }
    })
    return { sigSeed: bytes.slice(0, KEY_BYTES), encSecret: bytes.slice(KEY_BYTES, 2 * KEY_BYTES), old }
  },
}

/** The id is the name of the app. A backup has them, because what was sealed to them still waits; a restored device then draws new ones. */
export const APP_KEYS: SealedKind<AppKeys> = sealedKind('appkeys', CODEC, {
  travels: 'backup',
  arrival: {
    read: (app, keys) => (isAppName(app) && keys.old.length <= MAX_OLD ? keys : null),
    // Keys that are here without a persona are of one that was left.
    merge: (arrived) => arrived,
  },
})

/** New keys. Secrets that were held before go on opening. */
export function drawKeys(before: AppKeys | undefined, nowSec: number, engine: CryptoEngine): AppKeys {
  return { ...renewed(before, nowSec, engine), sigSeed: engine.randomBytes(KEY_BYTES) }
}

/** The same key `sig`, and a new `enc`. */
export function renewKeys(before: AppKeys, nowSec: number, engine: CryptoEngine): AppKeys {
  return { ...renewed(before, nowSec, engine), sigSeed: before.sigSeed }
}

function renewed(before: AppKeys | undefined, nowSec: number, engine: CryptoEngine): Omit<AppKeys, 'sigSeed'> {
  const last = before === undefined ? [] : [{ secret: before.encSecret, untilSec: nowSec + ENC_KEPT_SEC }]
  const old = [...last, ...(before?.old ?? []).filter(({ untilSec }) => untilSec > nowSec)].slice(0, MAX_OLD)
  return { encSecret: engine.randomBytes(KEY_BYTES), old }
}

/** The public keys, upper-case hex. */
export function publicHalves(
  { sigSeed, encSecret }: AppKeys,
  engine: CryptoEngine,
): { readonly sig: string; readonly enc: string } {
  const { publicKey, secretKey } = engine.signKeyPair(sigSeed)
  engine.wipe(secretKey)
  return { sig: formatHex(publicKey), enc: formatHex(engine.boxPublicKey(encSecret)) }
}

/** Signs as the device. @returns 64 bytes */
export function signAs({ sigSeed }: AppKeys, message: Uint8Array, engine: CryptoEngine): Uint8Array {
  return engine.signBySeed(message, sigSeed)
}

/** The pairs that open seals to this device: the key in the card first, then those of before, the newest first. */
export function pairsOf({ encSecret, old }: AppKeys, engine: CryptoEngine): BoxKeyPair[] {
  return [encSecret, ...old.map(({ secret }) => secret)].map((secret) => pairOf(secret, engine))
}

/** WebCrypto imports a secret only by a promise, and a reader must not wait between the look at the keys and their use. */
function pairOf(secret: Uint8Array, engine: CryptoEngine): BoxKeyPair {
  // Every product of a secret and the base point is a good key, so the code that reads keys of others is not loaded.
  const key: BoxKey = { suite: 'x25519', bytes: engine.boxPublicKey(secret) }
  const half = { kty: 'OKP', crv: 'X25519', x: formatBase64url(key.bytes) }
  const whole = createPrivateKey({ key: { ...half, d: formatBase64url(secret) }, format: 'jwk' })
  const keys = {
    publicKey: createPublicKey({ key: half, format: 'jwk' }).toCryptoKey('X25519', true, []),
    privateKey: whole.toCryptoKey('X25519', false, ['deriveBits']),
  }
  return { key, keys }
}
