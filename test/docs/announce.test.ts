/** docs/announce.md against the code: its numbers, codes and example; and docs/open_announcement.py against the vectors. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FORWARD_SEQ, itemSeq, MAX_ANNOUNCED_SEQ, OPEN_SALT, TABLE_SEQ_END } from '../../src/core/announce/place.ts'
import { READ_BYTES } from '../../src/core/announce/settings.ts'
import { SETTING_KEYS } from '../../src/core/document.ts'
import { MAX_VALUE_BYTES } from '../../src/core/announce/signed-value.ts'
import { parseHex } from '../../src/core/encoding/bytes.ts'
import { MAX_BLOB_BYTES, MAX_EPOCH, SHORT_CHARS } from '../../src/core/limits.ts'
import { CLOSEST_NODES } from '../../src/dht/candidates.ts'
import { TRANSACTION_BYTES } from '../../src/dht/message.ts'
import { ANNOUNCE_DOC, withExample } from '../generate/announce-example.ts'
import type { ItemVector } from '../generate/item-vectors.ts'
import { VECTORS_DIR } from '../generate/vectors.ts'
import { flowingSectionOf } from '../support/doc-section.ts'
import { codesOf } from '../support/error-codes.ts'
import { ENGINES } from '../support/made-persona.ts'
import { hasLibsodium } from '../support/python.ts'

const DOC = readFileSync(ANNOUNCE_DOC, 'utf8')
const READER = new URL('../../docs/open_announcement.py', import.meta.url).pathname

const section = (number: number): string => flowingSectionOf(DOC, number)

/** Values of the example by name, in the order of the text. */
function exampleValues(): Map<string, string[]> {
  const text = DOC.slice(DOC.indexOf('<!-- example'), DOC.indexOf('<!-- end example'))
  const values = new Map<string, string[]>()
  for (const [, name, inline, lines] of text.matchAll(/^(\S.*?)(?: {2,}(.*)\n|\n((?: {4}.*\n)+))/gm)) {
    values.set(name!, [...(values.get(name!) ?? []), inline ?? lines!.trim().replaceAll(/\n {4}/g, '')])
  }
  return values
}

function hash(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const sha512 = createHash('sha512').update(`personad/v1/${label}\0`)
  for (const part of parts) sha512.update(part)
  return new Uint8Array(sha512.digest().subarray(0, 32))
}

describe('docs/announce.md', () => {
  it('has its example up to date (else: node test/generate/announce-example.ts)', () => {
    expect(withExample(DOC)).toBe(DOC)
  })

  it('has the numbers of the code in its text', () => {
    const sentences: readonly (readonly [number, string])[] = [
      [2, `1..${MAX_VALUE_BYTES} bytes`],
      [3, `read = ${READ_BYTES} bytes`],
      [3, `"${String.fromCharCode(...OPEN_SALT)}"`],
      [3, `seq 2^${Math.log2(MAX_ANNOUNCED_SEQ + 1)} or more is not announced`],
      [4, `at most ${MAX_BLOB_BYTES} bytes`],
      [6, `at most ${MAX_EPOCH} steps`],
      [7, `the ${TRANSACTION_BYTES} random bytes of its query`],
      [7, `the ${CLOSEST_NODES} closest nodes`],
      [10, `${SHORT_CHARS}BASE64URL`],
    ]
    for (const [number, text] of sentences) expect(section(number), text).toContain(text)
    expect(sentences.length).toBe(9)
    expect([TABLE_SEQ_END, FORWARD_SEQ]).toEqual([2n ** 53n, 2n ** 63n - 1n])
    expect(itemSeq({ seq: 1, timeSec: 1_600_000_001 })).toBe(2n ** 31n + 1n)
    for (const key of SETTING_KEYS) expect(section(5)).toContain(`| \`${key}\` |`)
  })

  it('lists every code of an item', () => {
    const listed = [...section(8).matchAll(/`(ITEM_[A-Z_]+)`/g)].map(([, code]) => code)
    expect(listed).toEqual(codesOf('ItemErrorCode', 'core/announce/errors.ts'))
  })

  it('has an example that follows from its text, by other code than ours', () => {
    const values = exampleValues()
    const bytes = (name: string, at = 0): Uint8Array => parseHex(values.get(name)![at]!)!
    const r = hash('announce-read', bytes('c_0'), bytes('read'))
    expect(r).toEqual(bytes('r'))
    for (const [at, blobAt] of [
      [0, 0],
      [2, 1],
    ] as const) {
      const [k, v, blob] = [bytes('k', at), bytes('v', at), bytes('blob', blobAt)]
      expect(bytes('salt', at)).toEqual(hash('announce-at', r, k).subarray(0, 20))
      expect(v.length).toBe(Number(values.get('bytes of v')![at]))
      const plain = new Uint8Array(v.length - 42)
      plain.set([blob.length >> 8, blob.length & 0xff, ...blob])
      expect(v.subarray(2, 26)).toEqual(hash('announce-nonce', r, k, v.subarray(0, 2), plain).subarray(0, 24))
      const key = hash('announce-key', r, k, v.subarray(0, 2))
      for (const engine of ENGINES) {
        expect(engine.openBox(v.subarray(26), v.subarray(2, 26), key)).toEqual(plain)
        expect(engine.verify(bytes('signature', at), bytes('signed message', at), k)).toBe(true)
      }
    }
    const plain = Uint8Array.of(...bytes('k'), ...r)
    const short = Buffer.from([...plain, ...hash('short', plain).subarray(0, 4)]).toString('base64url')
    expect(values.get('short status')).toEqual([`persona:${short}`])
    expect(values.get('seq')).toEqual([
      String(2n ** 31n + 200_000_000n),
      String(2n ** 31n + 200_000_000n),
      String(2n ** 63n - 1n),
    ])
  })
})

describe('docs/open_announcement.py', () => {
  it.skipIf(!hasLibsodium(READER))(
    'opens the items of the vectors to the same blobs (needs python3 and libsodium)',
    () => {
      const files = readdirSync(VECTORS_DIR).filter((file) => file.startsWith('item-'))
      const vectors = files.map((file) => JSON.parse(readFileSync(VECTORS_DIR + file, 'utf8')) as ItemVector)
      const lines = execFileSync('python3', [READER, ...files.map((file) => VECTORS_DIR + file)], { encoding: 'utf8' })
        .trim()
        .split('\n')
      const opened = lines.map((line) => (JSON.parse(line) as { readonly blob: string | null }).blob)
      // It verifies the item, and leaves the blob to a reader of format.md.
      const leftToBlob = new Set(['SIGNATURE_BAD', 'ITEM_OTHER_PERSONA'])
      for (const [i, { name, expect: end }] of vectors.entries()) {
        if (end.verdict !== 'refused') expect(opened[i], name).toBe(end.blob)
        else expect(opened[i] === null, name).toBe(!leftToBlob.has(end.code))
      }
      expect([vectors.length, opened.filter((blob) => blob !== null).length]).toEqual([32, 12])
    },
  )

  it('has about sixty lines', () => {
    expect(readFileSync(READER, 'utf8').split('\n').length).toBeLessThan(75)
  })
})
