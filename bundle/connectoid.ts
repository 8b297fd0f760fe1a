/** Makes the library for web pages as one file: `dist/connectoid.js`, which `personad/connectoid` exports (docs/connectoid.md). */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { build } from 'esbuild'

const ROOT = resolve(import.meta.dirname, '..')

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
    // tweetnacl asks for it where there is no WebCrypto.
    external: ['crypto'],
  })
  return outputFiles[0]!.text
}

if (import.meta.main) {
  const file = resolve(process.argv[2] ?? resolve(ROOT, 'dist/connectoid.js'))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, await bundleConnectoid())
}
