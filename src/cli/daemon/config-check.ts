/** Asks the installed daemon program whether it would start with a configuration file. The command line never loads the daemon. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../launch/personad.js', import.meta.url))
const TIMEOUT_MS = 20_000 // sanity: it reads one file of at most 64 KiB; a slow machine loads the program in seconds

export interface ConfigFault {
  readonly code: string
  readonly message: string
}

/** @returns null if the file is good */
export async function checkConfigFile(file: string): Promise<ConfigFault | null> {
  const args = [LAUNCHER, '--check-config', '--config', file]
  const stdout = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { timeout: TIMEOUT_MS }, (_error, output) => resolve(output))
  })
  return faultIn(stdout)
}

function faultIn(stdout: string): ConfigFault | null {
  try {
    const { fault } = JSON.parse(stdout) as { fault: ConfigFault | null }
    return fault
  } catch {
    return { code: 'CONFIG_UNCHECKED', message: 'personad gives no answer about the configuration' }
  }
}
