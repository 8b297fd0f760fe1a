/** How personad-rtc is started: under Node's permission model, with sight of its own code and of node-datachannel, and with native code. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codePaths, confinedFlags } from '../process/small-program.ts'
import { libraryPaths } from './installed.ts'

/** The main module, src/rtcnode/main.ts or the same in dist/. */
export const RTC_MAIN: string = fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url))

/** The files and folders that the program reads. */
export function rtcPaths(): string[] {
  return [...codePaths(), ...(libraryPaths() ?? [])]
}

/** Arguments of node before the script. */
export function rtcFlags(): string[] {
  // Node warns of native code at each start.
  return confinedFlags(rtcPaths(), ['--allow-addons', '--disable-warning=PERM0001'])
}
