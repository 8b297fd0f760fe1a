import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concatBytes,
  encodeUtf8,
  equalBytes,
  formatHex,
  isZero,
  parseHex,
  readU32,
  u32be,
} from '../../../src/core/encoding/bytes.ts'
import type { CryptoEngine, PasswordCost } from '../../../src/crypto/engine.ts'
import { CryptoError } from '../../../src/crypto/errors.ts'
import { portableEngine } from '../../../src/crypto/portable.ts'
import { areSealedAlike, isSealedBy, readSealMode, seal, unseal } from '../../../src/crypto/seal.ts'
import {
  DEFAULT_SEAL_COST,
  keySealing,
  MAX_SEAL_COST,
  MIN_SEAL_COST,
  openWithPassphrase,
  passphraseSealing,
  sealingOf,
  sealWithPassphrase,
  UNSEALED,
  wipeSealing,
} from '../../../src/crypto/sealing.ts'
import { loadSodiumEngine } from '../../../src/crypto/sodium.ts'

const sodium = loadSodiumEngine()
const KEY = new Uint8Array(32).fill(5)
const CONTENT = encodeUtf8('what must not be read')
// Nonce 0, 1, 2, ...; an independent XSalsa20-Poly1305 in Python opens it too.
const GOLDEN =
  '706572736F6E611A010200000015000102030405060708090A0B0C0D0E0F101112131415161708A55734B47B4D3ACFA3A4DB79B28EA63CB417D7CAD5B0F5A524A75B414E239D4424E08336'
const PASSES_AT = 14
const MEMORY_AT = 18

/** Replaces Argon2id by one hash of all its inputs, so that the tests can open hundreds of files. */
const quick: CryptoEngine = {
  ...sodium,
  argon2id: (passphrase, salt, cost) =>
    Promise.resolve(sodium.sha512(passphrase, salt, u32be(cost.passes), u32be(cost.memoryBytes)).slice(0, 32)),
}

async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act()
  } catch (error) {
    if (error instanceof CryptoError) return error.code
    throw error
  }
  return 'none'
}

function sealWithKey(content: Uint8Array, key: Uint8Array, engine: CryptoEngine): Uint8Array {
  const sealing = keySealing(key, engine)
  const sealed = seal(content, sealing, engine)
  wipeSealing(sealing, engine)
  return sealed
}

function openWithKey(sealed: Uint8Array, key: Uint8Array, engine: CryptoEngine): Uint8Array {
  const sealing = keySealing(key, engine)
  try {
    return unseal(sealed, sealing, engine)
  } finally {
    wipeSealing(sealing, engine)
  }
}

interface Form {
  readonly name: string
  readonly seal: (content: Uint8Array) => Promise<Uint8Array>
  readonly open: (sealed: Uint8Array) => Promise<Uint8Array>
  /** The code for an altered box. */
  readonly wrong: string
}

const FORMS: readonly Form[] = [
  {
    name: 'unsealed',
    seal: async (content) => Promise.resolve(seal(content, UNSEALED, quick)),
    open: async (sealed) => Promise.resolve().then(() => unseal(sealed, UNSEALED, quick)),
    wrong: 'SEAL_DAMAGED',
  },
  {
    name: 'passphrase',
    seal: (content) => sealWithPassphrase(content, 'pass', MIN_SEAL_COST, quick),
    open: (sealed) => openWithPassphrase(sealed, 'pass', quick),
    wrong: 'SEAL_WRONG_PASSPHRASE',
  },
  {
    name: 'key',
    seal: async (content) => Promise.resolve(sealWithKey(content, KEY, quick)),
    open: async (sealed) => Promise.resolve().then(() => openWithKey(sealed, KEY, quick)),
    wrong: 'SEAL_WRONG_KEY',
  },
]

describe.each(FORMS)('a file in mode $name', ({ name, seal, open, wrong }) => {
  it('returns its content, whatever that is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (content) => {
        const sealed = await seal(content)
        expect(readSealMode(sealed)).toBe(name)
        expect(equalBytes(await open(sealed), content)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('does not open with any bit changed', async () => {
    const sealed = await seal(CONTENT)
    const codes = new Set<string>()
    let ran = 0
    for (let bit = 0; bit < sealed.length * 8; bit++, ran++) {
      const altered = sealed.slice()
      altered[bit >> 3]! ^= 1 << (bit & 7)
      const code = await codeOf(() => open(altered))
      expect(code, `bit ${bit}`).not.toBe('none')
      codes.add(code)
    }
    expect(ran).toBe(sealed.length * 8)
    const common = ['SEAL_NOT_SEALED', 'SEAL_UNKNOWN_VERSION', 'SEAL_TRUNCATED', 'SEAL_MODE', 'SEAL_DAMAGED', wrong]
    expect(codes).toEqual(new Set(name === 'passphrase' ? [...common, 'SEAL_COST_REFUSED'] : common))
  })

  it('counts as truncated at any shorter length, and as damaged at any longer one', async () => {
    const sealed = await seal(CONTENT)
    let ran = 0
    for (let length = 0; length < sealed.length; length++, ran++) {
      expect(await codeOf(() => open(sealed.slice(0, length)))).toBe('SEAL_TRUNCATED')
    }
    expect(ran).toBe(sealed.length)
    expect(await codeOf(() => open(concatBytes(sealed, Uint8Array.of(0))))).toBe('SEAL_DAMAGED')
  })

  it('opens in no other mode, even if its header claims that mode', async () => {
    const others = FORMS.filter((form) => form.name !== name)
    for (const other of others) {
      const sealed = await other.seal(CONTENT)
      expect(await codeOf(() => open(sealed))).toBe('SEAL_MODE')
      sealed[9] = FORMS.findIndex((form) => form.name === name)
      expect(await codeOf(() => open(sealed))).not.toBe('none')
    }
    expect(others).toHaveLength(2)
  })

  it('does not change the given content', async () => {
    const content = CONTENT.slice()
    await open(await seal(content))
    expect(content).toEqual(CONTENT)
  })
})

describe('a passphrase', () => {
  it('opens its own files with the real Argon2id, also in the other engine', async () => {
    const sealed = await sealWithPassphrase(CONTENT, 'correct horse', MIN_SEAL_COST, sodium)
    expect(equalBytes(await openWithPassphrase(sealed, 'correct horse', portableEngine), CONTENT)).toBe(true)
    expect(await codeOf(() => openWithPassphrase(sealed, 'correct hors', sodium))).toBe('SEAL_WRONG_PASSPHRASE')
  })

  it('is the same in composed, decomposed and full-width characters', async () => {
    const sealed = await sealWithPassphrase(CONTENT, 'caf\u00E9 1', MIN_SEAL_COST, quick)
    for (const spelling of ['cafe\u0301 1', 'caf\u00E9\u00A01', '\uFF43afe\u0301 \uFF11']) {
      expect(equalBytes(await openWithPassphrase(sealed, spelling, quick), CONTENT)).toBe(true)
    }
    expect(await codeOf(() => openWithPassphrase(sealed, 'cafe 1', quick))).toBe('SEAL_WRONG_PASSPHRASE')
    expect(await codeOf(() => openWithPassphrase(sealed, 'Caf\u00E9 1', quick))).toBe('SEAL_WRONG_PASSPHRASE')
  })

  it('is refused if it is empty or has unassigned characters', async () => {
    for (const passphrase of ['', 'a\uD800', '\uDC00', 'a\u0378', '\u{10FFFF}']) {
      expect(await codeOf(() => sealWithPassphrase(CONTENT, passphrase, MIN_SEAL_COST, quick))).toBe(
        'SEAL_PASSPHRASE_UNUSABLE',
      )
    }
  })
})

describe('the cost in a file', () => {
  const MIB = 1024 * 1024

  it('is accepted within its bounds and refused beyond them, before any memory is allocated', async () => {
    const cases: [PasswordCost, string][] = [
      [MIN_SEAL_COST, 'none'],
      [MAX_SEAL_COST, 'none'],
      [DEFAULT_SEAL_COST, 'none'],
      [{ passes: 1, memoryBytes: 64 * MIB }, 'SEAL_COST_REFUSED'],
      [{ passes: 11, memoryBytes: 64 * MIB }, 'SEAL_COST_REFUSED'],
      [{ passes: 2, memoryBytes: 19 * MIB - 1024 }, 'SEAL_COST_REFUSED'],
      [{ passes: 2, memoryBytes: 1024 * MIB + 1024 }, 'SEAL_COST_REFUSED'],
      [{ passes: 0xffffffff, memoryBytes: 0xffffffff * 1024 }, 'SEAL_COST_REFUSED'],
    ]
    const sealed = await sealWithPassphrase(CONTENT, 'pass', MIN_SEAL_COST, quick)
    for (const [cost, code] of cases) {
      const altered = sealed.slice()
      altered.set(u32be(cost.passes), PASSES_AT)
      altered.set(u32be(cost.memoryBytes / 1024), MEMORY_AT)
      // Within the bounds, the altered header leads to another key.
      const expected = code === 'none' && cost !== MIN_SEAL_COST ? 'SEAL_WRONG_PASSPHRASE' : code
      expect(await codeOf(() => openWithPassphrase(altered, 'pass', quick))).toBe(expected)
      expect(await codeOf(() => sealWithPassphrase(CONTENT, 'pass', cost, quick))).toBe(code)
    }
    expect(cases).toHaveLength(8)
  })

  it('must be in whole passes and whole KiB', async () => {
    for (const cost of [
      { passes: 2.5, memoryBytes: 64 * MIB },
      { passes: 3, memoryBytes: 64 * MIB + 1 },
      { passes: Number.NaN, memoryBytes: 64 * MIB },
      { passes: 3, memoryBytes: Number.NaN },
    ]) {
      expect(await codeOf(() => sealWithPassphrase(CONTENT, 'pass', cost, quick))).toBe('SEAL_COST_REFUSED')
    }
  })

  it('is in the file as requested', async () => {
    const sealed = await sealWithPassphrase(CONTENT, 'pass', DEFAULT_SEAL_COST, quick)
    expect(readU32(sealed, PASSES_AT)).toBe(DEFAULT_SEAL_COST.passes)
    expect(readU32(sealed, MEMORY_AT)).toBe(DEFAULT_SEAL_COST.memoryBytes / 1024)
  })
})

describe('a key', () => {
  it('must have 32 bytes', async () => {
    for (const length of [0, 31, 33]) {
      expect(await codeOf(() => sealWithKey(CONTENT, new Uint8Array(length), sodium))).toBe('ARGUMENT_LENGTH')
      expect(await codeOf(() => openWithKey(CONTENT, new Uint8Array(length), sodium))).toBe('ARGUMENT_LENGTH')
    }
  })

  it('does not open files of another key, and use does not change it', async () => {
    const key = KEY.slice()
    const sealed = sealWithKey(CONTENT, key, sodium)
    openWithKey(sealed, key, portableEngine)
    expect(key).toEqual(KEY)
    key[31]! ^= 1
    expect(await codeOf(() => openWithKey(sealed, key, sodium))).toBe('SEAL_WRONG_KEY')
  })

  it('opens the file of the first release forever', () => {
    const file = parseHex(GOLDEN)!
    for (const engine of [sodium, portableEngine]) {
      expect(formatHex(openWithKey(file, KEY, engine))).toBe(formatHex(CONTENT))
    }
  })
})

describe('a secret that is kept', () => {
  it('seals again without the passphrase, and the passphrase still opens every file', async () => {
    const sealing = await passphraseSealing('pass', MIN_SEAL_COST, quick)
    const files = [seal(CONTENT, sealing, quick), seal(CONTENT, sealing, quick)] as const
    expect(equalBytes(files[0], files[1])).toBe(false)
    for (const file of files) {
      expect(isSealedBy(file, sealing)).toBe(true)
      expect(equalBytes(await openWithPassphrase(file, 'pass', quick), CONTENT)).toBe(true)
      expect(equalBytes(unseal(file, await sealingOf(files[0], 'pass', quick), quick), CONTENT)).toBe(true)
    }
  })

  it('matches only files of its mode, salt and cost', async () => {
    const [one, other] = [
      await passphraseSealing('pass', MIN_SEAL_COST, quick),
      await passphraseSealing('pass', MIN_SEAL_COST, quick),
    ]
    const costlier = Object.assign({}, one, { cost: DEFAULT_SEAL_COST })
    const sealings = [one, other, costlier, keySealing(KEY, quick), UNSEALED]
    const files = sealings.map((sealing) => seal(CONTENT, sealing, quick))
    for (const [at, file] of files.entries()) {
      expect(sealings.map((sealing) => isSealedBy(file, sealing))).toEqual(sealings.map((_, i) => i === at))
      expect(files.map((another) => areSealedAlike(file, another))).toEqual(files.map((_, i) => i === at))
    }
    expect(files).toHaveLength(5)
  })
})

describe('the memory', () => {
  it('of every intermediate secret is zero afterwards, except the requested content', async () => {
    const drawn: Uint8Array[] = []
    const watched: CryptoEngine = {
      ...quick,
      secret: (length) => {
        const secret = new Uint8Array(length)
        drawn.push(secret)
        return secret
      },
    }
    const sealed = await sealWithPassphrase(CONTENT, 'pass', MIN_SEAL_COST, watched)
    expect(drawn.length).toBeGreaterThan(0)
    expect(drawn.every((secret) => isZero(secret))).toBe(true)
    const content = await openWithPassphrase(sealed, 'pass', watched)
    expect(drawn.filter((secret) => !isZero(secret))).toEqual([content])
    sealWithKey(CONTENT, KEY, watched)
    expect(drawn.filter((secret) => !isZero(secret))).toEqual([content])
    expect(await codeOf(() => openWithPassphrase(sealed, 'other', watched))).toBe('SEAL_WRONG_PASSPHRASE')
    expect(drawn.filter((secret) => !isZero(secret))).toEqual([content])
  })
})
