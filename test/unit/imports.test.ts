import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { importsBelow, importsOf, RULES, violations } from '../support/imports.ts'
import { tempDir } from '../support/temp-dir.ts'

const SRC = resolve(import.meta.dirname, '../../src')

test('every folder imports only what its rule allows', () => {
  const imports = importsBelow(SRC)
  expect(imports.length).toBeGreaterThan(200)
  expect(violations(SRC, imports)).toEqual([])
})

test('every folder of src has a rule, and every rule a folder', () => {
  const folders = new Set(importsBelow(SRC).map(({ file }) => file.split('/')[0]))
  expect(folders).toEqual(new Set(Object.keys(RULES)))
})

test('native code of the Tox node is loaded by its own process only', () => {
  const native = new Set(importsBelow(join(SRC, 'live')).flatMap(({ file, from }) => (from === 'koffi' ? [file] : [])))
  expect([...native].toSorted()).toEqual(['libtoxcore.ts', 'loopback.ts', 'process.ts'])
  const taken = importsBelow(SRC).filter(({ file, from }) => !file.startsWith('live/') && from.includes('/live/'))
  expect(taken.filter(({ from }) => native.has(from.split('/').at(-1)!) || from.endsWith('/main.ts'))).toEqual([])
})

test.each([
  ['core/a.ts', "import { readFile } from 'node:fs'"],
  ['core/a.ts', "import type { Store } from '../store/store.ts'"],
  ['crypto/a.ts', "export { x } from '../store/store.ts'"],
  ['store/a.ts', "const tox = await import('../tox/savefile.ts')"],
  ['tox/a.ts', "import { x } from 'level'"],
  ['ipc/a.ts', "import { x } from '../daemon/keeper.ts'"],
  ['daemon/a.ts', "import '../cli/main.ts'"],
  ['cli/a.ts', "import { x } from '../store/store.ts'"],
  ['live/a.ts', "import { x } from '../crypto/seal.ts'"],
  ['pairing/a.ts', "import { connect } from 'node:net'"],
  ['durable/a.ts', "import { x } from '../core/bytes.ts'"],
  ['elsewhere/a.ts', "import { x } from '../core/bytes.ts'"],
])('a forbidden import is found: %s with %s', (file, source) => {
  const root = tempDir()
  mkdirSync(join(root, file, '..'), { recursive: true })
  writeFileSync(join(root, file), source)
  expect(violations(root, importsBelow(root))).toHaveLength(1)
})

test('all forms of an import are seen', () => {
  const source = `import a from 'a'\nimport type { B } from "b"\nexport * from 'c'\nawait import('d')\nimport 'e'`
  expect(importsOf(source)).toEqual(['a', 'b', 'c', 'd', 'e'])
})
