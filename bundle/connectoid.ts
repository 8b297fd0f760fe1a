/** Makes the library for web pages as one file: `dist/connectoid.js`, which `personad/connectoid` exports (docs/connectoid.md). */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
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

/** The members that our engine calls, and the one that tweetnacl itself calls when it starts. */
const NACL_MEMBERS = /^(hash|randomBytes|scalarMult(\.base)?|secretbox(\.open)?|setPRNG|sign\.detached\.verify)$/
const NACL_STATEMENT = /^nacl\.([\w.]+) = (?:.*[^{]|[^]*?^\};)$/gm

/**
 * tweetnacl is one function that fills one object, of which nothing can be left out. Here its small form becomes a module with some members of
 * the object: the same code as the other form in a quarter of the bytes. A frame of 12 000 bytes takes it some ms.
 */
const partOfNacl: Plugin = {
  name: 'part of tweetnacl',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^tweetnacl$/ }, () => ({ path: resolve(ROOT, 'node_modules/tweetnacl/nacl.js') }))
    bundler.onLoad({ filter: /tweetnacl\/nacl\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .replace('(function(nacl) {', 'const nacl = { sign: { detached: {} } }')
        .replace(/^\}\)\(typeof module.*$/m, 'export default nacl')
        .replace(NACL_STATEMENT, (statement, member: string) => (NACL_MEMBERS.test(member) ? statement : '')),
    }))
  },
}

/** Bundles the library. It loads nothing else, and needs no `eval`. @returns the text of the file */
export async function bundleConnectoid(): Promise<string> {
  return await bundleForPages('src/connectoid/connectoid.ts')
}

/** Bundles a module of this project with all that it imports. @returns the text of a module */
export async function bundleForPages(source: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [resolve(ROOT, source)],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    charset: 'utf8',
    legalComments: 'none',
    // tweetnacl looks for WebCrypto at `self`, which servers that render pages lack, and else for a module of Node.
    define: { self: 'globalThis', require: 'undefined' },
    plugins: [sharedLetters, partOfNacl],
  })
  return outputFiles[0]!.text
}

if (import.meta.main) {
  const file = resolve(process.argv[2] ?? resolve(ROOT, 'dist/connectoid.js'))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, await bundleConnectoid())
}
