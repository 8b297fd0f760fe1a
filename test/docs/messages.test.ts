/** The texts that people read name no page of the documents: an installed program has none beside it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const SRC = new URL('../../src/', import.meta.url).pathname
// This hint is for authors of apps. The command line replaces it.
const FOR_AUTHORS = ['ipc/server/dispatch.ts']

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')
}

function naming(files: readonly (readonly [file: string, text: string])[]): string[] {
  return files.filter(([, text]) => withoutComments(text).includes('docs/')).map(([file]) => file)
}

test('no message or hint names a page of the documents', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  expect(files.length).toBeGreaterThan(300)
  expect(naming(files.map((file) => [file, readFileSync(join(SRC, file), 'utf8')]))).toEqual(FOR_AUTHORS)
  expect(naming([['x.ts', "const hint = 'see docs/tox.md'"]])).toEqual(['x.ts'])
  expect(naming([['x.ts', '/** docs/tox.md */ // docs/ipc.md\nconst limit = 1 // docs/format.md']])).toEqual([])
})
