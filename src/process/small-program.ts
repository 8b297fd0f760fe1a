/** How a child program stays small and confined: flags of Node, and sight of its own code and nothing else. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

const YOUNG_HEAP_MB = 1 // sanity: packets are small and gone at once; the default lets garbage grow to 48 MB
const MAX_HEAP_MB = 64 // sanity: it takes a few MB; a flood must not take the machine

/**
 * One compiler of V8 is enough: maglev without inlining takes 2 MB and halves the CPU of a lookup, and the others would take 4 MB more. The flags are
 * set here because node does not start with one that a later V8 lacks.
 */
export function useOneCompiler(): void {
  for (const flag of ['--no-turbofan', '--no-sparkplug', '--no-maglev-inlining']) setFlagsFromString(flag)
}

/** Compiles nothing from now on. Compiled code stays. */
export function useNoCompiler(): void {
  setFlagsFromString('--no-maglev')
}

/** The files and folders that a program reads: its code, the launchers, and the manifest that says what kind of code it is. */
export function codePaths(): string[] {
  const manifest = fileURLToPath(new URL('../../package.json', import.meta.url))
  const code = fileURLToPath(new URL('..', import.meta.url))
  const launchers = fileURLToPath(new URL('../../src/', import.meta.url))
  const paths = [...new Set([code, launchers, manifest].map((path) => realpathSync(path)))]
  // In a checkout the launchers are part of the code. In a package src/ has them alone, and they look there for sources.
  return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)))
}

/** Arguments of node before the script. No writing, no children, no workers, and no native code unless `more` allows it. */
export function confinedFlags(paths: readonly string[], more: readonly string[] = []): string[] {
  return [
    '--disable-sigusr1',
    `--max-old-space-size=${MAX_HEAP_MB}`,
    `--max-semi-space-size=${YOUNG_HEAP_MB}`,
    '--permission',
    // A later Node has a permission for the network too.
    ...(process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []),
    ...more,
    ...paths.map((path) => `--allow-fs-read=${path}`),
  ]
}
