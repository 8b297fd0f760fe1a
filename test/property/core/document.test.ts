/** Compares the document's reader and writer with the yaml library: the meaning is always that of YAML, and every type is a string. */
import * as fc from 'fast-check'
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseDocument as parseYaml } from 'yaml'
import { encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { formatDocument, parseDocument, type Document, type DocumentValue } from '../../../src/core/document.ts'
import { BlobError } from '../../../src/core/errors.ts'

const DOCUMENTS = Number(process.env['DOCUMENTS'] ?? 10_000)
const NAUGHTY = new URL('../../../../shared/vectors/naughty-strings.json', import.meta.url)

/** Keys and values as the yaml library reads them; null if it finds an error or a warning. */
function readYaml(text: string, schema: 'failsafe' | 'core' | 'yaml-1.1'): [unknown, unknown][] | null {
  const document = parseYaml(text, { schema, resolveKnownTags: false, version: schema === 'yaml-1.1' ? '1.1' : '1.2' })
  if (document.errors.length > 0 || document.warnings.length > 0) return null
  if (document.contents === null) return []
  const value: unknown = document.toJS({ mapAsMap: true })
  return value instanceof Map ? ([...value] as [unknown, unknown][]) : null
}

function tryParse(bytes: Uint8Array): Document | string {
  try {
    return parseDocument(bytes)
  } catch (error) {
    if (error instanceof BlobError) return error.code
    throw error
  }
}

// prettier-ignore
const PIECES = [
  'names', 'names: ', 'names: [', 'x', 'Phone', ': ', ':', ',', ', ', '[', ']', ' ', '\n', '"', "'", "''", '\\', '\\"',
  '\\u0041', '\\ud83d', '\\x41', '\\n', '#', ' #', '- ', '-', '? ', '!', '&a', '*a', '<<', '|', '>', '%', '@', '`', '{', '}',
  '~', 'null', 'true', '12', '0x1F', '1e3', '.inf', '2001-01-01', '---', '...', '\t', '\r', '\0', '\u0085', '\u00a0', '\u2028',
  '\ufeff', '\u3000', 'é', 'e\u0301', '\u{1f4f1}', '=', '+', '(', '/', '$', '^', '_', ';', '. ', '!!binary ', '\uffff', '\u007f',
]
const pieces = fc.constantFrom(...PIECES)
const anyText = fc.array(fc.oneof({ weight: 6, arbitrary: pieces }, fc.string({ unit: 'binary', maxLength: 2 })), {
  maxLength: 12,
})
const scalarText = anyText.map((parts) => parts.join('').toWellFormed())
const key = fc
  .oneof(
    fc.constantFrom('names', 'note', 'x.y_z-1', 'constructor', 'hasOwnProperty'),
    fc.stringMatching(/^[A-Za-z][\w.-]{0,62}$/),
  )
  .filter((text) => !/^(?:null|true|false|yes|no|on|off|y|n)$/i.test(text))
const list = fc.array(scalarText, { maxLength: 6 })
const documents: fc.Arbitrary<Document> = fc.uniqueArray(
  key.chain((key): fc.Arbitrary<readonly [string, DocumentValue]> =>
    fc.tuple(fc.constant(key), key.toLowerCase() === 'names' ? list : fc.oneof(list, scalarText)),
  ),
  { selector: ([key]) => key.toLowerCase(), maxLength: 5 },
)

test('a written document reads back, and every version of YAML reads the same strings', () => {
  fc.assert(
    fc.property(documents, (document) => {
      const bytes = formatDocument(document)
      const text = Buffer.from(bytes).toString()
      expect(parseDocument(bytes)).toEqual(document)
      for (const schema of ['failsafe', 'core', 'yaml-1.1'] as const) {
        // yaml 2.9 reads E7 as NaN under version 1.1, whose floats do not begin with an exponent.
        if (schema === 'yaml-1.1' && /\be[+-]?\d/i.test(text)) continue
        expect(readYaml(text, schema), text).toEqual(document)
      }
    }),
    { numRuns: DOCUMENTS / 10 },
  )
})

test('every accepted document means the same to the yaml library', () => {
  let accepted = 0
  const short = fc.array(pieces, { maxLength: 4 }).map((parts) => parts.join('').toWellFormed())
  const skeleton = fc.tuple(short, short, short)
  const texts = fc.oneof(
    scalarText,
    skeleton.map(([a, b]) => `names: [${a},${b}]`),
    skeleton.map(([a, b, c]) => `names: [${a}]\nx: ${b}\ny2: '${c}'`),
    skeleton.map(([a, b]) => `names: [ "${a}" , ${b} ]\n`),
    skeleton.map(([a, b]) => `${a}: ${b}`),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const document = tryParse(encodeUtf8(text))
      if (typeof document === 'string') return
      accepted++
      expect(readYaml(text, 'failsafe'), JSON.stringify(text)).toEqual(document)
    }),
    { numRuns: DOCUMENTS },
  )
  expect(accepted).toBeGreaterThan(DOCUMENTS / 20)
})

test('every plain or written scalar of two ASCII characters means the same to the yaml library', () => {
  const characters = Array.from({ length: 0x7e - 0x20 + 1 }, (_, i) => String.fromCharCode(0x20 + i))
  let accepted = 0
  for (const first of characters) {
    for (const second of ['', ...characters]) {
      const text = first + second
      const written = Buffer.from(formatDocument([['names', [text, 'z']], ['x', text]])).toString() // prettier-ignore
      expect(readYaml(written, 'core'), text).toEqual([['names', [text, 'z']], ['x', text]]) // prettier-ignore
      for (const plain of [`x: ${text}`, `names: [${text},z]`]) {
        const document = tryParse(encodeUtf8(plain))
        if (typeof document === 'string') continue
        accepted++
        expect(readYaml(plain, 'failsafe'), plain).toEqual(document)
      }
    }
  }
  expect(accepted).toBeGreaterThan(10_000)
})

test('any bytes give a document or a typed refusal', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: 'binary' }).map(encodeUtf8)), (bytes) => {
      const document = tryParse(bytes)
      if (typeof document === 'string') expect(document).toMatch(/^DOCUMENT_/)
      else expect(tryParse(formatDocument(document))).toEqual(document)
    }),
    { numRuns: 5000 },
  )
})

test.skipIf(!existsSync(NAUGHTY))(
  'naughty strings (skipped without the shared vectors) pass through a document',
  () => {
    const strings = JSON.parse(readFileSync(NAUGHTY, 'utf8')) as string[]
    for (const text of strings) {
      const document: Document = [['names', [text, text]], ['note', text]] // prettier-ignore
      const bytes = formatDocument(document)
      expect(parseDocument(bytes)).toEqual(document)
      for (const schema of ['core', 'yaml-1.1'] as const)
        expect(readYaml(Buffer.from(bytes).toString(), schema)).toEqual(document)
    }
    expect(strings.length).toBeGreaterThan(400)
  },
)
