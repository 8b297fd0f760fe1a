/** The cost of an announcement against that of one secretbox of its size: hashing, padding and signing come on top. */
import { openItem, sealForContacts, type Announcement } from '../src/core/announce/item.ts'
import { bencodeValue, type SignedValue } from '../src/core/announce/signed-value.ts'
import { LABEL_ANNOUNCE_KEY, LABEL_ANNOUNCE_NONCE } from '../src/core/labels.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { formatRatio, formatUs, medianUs, type Row } from './measure.ts'

const BLOB_BYTES = 300 // about three devices with names

export function benchAnnounce(engine: CryptoEngine, isQuick: boolean): Row[] {
  const [signingKey, readingKey] = [engine.randomBytes(32), engine.randomBytes(32)]
  const announcement: Announcement = { blob: engine.randomBytes(BLOB_BYTES), isForward: false, signingKey, readingKey }
  const value = sealForContacts(announcement, engine)
  const [plain, nonce, key] = [engine.randomBytes(value.length - 42), engine.randomBytes(24), engine.randomBytes(32)]
  const box = engine.sealBox(plain, nonce, key)
  const signed: SignedValue = {
    publicKey: signingKey,
    salt: new Uint8Array(20),
    seq: 1n,
    bencoded: bencodeValue(value),
    signature: new Uint8Array(64),
  }
  const head = value.subarray(0, 2)
  const hashForNonce = (): Uint8Array => engine.sha512(LABEL_ANNOUNCE_NONCE, readingKey, signingKey, head, plain)
  const hashForKey = (): Uint8Array => engine.sha512(LABEL_ANNOUNCE_KEY, readingKey, signingKey, head)
  const [rounds, calls] = isQuick ? [5, 200] : [25, 2000]
  const [sealUs, boxUs, sealPartsUs, openUs, unboxUs, openPartsUs] = medianUs(rounds, calls, [
    () => sealForContacts(announcement, engine),
    () => engine.sealBox(plain, nonce, key),
    () => [hashForNonce(), hashForKey(), engine.sealBox(plain, nonce, key)],
    () => openItem(signed, { readingKey, deviceKeys: [] }, engine),
    () => engine.openBox(box, nonce, key),
    () => [hashForKey(), engine.openBox(box, nonce, key)],
  ]) as [number, number, number, number, number, number]
  const figure = (us: number, boxesUs: number, partsUs: number): string =>
    `${formatUs(us)}, ${formatRatio(us / partsUs)} times its hashes and its secretbox alone (those: ${formatRatio(partsUs / boxesUs)} secretboxes); ${formatRatio(us / boxesUs)} secretboxes`
  return [
    { what: `seal an announcement, ${engine.name}`, figure: figure(sealUs, boxUs, sealPartsUs) },
    { what: `open an announcement, ${engine.name}`, figure: figure(openUs, unboxUs, openPartsUs) },
  ]
}
