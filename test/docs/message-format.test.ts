/** docs/messages.md against the code: its numbers and codes; and docs/read_message.py against the vectors. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MAX_DEVICES } from '../../src/core/limits.ts'
import { MESSAGE_SEAL_BYTES, RECEIPT_SEAL_BYTES } from '../../src/message/entry.ts'
import { MAX_KEYS } from '../../src/message/header.ts'
import { CONTENT_KEY_BYTES, headBytes, MAX_OBJECT_BYTES } from '../../src/message/object-head.ts'
import { VECTORS_DIR } from '../generate/vectors.ts'
import { flowingSectionOf } from '../support/doc-section.ts'
import { codesOf } from '../support/error-codes.ts'
import { hasLibsodium } from '../support/python.ts'

const DOC = readFileSync(new URL('../../docs/messages.md', import.meta.url), 'utf8')
const READER = new URL('../../docs/read_message.py', import.meta.url).pathname

const section = (number: number): string => flowingSectionOf(DOC, number)

describe('docs/messages.md', () => {
  it('has the numbers of the code in its text', () => {
    const sentences: readonly (readonly [number, string])[] = [
      [2, `1 to ${MAX_KEYS} keys`],
      [3, `seals of ${headBytes(1) - headBytes(0)} bytes`],
      [3, `content key (${CONTENT_KEY_BYTES} bytes)`],
      [3, `at most ${MAX_OBJECT_BYTES} bytes`],
      [4, `| 1 | of a message | ${MESSAGE_SEAL_BYTES} |`],
      [4, `| 2 | receipt | ${RECEIPT_SEAL_BYTES} |`],
      [4, `| 3 | of an invite | ${MESSAGE_SEAL_BYTES} |`],
      [4, `1 to ${MAX_DEVICES} keys`],
      [6, `more than ${MAX_OBJECT_BYTES} bytes`],
    ]
    for (const [number, text] of sentences) expect(section(number), text).toContain(text)
    expect(sentences.length).toBe(9)
  })

  it('lists every code', () => {
    const listed = [...section(6).matchAll(/\| `([A-Z_]+)`/g)].map(([, code]) => code)
    expect(listed).toEqual(codesOf('MessageErrorCode', 'message/errors.ts'))
  })
})

describe('docs/read_message.py', () => {
  it.skipIf(!hasLibsodium(READER))(
    'agrees with every vector of objects and entries (needs python3 and libsodium)',
    () => {
      const files = readdirSync(VECTORS_DIR).filter((file) => /^(message|entry)-/.test(file))
      const lines = execFileSync('python3', [READER, ...files.map((file) => VECTORS_DIR + file)], { encoding: 'utf8' })
      const results = lines
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { readonly result: unknown }).result)
      for (const [i, file] of files.entries()) {
        const { expect: end } = JSON.parse(readFileSync(VECTORS_DIR + file, 'utf8')) as { readonly expect: unknown }
        expect(results[i], file).toEqual(end)
      }
      expect(files.length).toBe(58)
    },
  )

  it('has less than 250 lines', () => {
    expect(readFileSync(READER, 'utf8').split('\n').length).toBeLessThan(250)
  })
})
