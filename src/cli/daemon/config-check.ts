/** Asks the installed daemon program whether it would start with a configuration file. The command line never loads the daemon. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../../src/launch/personad.js', import.meta.url))
const TIMEOUT_MS = 20_000 // sanity: it reads one file of at most 64 KiB; a slow machine loads the program in seconds

export interface ConfigFault {
  readonly code: string
  readonly message: string
}

export interface CheckedConfig {
  /** Null if the file is good. */
  readonly fault: ConfigFault | null
  /** The keys that a reload applies, such as `log.level`; all others need a restart. */
  readonly reloadable: readonly string[]
}

export async function checkConfigFile(file: string): Promise<CheckedConfig> {
  const args = [LAUNCHER, '--check-config', '--config', file]
  const stdout = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { timeout: TIMEOUT_MS }, (_error, output) => resolve(output))
  })
  try {
    return JSON.parse(stdout) as CheckedConfig
  } catch {
    const fault = { code: 'CONFIG_UNCHECKED', message: 'personad gives no answer about the configuration' }
    return { fault, reloadable: [] }
  }
}
