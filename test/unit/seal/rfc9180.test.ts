/**
 * HPKE against RFC 9180. Its appendix has no vector for either of our suites, so two implementations stand against it and each other: the
 * package, with what differs of the suite exchanged, and a second one over node:crypto, which also takes the one-time key of the vectors.
 */
import {
  AEAD_AES_128_GCM,
  AEAD_AES_256_GCM,
  CipherSuite,
  KDF_HKDF_SHA256,
  KDF_HKDF_SHA512,
  KEM_DHKEM_P256_HKDF_SHA256,
  KEM_DHKEM_P521_HKDF_SHA512,
  KEM_DHKEM_X25519_HKDF_SHA256,
  type CryptoKey,
} from 'hpke'
import { ECDH, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import vectors from '../../fixtures/rfc9180.json' with { type: 'json' }
import { generateBoxKeyPair } from '../../../src/seal/key-pair.ts'
import { beginOpen } from '../../../src/seal/context.ts'
import { SEAL_LABELS } from '../../../src/seal/labels.ts'
import { kemWith, nodeAead, nodeCrypto, nodeKdf } from '../../../src/seal/node-primitives.ts'
import { openFrom } from '../../../src/seal/seal.ts'
import { cipherSuites } from '../../../src/seal/suite.ts'
import { ORACLE_SUITES, oracleSeal } from '../../support/hpke-oracle.ts'

const NODE = nodeCrypto()!
const SHA256 = nodeKdf(KDF_HKDF_SHA256, 'sha256', NODE)
const SHA512 = nodeKdf(KDF_HKDF_SHA512, 'sha512', NODE)
/** The suites of each section: over WebCrypto alone, and with the primitives of Node. */
const PACKAGE_SUITES = {
  'A.1': [
    new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_128_GCM),
    new CipherSuite(kemWith(KEM_DHKEM_X25519_HKDF_SHA256, SHA256), SHA256, AEAD_AES_128_GCM),
  ],
  'A.3': [
    new CipherSuite(KEM_DHKEM_P256_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_128_GCM),
    new CipherSuite(kemWith(KEM_DHKEM_P256_HKDF_SHA256, SHA256), SHA256, AEAD_AES_128_GCM),
  ],
  'A.6': [
    new CipherSuite(KEM_DHKEM_P521_HKDF_SHA512, KDF_HKDF_SHA512, AEAD_AES_256_GCM),
    new CipherSuite(kemWith(KEM_DHKEM_P521_HKDF_SHA512, SHA512), SHA512, nodeAead(AEAD_AES_256_GCM, NODE)),
  ],
} as const

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const suiteOf = (section: string): 'A.1' | 'A.3' | 'A.6' => section.slice(0, 3) as 'A.1'

test('the vectors are those of two modes in three suites', () => {
  expect(vectors.map(({ section }) => section)).toEqual(['A.1.1', 'A.1.2', 'A.3.1', 'A.3.2', 'A.6.1', 'A.6.2'])
})

test.each(vectors)('the package opens and exports as RFC 9180 $section', async (vector) => {
  for (const suite of PACKAGE_SUITES[suiteOf(vector.section)]) await opensAndExports(suite, vector)
})

async function opensAndExports(suite: CipherSuite<CryptoKey>, vector: (typeof vectors)[number]): Promise<void> {
  const secret = await suite.DeserializePrivateKey(hex(vector.skRm), true)
  const psk = vector.psk === undefined ? {} : { psk: hex(vector.psk), pskId: hex(vector.psk_id) }
  const context = await suite.SetupRecipient(secret, hex(vector.enc), { info: hex(vector.info), ...psk })
  expect(vector.encryptions.length).toBe(3)
  for (const { pt, aad, ct } of vector.encryptions) {
    expect(Buffer.from(await context.Open(hex(ct), hex(aad))).toString('hex')).toBe(pt)
  }
  expect(vector.exports.length).toBe(3)
  for (const { context: label, length, value } of vector.exports) {
    expect(Buffer.from(await context.Export(hex(label), length)).toString('hex')).toBe(value)
  }
}

test.each(vectors)('the second implementation has every value of RFC 9180 $section', (vector) => {
  const psk = vector.psk === undefined ? [] : [hex(vector.psk), hex(vector.psk_id)]
  const made = oracleSeal(
    ORACLE_SUITES[suiteOf(vector.section)],
    hex(vector.skEm),
    hex(vector.pkRm),
    hex(vector.info),
    ...psk,
  )
  expect({
    enc: made.enc.toString('hex'),
    shared_secret: made.sharedSecret.toString('hex'),
    key: made.key.toString('hex'),
    base_nonce: made.baseNonce.toString('hex'),
    exporter_secret: made.exporterSecret.toString('hex'),
  }).toEqual({
    enc: vector.enc,
    shared_secret: vector.shared_secret,
    key: vector.key,
    base_nonce: vector.base_nonce,
    exporter_secret: vector.exporter_secret,
  })
  for (const [i, { pt, aad, ct }] of vector.encryptions.entries()) {
    expect(made.seal(i, hex(aad), hex(pt)).toString('hex')).toBe(ct)
  }
})

/** The public key as the suite of RFC 9180 has it. */
function publicBytes(suite: 'x25519' | 'p384', bytes: Uint8Array): Uint8Array {
  if (suite === 'x25519') return bytes
  return ECDH.convertKey(bytes, 'secp384r1', undefined, undefined, 'uncompressed') as Buffer
}

test.each(['x25519', 'p384'] as const)(
  'our suite %s opens and exports what the second implementation seals',
  async (suite) => {
    const pair = await generateBoxKeyPair(suite)
    const shared = { psk: randomBytes(32), pskId: randomBytes(5) }
    for (const psk of [null, shared]) {
      const secret = suite === 'x25519' ? randomBytes(32) : Uint8Array.from([0, ...randomBytes(47)])
      const publicR = publicBytes(suite, pair.key.bytes)
      const made = oracleSeal(
        ORACLE_SUITES[suite],
        secret,
        publicR,
        SEAL_LABELS['channel-m1'],
        ...(psk === null ? [] : [psk.psk, psk.pskId]),
      )
      const text = randomBytes(100)
      const sealed = Buffer.concat([made.enc, made.seal(0, text.subarray(0, 9), text)])
      expect(Buffer.from(await openFrom(pair, 'channel-m1', text.subarray(0, 9), sealed, psk))).toEqual(text)
      const reader = await beginOpen(pair, made.enc, 'channel-m1', psk)
      expect(Buffer.from(await reader.export('channel-export', 32))).toEqual(
        made.export(SEAL_LABELS['channel-export'], 32),
      )
    }
  },
)

test.each(['x25519', 'p384'] as const)('over Node and over WebCrypto alone, %s is the same', async (suite) => {
  const [node, web] = [cipherSuites(nodeCrypto())[suite], cipherSuites(null)[suite]]
  const keys = await web.GenerateKeyPair(false)
  const options = { info: randomBytes(9), psk: randomBytes(32), pskId: randomBytes(5) }
  for (const [sender, reader] of [
    [node, web],
    [web, node],
  ] as const) {
    const { encapsulatedSecret, ctx } = await sender.SetupSender(keys.publicKey, options)
    const opened = await reader.SetupRecipient(keys, encapsulatedSecret, options)
    for (const text of [randomBytes(100), randomBytes(0)]) {
      const sealed = await ctx.Seal(text, text.subarray(0, 9))
      expect(Buffer.from(await opened.Open(sealed, text.subarray(0, 9)))).toEqual(text)
    }
    // More than one block of HKDF, and less than two.
    expect(await opened.Export(options.info, 70)).toEqual(await ctx.Export(options.info, 70))
    const cut = (await ctx.Seal(randomBytes(3))).subarray(0, 9)
    await expect(opened.Open(cut)).rejects.toThrowError()
  }
})
