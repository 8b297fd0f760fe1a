/** How personad-net is started: under Node's permission model, with sight of its own code and nothing else. */
import { realpathSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

const YOUNG_HEAP_MB = 1 // sanity: packets are small and gone at once; the default lets garbage grow to 48 MB
const MAX_HEAP_MB = 64 // sanity: it takes a few MB; a flood must not take the machine

/** The main module, src/netnode/main.ts or the same in dist/. */
export const NET_MAIN: string = fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url))

/** The files and folders that the program reads: its code, the launchers, and the manifest that says what kind of code it is. It needs no package. */
export function netPaths(): string[] {
  const manifest = fileURLToPath(new URL('../../package.json', import.meta.url))
  const code = fileURLToPath(new URL('..', import.meta.url))
  const launchers = fileURLToPath(new URL('../../src/', import.meta.url))
  const paths = [...new Set([code, launchers, manifest].map((path) => realpathSync(path)))]
  // In a checkout the launchers are part of the code. In a package src/ has them alone, and they look there for sources.
  return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)))
}

/** Arguments of node before the script. No writing, no children, no native code, no workers. */
export function netFlags(): string[] {
  return [
    '--disable-sigusr1',
    `--max-old-space-size=${MAX_HEAP_MB}`,
    `--max-semi-space-size=${YOUNG_HEAP_MB}`,
    '--permission',
    // A later Node has a permission for the network too.
    ...(process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []),
    ...netPaths().map((path) => `--allow-fs-read=${path}`),
  ]
}
