/** docs/format.md against the code: its numbers, lists, figures and example. */
import { readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decodeBlob, PREV_BYTES } from '../../src/core/blob.ts'
import { formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import { LINK_BYTES } from '../../src/core/chain.ts'
import { DOCUMENT_DICTIONARY } from '../../src/core/encoding/dictionary.ts'
import { MAX_EVIDENCE_PER_PERSONA, MAX_EVIDENCE_PER_SEQ } from '../../src/core/evidence.ts'
import * as limits from '../../src/core/limits.ts'
import { LINK_CHECKSUM_BYTES, parseLink } from '../../src/core/link.ts'
import { FRESH_SEC, RESIGN_AFTER_SEC, RESIGN_STEP_SEC, STALE_SEC } from '../../src/core/order.ts'
import { SAFETY_NUMBER_DIGITS } from '../../src/core/safety-number.ts'
import { fallbackName } from '../../src/core/table.ts'
import { parseStatus } from '../../src/core/token.ts'
import { judgeStatus } from '../../src/core/verify.ts'
import { parseWords } from '../../src/crypto/seed.ts'
import { FORMAT_DOC, LABELS, withBlocks } from '../generate/format-blocks.ts'
import { makeVectors } from '../generate/vectors.ts'
import { sectionOf } from '../support/doc-section.ts'
import { codesOf } from '../support/error-codes.ts'
import { ENGINES, makeBlob, makePersona, sodium } from '../support/made-persona.ts'

const DOC = readFileSync(FORMAT_DOC, 'utf8')
const DAY_SEC = 86_400

const section = (number: number): string => sectionOf(DOC, number)

/** Values of the worked example, hex or text, by name; the values of one name in the order of the text. */
function exampleValues(): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const [, block] of section(15).matchAll(/```\n([^]*?)```/g)) {
    for (const [, name, inline, lines] of block!.matchAll(/^(\S.*?)(?: {2,}(.*)\n|\n((?: {4}.*\n)+))/gm)) {
      const isWords = name === 'words'
      const value = inline ?? lines!.trim().replaceAll(/\n {4}/g, isWords ? ' ' : '')
      values.set(name!, [...(values.get(name!) ?? []), value])
    }
  }
  return values
}

/** H over a label and parts, by node:crypto, so independent of the code that made the example. */
function hash(label: string, ...parts: readonly Uint8Array[]): string {
  const sha512 = createHash('sha512').update(`personad/v1/${label}\0`)
  for (const part of parts) sha512.update(part)
  return sha512.digest('hex').slice(0, 64).toUpperCase()
}

describe('docs/format.md', () => {
  it('has the generated parts up to date: labels, limits, capacity, dictionary, example, vectors (else: node test/generate/format-blocks.ts)', () => {
    expect(withBlocks(DOC)).toBe(DOC)
  })

  it('numbers its sections from 1 to 17', () => {
    const numbers = [...DOC.matchAll(/^## (\d+)\. /gm)].map(([, number]) => Number(number))
    expect(numbers).toEqual(Array.from({ length: 17 }, (_, i) => i + 1))
  })

  it('has no label that is a prefix of another', () => {
    expect(LABELS.length).toBe(46)
    for (const [a, aBytes] of LABELS) {
      for (const [b, bBytes] of LABELS) {
        if (a !== b) expect(formatHex(bBytes).startsWith(formatHex(aBytes)), `${a} of ${b}`).toBe(false)
      }
    }
  })

  it('has the numbers of the code in its text', () => {
    const { MAX_STATUS_BYTES, MIN_TOKEN_CHARS, MAX_TOKEN_CHARS, MAX_BLOB_BYTES, MAX_EPOCH, MAX_DEVICES } = limits
    const sentences: readonly (readonly [section: number, text: string])[] = [
      [2, `\`${limits.TOKEN_PREFIX}\` followed by at least ${MIN_TOKEN_CHARS} characters`],
      [2, `"${limits.TOKEN_PREFIX}" ${MIN_TOKEN_CHARS}*${MAX_TOKEN_CHARS}BASE64URL`],
      [2, `more than ${MAX_TOKEN_CHARS} characters`],
      [2, `longer than ${MAX_STATUS_BYTES} bytes`],
      [2, `most ${MAX_STATUS_BYTES} bytes of UTF-8`],
      [2, `At ${MAX_STATUS_BYTES + 1} bytes`],
      [3, `at most ${MAX_BLOB_BYTES} bytes`],
      [3, `epoch e, 0..${MAX_EPOCH}\n`],
      [3, `number of devices, 0..${MAX_DEVICES};`],
      [3, `zero exactly at epoch ${MAX_EPOCH} `],
      [3, `seq, u32be, 1..2^${Math.log2(limits.MAX_SEQ + 1)}-1`],
      [4, `K_i, i = 0..${MAX_EPOCH},`],
      [4, `c_${MAX_EPOCH} = 32 zero bytes`],
      [4, `first ${LINK_BYTES} bytes of H(LABEL_KEY`],
      [7, `more than ${MAX_TOKEN_CHARS} characters`],
      [7, `the epoch is over ${MAX_EPOCH} `],
      [7, `n is over ${MAX_DEVICES} `],
      [7, `more than ${limits.MAX_DOCUMENT_BYTES} bytes come out`],
      [7, `over ${limits.MAX_NICKNAME_CODE_POINTS} code points or ${limits.MAX_NICKNAME_BYTES} bytes`],
      [8, `more than ${limits.MAX_CLOCK_AHEAD_SEC / 3600} hours ahead of the reader's clock`],
      [8, `higher by more than ${limits.MAX_SEQ_STEP} `],
      [8, `*fresh* up to ${FRESH_SEC / DAY_SEC} days, *stale* up to ${STALE_SEC / DAY_SEC} days`],
      [8, `${RESIGN_AFTER_SEC / DAY_SEC} days and ${RESIGN_STEP_SEC / 3600} h * k after time`],
      [
        8,
        `at most ${MAX_EVIDENCE_PER_SEQ} blobs for each (c_0, epoch, seq) and ${MAX_EVIDENCE_PER_PERSONA} for each persona`,
      ],
      [8, `higher by 1..${limits.MAX_SEQ_STEP} -`],
      [10, 'more than 14 days apart'], // held by the vectors consent-bare-14-days and consent-bare-over-14-days
      [11, `no more than ${limits.MAX_DOCUMENT_BYTES} bytes come out`],
      [13, `${LINK_CHECKSUM_BYTES} bytes of checksum`],
      [13, `${SAFETY_NUMBER_DIGITS} digits`],
      [12, `1..${limits.MAX_NICKNAME_CODE_POINTS} code points and at most ${limits.MAX_NICKNAME_BYTES} bytes`],
    ]
    // Paragraphs may break a line anywhere; tables and drawings may not.
    const unbroken = (number: number): string => section(number).replaceAll(/(?<=\S)\n *(?=\S)/g, ' ')
    for (const [number, text] of sentences) {
      expect([section(number), unbroken(number)].join('\n'), `section ${number}`).toContain(text)
    }
    expect(sentences.length).toBe(30)
    expect(fallbackName('0123456789ABCDEF'.repeat(4))).toBe('device-01234567')
    expect(unbroken(6)).toContain("`device-` and the key's first 8 hex digits")
  })

  it('draws the blob with the offsets of the decoder', () => {
    const blob = decodeBlob(makeBlob(makePersona(1), { epoch: 2, devices: [0, 1] }))
    const drawn = [...section(3).matchAll(/^(\d+) +(\d+) +(\w+)/gm)].map(([, at, length, name]) => [
      name,
      Number(at),
      Number(length),
    ])
    const offset = (field: Uint8Array): number => field.byteOffset - blob.bytes.byteOffset
    expect(drawn).toEqual([
      ['version', 0, 1],
      ['flags', 1, 1],
      ['PersonaID', offset(blob.personaId), blob.personaId.length],
      ['signature', offset(blob.signature), blob.signature.length],
      ['epoch', 98, 1],
      ['seq', 99, 4],
      ['time', 103, 4],
      ['prev', offset(blob.prev), PREV_BYTES],
      ['next', offset(blob.next), blob.next.length],
      ['inception', offset(blob.inception!), blob.inception!.length],
    ])
    expect(offset(blob.links)).toBe(155 + 64)
    expect(offset(blob.signingKey)).toBe(155 + 64 + 16)
    expect(offset(blob.deviceKeys[0]!)).toBe(155 + 64 + 16 + 32 + 1)
    const { bytes } = blob
    expect([bytes[0], bytes[1], bytes[98], formatHex(bytes.subarray(99, 103))]).toEqual([1, 0, 2, '00000001'])
    expect(new DataView(bytes.buffer).getUint32(103)).toBe(blob.timeSec)
  })

  it('draws order, replay and consent with every verdict, outcome and state', () => {
    const figures = (number: number): string => [...section(number).matchAll(/```\n[^]*?```/g)].join('\n')
    const drawn: readonly (readonly [section: number, words: readonly string[]])[] = [
      [8, ['new', 'accept', 'refresh', 'fork', 'stale', 'held', 'violation']],
      [9, ['kept', 'replayed', 'superseded', 'dropped']],
      [10, ['claimed', 'confirmed', 'former', 'asserted']],
    ]
    for (const [number, words] of drawn) {
      for (const word of words) expect(figures(number), `section ${number}`).toMatch(new RegExp(`\\b${word}\\b`))
    }
    // The figure of section 8 leads to the same verdicts as its table, which the vectors hold to the code.
    const listed = [...section(8).matchAll(/^\| [^|]+ \| `([a-z]+)`/gm)].map(([, verdict]) => verdict!)
    expect(new Set(listed)).toEqual(new Set(drawn[0]![1]))
  })

  it('lists every error code, each with a vector that shows it', () => {
    const rows = [...section(7).matchAll(/^\| `([A-Z0-9_]+)` \| (.+?) \| ?(\S*) \|$/gm)]
    const listed = rows.map(([, code]) => code!)
    expect(listed.toSorted()).toEqual([...codesOf('BlobErrorCode'), ...codesOf('TableErrorCode')].toSorted())
    const vectors = makeVectors()
    let shown = 0
    for (const [, code, , name] of rows) {
      if (name === '') continue
      expect(vectors.get(`${name}.json`)?.expect, code).toMatchObject({ code })
      shown++
    }
    expect([listed.length, shown]).toEqual([42, 40])
  })

  it('lists every error code of links', () => {
    const listed = [...section(13).matchAll(/^\| `(LINK_[A-Z_]+)` \|/gm)].map(([, code]) => code!)
    expect(listed.toSorted()).toEqual(codesOf('LinkErrorCode').toSorted())
    expect(listed.length).toBe(6)
  })

  it('has the dictionary of the inflater as hex', () => {
    const hex = /```\n([0-9A-F\n]+)```/.exec(section(11))![1]!.replaceAll('\n', '')
    expect(parseHex(hex)).toEqual(DOCUMENT_DICTIONARY)
  })

  it('has an example that is right from the words to the status message', () => {
    const values = exampleValues()
    const value = (name: string, i = 0): string => {
      const found = values.get(name)?.[i]
      if (found === undefined) throw new Error(`the example has no ${name}`)
      return found
    }
    const bytes = (name: string, i = 0): Uint8Array => parseHex(value(name, i))!
    expect(formatHex(parseWords(value('words')))).toBe(value('seed'))
    expect(hash('key', bytes('K_1')).slice(0, 32)).toBe(value('h_1'))
    for (let i = 15; i >= 0; i--) {
      expect(hash('next', bytes(`h_${i + 1}`), bytes(`c_${i + 1}`)), `c_${i}`).toBe(value(`c_${i}`))
    }
    for (const i of [0, 1]) {
      const message = bytes('signed message', i).slice('personad/v1/blob\0'.length)
      message.fill(0, 34 + 5, 34 + 9)
      expect(hash('table', message)).toBe(value('T', i))
      expect(bytes('blob', i).length).toBe(Number(value('bytes', i === 0 ? 0 : 2)))
    }
    for (const engine of ENGINES) {
      expect(engine.verify(bytes('signature'), bytes('signed message'), bytes('K_0, the PersonaID'))).toBe(true)
      expect(engine.verify(bytes('signature', 1), bytes('signed message', 1), bytes('K_1'))).toBe(true)
      expect(engine.verify(bytes('inception'), bytes('inception message'), bytes('K_0, the PersonaID'))).toBe(true)
    }
    const text = value('status message')
    expect(text.length).toBe(Number(value('bytes', 1)))
    const { words, blob } = judgeStatus(text, sodium)
    expect(words).toBe('In the garden')
    expect(formatHex(blob!.bytes)).toBe(value('blob'))
    expect(blob!.deviceKeys.map(formatHex)).toEqual([value('laptop'), value('phone')])
    expect(formatHex(blob!.root)).toBe(value('c_0'))
    expect(formatHex(decodeBlob(bytes('blob', 1)).prev)).toBe(value('T').slice(0, 32))
    expect(value('c_0 computed from it')).toBe(value('c_0'))
    expect(parseStatus(text).kind).toBe('token')
  })

  it('has the right contact link and safety number in its example', () => {
    const values = exampleValues()
    const value = (name: string): string => values.get(name)![0]!
    const { personaId, root, epoch } = parseLink(value('contact link'), sodium)
    expect([formatHex(personaId), formatHex(root), epoch]).toEqual([value('K_0, the PersonaID'), value('c_0'), 1])
    const bytes = createHash('sha512').update('personad/v1/number\0').update(personaId).update(root).digest()
    expect(bytes.toString('hex').toUpperCase()).toBe(value('hash of the number'))
    const groups = Array.from({ length: 12 }, (_, i) => String(bytes.readUIntBE(5 * i, 5) % 100_000).padStart(5, '0'))
    expect(value('safety number').match(/\d{5}/g)).toEqual(groups)
  })

  it('has room for fifteen devices with random nicknames of eight letters', () => {
    const row = /^\| this format, nicknames of 8 random letters \| (\d+)(?: \((\d+)\.\.\d+\))? \|/m.exec(section(6))!
    expect(Number(row[2] ?? row[1])).toBeGreaterThanOrEqual(15)
  })
})
