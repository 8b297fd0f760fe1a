/** The data directory of a relay, and the files in it beside those of the store. */
import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { readSecretsFile, writeSecretsFile } from '../../store/secrets-file.ts'

export interface RelayDir {
  readonly path: string
  /** The key with which questions are made and answers checked. */
  readonly key: string
  /** Tokens of senders. */
  readonly tokens: string
  /** The socket of the operator's commands, mode 0600. */
  readonly control: string
  /** The socket of /metrics, unless the configuration names another place. */
  readonly metrics: string
}

const KEY_BYTES = 32

export function relayDir(path: string): RelayDir {
  const at = (name: string): string => join(path, name)
  return {
    path,
    key: at('relay.key'),
    tokens: at('tokens'),
    control: at('control.sock'),
    metrics: at('metrics.sock'),
  }
}

/** The data directory: of --dir, of the service manager, or of this user. */
export function resolveRelayDir(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): RelayDir {
  if (given !== undefined) return relayDir(resolve(given))
  // A unit with StateDirectory=; several directories are separated by colons.
  const [managed = ''] = (env['STATE_DIRECTORY'] ?? '').split(':')
  // With DynamicUser= it is a link of the service manager into /var/lib/private, which only root reaches. The store refuses links of others.
  if (isAbsolute(managed)) return relayDir(existsSync(managed) ? realpathSync(managed) : managed)
  const state = env['XDG_STATE_HOME']
  const base = state !== undefined && isAbsolute(state) ? state : join(homedir(), '.local', 'state')
  return relayDir(join(base, 'persona-relay'))
}

/**
 * Reads the relay's key, or makes one. Whoever has it can read every box here, but no message: those are sealed.
 * @throws {StoreError} the codes of readSecretsFile; {DurableError} if it cannot be written
 */
export async function openRelayKey(
  { key: path }: RelayDir,
  random: (bytes: number) => Uint8Array,
): Promise<Uint8Array> {
  const found = await readSecretsFile(path)
  // A cut file would make answers that nobody can give; a new key only costs the questions of a minute.
  if (found?.length === KEY_BYTES) return found
  const key = random(KEY_BYTES)
  await writeSecretsFile(path, key)
  return key
}
