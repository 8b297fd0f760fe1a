import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, encodeUtf8, equalBytes, formatHex, isZero, parseHex } from '../../src/core/encoding/bytes.ts'
import { isCanonicalU, isLowOrderU } from '../../src/core/curve/x25519.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { CryptoError } from '../../src/crypto/errors.ts'
import { portableVerifier } from '../../src/crypto/portable-verify.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { loadSodiumEngine } from '../../src/crypto/sodium.ts'
import { LOW_ORDER } from '../support/low-order.ts'
import { L, fromLittleEndian, littleEndian } from '../unit/core/field-25519.ts'

const sodiumEngine = loadSodiumEngine()
const ENGINES: readonly CryptoEngine[] = [sodiumEngine, portableEngine]
const EMPTY = new Uint8Array(0)
const MINIMAL_COST = { passes: 1, memoryBytes: 8192 }

function hex(text: string): Uint8Array {
  const bytes = parseHex(text)
  if (bytes === null) throw new Error(`a vector is not hex: ${text}`)
  return bytes
}

/** RFC 8032, section 7.1: seed, public key, message, signature. */
const RFC_8032: readonly (readonly [string, string, string, string])[] = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
  [
    '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  ],
]

/** RFC 7748, section 6.1: secret and public key of Alice and Bob. */
const RFC_7748: readonly (readonly [string, string])[] = [
  [
    '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
    '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
  ],
  [
    '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
  ],
]

describe.each(ENGINES.map((engine) => [engine.name, engine] as const))('the %s engine', (_name, engine) => {
  it('signs and verifies as in RFC 8032', () => {
    let ran = 0
    for (const [seed, publicKey, message, signature] of RFC_8032) {
      const pair = engine.signKeyPair(hex(seed))
      expect(formatHex(pair.publicKey)).toBe(publicKey.toUpperCase())
      expect(formatHex(pair.secretKey)).toBe((seed + publicKey).toUpperCase())
      expect(formatHex(engine.sign(hex(message), pair.secretKey))).toBe(signature.toUpperCase())
      expect(formatHex(engine.signBySeed(hex(message), hex(seed)))).toBe(signature.toUpperCase())
      expect(engine.verify(hex(signature), hex(message), pair.publicKey)).toBe(true)
      ran++
    }
    expect(ran).toBe(4)
  })

  it('hashes the parts as one message', () => {
    const abc =
      'DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A2192992A274FC1A836BA3C23A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F'
    expect(formatHex(engine.sha512(encodeUtf8('abc')))).toBe(abc)
    expect(formatHex(engine.sha512(encodeUtf8('a'), EMPTY, encodeUtf8('bc')))).toBe(abc)
    expect(engine.sha512()).toEqual(engine.sha512(EMPTY))
    expect(formatHex(engine.sha512()).slice(0, 16)).toBe('CF83E1357EEFB8BD')
  })

  it('makes the SHA-256 of the parts as one message', () => {
    const abc = 'BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD' // FIPS 180-4, "abc"
    expect(formatHex(engine.sha256(encodeUtf8('abc')))).toBe(abc)
    expect(formatHex(engine.sha256(encodeUtf8('a'), EMPTY, encodeUtf8('bc')))).toBe(abc)
    expect(engine.sha256()).toEqual(engine.sha256(EMPTY))
  })

  it('hashes bytes as they come, however they are cut', () => {
    const text = encodeUtf8('a text of some length, '.repeat(20))
    for (const pieceBytes of [1, 63, 64, 65, text.length]) {
      const stream = engine.sha256Stream()
      for (let at = 0; at < text.length; at += pieceBytes) stream.update(text.subarray(at, at + pieceBytes))
      expect(stream.digest()).toEqual(engine.sha256(text))
    }
    expect(engine.sha256Stream().digest()).toEqual(engine.sha256(EMPTY))
  })

  it('hashes parts of any length as one message, also after a longer or a shorter one', () => {
    const lengths = [1, 2046, 2047, 2048, 2049, 5000, 2, 300]
    for (const length of lengths) {
      const whole = engine.randomBytes(length + 1)
      const hash = createHash('sha512').update(whole).digest('hex').toUpperCase()
      expect(formatHex(engine.sha512(whole.subarray(0, length), whole.subarray(length)))).toBe(hash)
    }
    expect(lengths).toHaveLength(8)
  })

  it('returns false instead of throwing for a signature or key of a wrong length', () => {
    const { publicKey, secretKey } = engine.signKeyPair(hex(RFC_8032[0]![0]))
    const signature = engine.sign(EMPTY, secretKey)
    const lengths = [0, 1, 31, 32, 33, 63, 64, 65, 128]
    for (const length of lengths) {
      const cut = concatBytes(signature, signature).slice(0, length)
      expect(engine.verify(cut, EMPTY, publicKey)).toBe(length === 64)
      expect(engine.verify(signature, EMPTY, concatBytes(publicKey, signature, signature).slice(0, length))).toBe(
        length === 32,
      )
    }
    expect(lengths).toHaveLength(9)
  })

  it('reads inputs from inside a larger buffer', () => {
    const { publicKey, secretKey } = engine.signKeyPair(hex(RFC_8032[0]![0]))
    const message = encodeUtf8('a message in the middle')
    const whole = concatBytes(Uint8Array.of(1, 2, 3), publicKey, engine.sign(message, secretKey), message, publicKey)
    const at = (start: number, length: number): Uint8Array => whole.subarray(start, start + length)
    expect(engine.verify(at(35, 64), at(99, message.length), at(3, 32))).toBe(true)
    expect(engine.verify(at(35, 64), at(99, message.length + 1), at(3, 32))).toBe(false)
    expect(engine.sha512(at(99, message.length))).toEqual(engine.sha512(message))
  })

  it('refuses S + L, which a lenient engine accepts as a second signature', () => {
    const { publicKey, secretKey } = engine.signKeyPair(hex(RFC_8032[1]![0]))
    const signature = engine.sign(hex('72'), secretKey)
    const s = fromLittleEndian(signature.subarray(32))
    const shifted = (multiple: bigint): Uint8Array =>
      concatBytes(signature.subarray(0, 32), littleEndian(s + multiple * L))
    expect(engine.verify(shifted(0n), hex('72'), publicKey)).toBe(true)
    for (const multiple of [1n, 2n, 7n, 14n]) expect(engine.verify(shifted(multiple), hex('72'), publicKey)).toBe(false)
  })

  it('verifies its own signatures, and none that differs in one bit', () => {
    const bytes = fc.uint8Array({ maxLength: 80 })
    const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(seed, bytes, fc.nat(), (seed, message, bit) => {
        const { publicKey, secretKey } = engine.signKeyPair(seed)
        const signature = engine.sign(message, secretKey)
        expect(engine.verify(signature, message, publicKey)).toBe(true)
        const whole = concatBytes(signature, publicKey, message)
        whole[(bit >> 3) % whole.length]! ^= 1 << (bit & 7)
        expect(engine.verify(whole.slice(0, 64), whole.slice(96), whole.slice(64, 96))).toBe(false)
      }),
      { numRuns: 40 },
    )
  })

  it('gives the public key of an X25519 secret as in RFC 7748, section 6.1', () => {
    for (const [secret, publicKey] of RFC_7748) {
      expect(formatHex(engine.boxPublicKey(hex(secret)))).toBe(publicKey.toUpperCase())
    }
    expect(RFC_7748).toHaveLength(2)
  })

  it('agrees on the secret of RFC 7748, section 6.1, and on none with a key of low order', () => {
    const [alice, bob] = RFC_7748
    const shared = '4A5D9D5BA4CE2DE1728E3BF480350F25E07E21C947D19E3376F09B3C1E161742'
    expect(formatHex(engine.agree(hex(alice![0]), hex(bob![1]))!)).toBe(shared)
    expect(formatHex(engine.agree(hex(bob![0]), hex(alice![1]))!)).toBe(shared)
    for (const key of LOW_ORDER) {
      expect(engine.agree(hex(alice![0]), key)).toBeNull()
      expect(engine.agree(hex(alice![0]), key.with(31, key[31]! | 0x80))).toBeNull()
    }
    expect(LOW_ORDER).toHaveLength(7)
  })

  it('opens its boxes, and no box with one bit changed', () => {
    const key = engine.randomBytes(32)
    const nonce = engine.randomBytes(24)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (message, bit) => {
        const box = engine.sealBox(message, nonce, key)
        expect(box).toHaveLength(message.length + 16)
        expect(equalBytes(engine.openBox(box, nonce, key) ?? Uint8Array.of(1), message)).toBe(true)
        box[(bit >> 3) % box.length]! ^= 1 << (bit & 7)
        expect(engine.openBox(box, nonce, key)).toBeNull()
      }),
    )
  })

  it('puts a box after what stands before it', () => {
    const [key, nonce, message] = [engine.randomBytes(32), engine.randomBytes(24), engine.randomBytes(300)]
    const box = engine.sealBox(message, nonce, key)
    expect(engine.sealBox(message, nonce, key, Uint8Array.of(1, 2), EMPTY, nonce)).toEqual(
      concatBytes(Uint8Array.of(1, 2), nonce, box),
    )
    expect(engine.sealBox(EMPTY, nonce, key, nonce)).toEqual(concatBytes(nonce, engine.sealBox(EMPTY, nonce, key)))
  })

  it('finds no message in a box shorter than a tag', () => {
    for (const length of [0, 1, 15]) {
      expect(engine.openBox(new Uint8Array(length), new Uint8Array(24), new Uint8Array(32))).toBeNull()
    }
  })

  it('derives the same key with Argon2id as OpenSSL', async () => {
    const salt = hex('000102030405060708090A0B0C0D0E0F')
    expect(formatHex(await engine.argon2id(encodeUtf8('correct horse'), salt, MINIMAL_COST))).toBe(
      '3BFA796A86260B73457E1290B51695931A17E266F601D0FB45563E282FB6865B',
    )
  })

  it('refuses a seed, key, nonce, salt or cost of a wrong size', async () => {
    const refused: [() => unknown, string][] = [
      [() => engine.signKeyPair(new Uint8Array(31)), 'ARGUMENT_LENGTH'],
      [() => engine.sign(EMPTY, new Uint8Array(32)), 'ARGUMENT_LENGTH'],
      [() => engine.signBySeed(EMPTY, new Uint8Array(64)), 'ARGUMENT_LENGTH'],
      [() => engine.boxPublicKey(new Uint8Array(33)), 'ARGUMENT_LENGTH'],
      [() => engine.agree(new Uint8Array(31), new Uint8Array(32)), 'ARGUMENT_LENGTH'],
      [() => engine.agree(new Uint8Array(32), new Uint8Array(33)), 'ARGUMENT_LENGTH'],
      [() => engine.sealBox(EMPTY, new Uint8Array(23), new Uint8Array(32)), 'ARGUMENT_LENGTH'],
      [() => engine.sealBox(EMPTY, new Uint8Array(24), new Uint8Array(31)), 'ARGUMENT_LENGTH'],
      [() => engine.openBox(new Uint8Array(16), new Uint8Array(25), new Uint8Array(32)), 'ARGUMENT_LENGTH'],
      [() => engine.openBox(new Uint8Array(16), new Uint8Array(24), EMPTY), 'ARGUMENT_LENGTH'],
      [() => engine.argon2id(EMPTY, new Uint8Array(15), MINIMAL_COST), 'ARGUMENT_LENGTH'],
      [() => engine.argon2id(EMPTY, new Uint8Array(16), { passes: 0, memoryBytes: 8192 }), 'ARGON2_COST'],
      [() => engine.argon2id(EMPTY, new Uint8Array(16), { passes: 1.5, memoryBytes: 8192 }), 'ARGON2_COST'],
      [() => engine.argon2id(EMPTY, new Uint8Array(16), { passes: 1, memoryBytes: 8191 }), 'ARGON2_COST'],
      [() => engine.argon2id(EMPTY, new Uint8Array(16), { passes: 1, memoryBytes: 2 ** 32 }), 'ARGON2_COST'],
    ]
    for (const [act, code] of refused) {
      const error: unknown = await Promise.resolve()
        .then(act)
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(CryptoError)
      expect((error as CryptoError).code).toBe(code)
    }
    expect(refused).toHaveLength(15)
  })

  it('gives secrets zeroed memory and wipes it, in a plain Uint8Array that no Buffer method prints', () => {
    for (const length of [0, 1, 32, 5000]) {
      const secret = engine.secret(length)
      expect(secret).toHaveLength(length)
      expect(isZero(secret)).toBe(true)
      expect(Object.getPrototypeOf(secret)).toBe(Uint8Array.prototype)
      secret.fill(7)
      engine.wipe(secret)
      expect(isZero(secret)).toBe(true)
    }
  })

  it('wipes only the given part', () => {
    const secret = engine.secret(8).fill(7)
    engine.wipe(secret.subarray(2, 4))
    expect(secret).toEqual(Uint8Array.of(7, 7, 0, 0, 7, 7, 7, 7))
  })

  it('compares', () => {
    const cases: [number[], number[], boolean][] = [
      [[], [], true],
      [[1, 2], [1, 2], true],
      [[1, 2], [1, 3], false],
      [[1, 2], [1, 2, 0], false],
      [[], [0], false],
    ]
    for (const [a, b, same] of cases) expect(engine.equal(Uint8Array.from(a), Uint8Array.from(b))).toBe(same)
    expect(cases).toHaveLength(5)
  })

  it('draws as many random bytes as requested, and never the same ones', () => {
    for (const length of [0, 1, 33, 70_000]) expect(engine.randomBytes(length)).toHaveLength(length)
    expect(engine.randomBytes(32)).not.toEqual(engine.randomBytes(32))
    expect(isZero(engine.randomBytes(70_000).slice(-32))).toBe(false)
  })
})

/** The verdict of both engines, which must agree. */
function verdict(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  const [first, ...others] = [...ENGINES, portableVerifier].map((engine) =>
    engine.verify(signature, message, publicKey),
  )
  for (const other of others) expect(other, `key ${formatHex(publicKey)}`).toBe(first)
  return first!
}

describe('both engines', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const smallKey = fc.constantFrom(
    ...['00', '01', 'ECFF', 'EDFF', 'EEFF'].map((start) =>
      hex(start.padEnd(62, start.length === 4 ? 'F' : '0') + (start.length === 4 ? '7F' : '00')),
    ),
  )

  it('agree on any bytes', () => {
    const signature = fc.uint8Array({ minLength: 64, maxLength: 64 })
    fc.assert(
      fc.property(signature, fc.uint8Array({ maxLength: 20 }), fc.oneof(key, smallKey), (signature, message, key) => {
        verdict(signature, message, key)
      }),
      { numRuns: 60 },
    )
  })

  it('agree on signatures and keys with one altered byte', () => {
    let accepted = 0
    fc.assert(
      fc.property(key, fc.nat(127), fc.nat(255), (seed, at, mask) => {
        const { publicKey, secretKey } = sodiumEngine.signKeyPair(seed)
        const whole = concatBytes(sodiumEngine.sign(seed, secretKey), publicKey, seed)
        whole[at]! ^= mask
        if (verdict(whole.slice(0, 64), whole.slice(96), whole.slice(64, 96))) accepted++
        else expect(mask).not.toBe(0)
      }),
      { numRuns: 60, examples: [[new Uint8Array(32), 0, 0]] },
    )
    expect(accepted).toBeGreaterThan(0)
  })

  it('make the same keys, signatures, boxes and hashes', () => {
    fc.assert(
      fc.property(key, fc.uint8Array({ maxLength: 300 }), (seed, message) => {
        const pairs = ENGINES.map((engine) => engine.signKeyPair(seed))
        expect(pairs[0]).toEqual(pairs[1])
        const made = ENGINES.map((engine) => [
          engine.sign(message, pairs[0]!.secretKey),
          engine.boxPublicKey(seed),
          engine.sealBox(message, seed.slice(0, 24), seed),
          engine.sha512(seed, message),
        ])
        expect(made[0]).toEqual(made[1])
      }),
      { numRuns: 20 },
    )
  })

  it('derive the same key with Argon2id, even for an empty passphrase and memory that is not a multiple of 1 KiB', async () => {
    const passphrases = [EMPTY, encodeUtf8('correct horse'), new Uint8Array(200).fill(255)]
    const salt = hex('000102030405060708090A0B0C0D0E0F')
    let ran = 0
    for (const passphrase of passphrases) {
      for (const cost of [MINIMAL_COST, { passes: 3, memoryBytes: 20_000 }]) {
        const keys = await Promise.all(ENGINES.map((engine) => engine.argon2id(passphrase, salt, cost)))
        expect(keys[0]).toEqual(keys[1])
        expect(keys[0]).toHaveLength(32)
        ran++
      }
    }
    expect(ran).toBe(6)
  })
})

const VECTORS = new URL('../../../shared/vectors/', import.meta.url)
const vectorsMissing = !existsSync(new URL('cctv-ed25519.json', VECTORS))

function vectors(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, VECTORS), 'utf8'))
}

interface Wycheproof<Group> {
  readonly testGroups: readonly Group[]
}

describe.skipIf(vectorsMissing)('public vectors (skipped where ../shared/vectors is not beside the repository)', () => {
  it('agree with Wycheproof on all of its 151 Ed25519 signatures', () => {
    interface Group {
      publicKey: { pk: string }
      tests: { tcId: number; msg: string; sig: string; result: string }[]
    }
    const { testGroups } = vectors('wycheproof-ed25519.json') as Wycheproof<Group>
    let ran = 0
    for (const { publicKey, tests } of testGroups) {
      for (const { tcId, msg, sig, result } of tests) {
        expect(verdict(hex(sig), hex(msg), hex(publicKey.pk)), `case ${tcId}`).toBe(result === 'valid')
        ran++
      }
    }
    expect(ran).toBe(151)
  })

  // 43 cases remain after refusing keys and R of small order, other encodings, and signatures that pass only the cofactored equation.
  it('accept 43 of the 914 edge cases of CCTV, all with keys of full or mixed order', () => {
    const cases = vectors('cctv-ed25519.json') as { key: string; sig: string; msg: string; flags: string[] | null }[]
    let accepted = 0
    for (const { key, sig, msg, flags } of cases) {
      if (!verdict(hex(sig), encodeUtf8(msg), hex(key))) continue
      accepted++
      for (const flag of ['low_order_A', 'low_order_R', 'non_canonical_A', 'non_canonical_R', 'low_order_residue']) {
        expect(flags ?? []).not.toContain(flag)
      }
    }
    expect(cases).toHaveLength(914)
    expect(accepted).toBe(43)
  })

  it('accept only the fourth case of speccheck, which satisfies both equations', () => {
    const cases = vectors('ed25519-speccheck.json') as { message: string; pub_key: string; signature: string }[]
    const verdicts = cases.map(({ message, pub_key, signature }) =>
      verdict(hex(signature), hex(message), hex(pub_key)) ? 'V' : 'X',
    )
    expect(verdicts.join('')).toBe('XXXVXXXXXXXX')
  })

  it('make the same public key of every X25519 secret of Wycheproof, and find its keys that give zero', () => {
    interface Group {
      tests: { public: string; private: string; shared: string; flags: string[] }[]
    }
    const { testGroups } = vectors('wycheproof-x25519.json') as Wycheproof<Group>
    const cases = testGroups.flatMap(({ tests }) => tests)
    let zeros = 0
    let otherSpellings = 0
    for (const { public: u, private: secret, shared, flags } of cases) {
      expect(portableEngine.boxPublicKey(hex(secret))).toEqual(sodiumEngine.boxPublicKey(hex(secret)))
      const zero = isZero(hex(shared))
      expect(isLowOrderU(hex(u)), u).toBe(zero)
      if (zero) zeros++
      if (!flags.includes('NonCanonicalPublic')) continue
      expect(isCanonicalU(hex(u)), u).toBe(false)
      otherSpellings++
    }
    expect(cases).toHaveLength(518)
    expect([zeros, otherSpellings]).toEqual([31, 19])
  })
})
