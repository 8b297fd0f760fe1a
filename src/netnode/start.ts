/** How personad-net is started: under Node's permission model, with sight of its own code and nothing else. It needs no package. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codePaths, confinedFlags } from '../process/small-program.ts'

/** The main module, src/netnode/main.ts or the same in dist/. */
export const NET_MAIN: string = fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url))

/** Arguments of node before the script. */
export function netFlags(): string[] {
  return confinedFlags(codePaths())
}
