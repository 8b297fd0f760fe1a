/** Makes the library for web pages as one file: `dist/connectoid.js`, which `personad/connectoid` exports (docs/connectoid.md). */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { wordlist } from '@scure/bip39/wordlists/english.js'

const ROOT = resolve(import.meta.dirname, '..')

/** The words are in order: each is written as how many letters it shares with the one before, and the others. That saves a third of their bytes. */
const sharedLetters: Plugin = {
  name: 'shared letters',
  setup: (bundler) => {
    bundler.onLoad({ filter: /bip39\/wordlists\/english\.js$/ }, () => {
      const parts = wordlist.map((word, i) => {
        const before = wordlist[i - 1] ?? ''
        let shared = 0
        while (word[shared] === before[shared]) shared++
        return shared + word.slice(shared)
      })
      const read = '(part) => (last = last.slice(0, part[0]) + part.slice(1))'
      const list = `${JSON.stringify(parts.join(''))}.match(/\\d\\D+/g).map(${read})`
      return { contents: `let last = ''\nexport const wordlist = ${list}` }
    })
  },
}

/** Bundles the library. It loads nothing else, and needs no `eval`. @returns the text of the file */
export async function bundleConnectoid(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [resolve(ROOT, 'src/connectoid/connectoid.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    charset: 'utf8',
    legalComments: 'none',
    // The same code in a third of the bytes; a frame of 12 000 bytes takes it some ms.
    alias: { tweetnacl: resolve(ROOT, 'node_modules/tweetnacl/nacl.js') },
    // tweetnacl looks for WebCrypto at `self`, and else asks for a module; servers that render pages load the file too.
    define: { self: 'globalThis' },
    external: ['crypto'],
    plugins: [sharedLetters],
  })
  return outputFiles[0]!.text
}

if (import.meta.main) {
  const file = resolve(process.argv[2] ?? resolve(ROOT, 'dist/connectoid.js'))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, await bundleConnectoid())
}
