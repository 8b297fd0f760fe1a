/** The command `serve`: a relay as a process, from its start to its end. */
import { randomBytes } from 'node:crypto'
import process from 'node:process'
import { formatBase64url } from '../../core/encoding/bytes.ts'
import { openLog, type Log } from '../../process/log.ts'
import { openNotifier } from '../../process/service-manager.ts'
import { superviseProcess } from '../../process/supervise.ts'
import { ownVersion } from '../../process/version.ts'
import { formatBoxKey } from '../../seal/box-key.ts'
import { generateBoxKeyPair } from '../../seal/key-pair.ts'
import { startRelay, type Relay } from './relay.ts'
import { readRelayConfig, restartKeys, type RelayConfig } from './relay-config.ts'
import type { RelayDir } from './relay-dir.ts'

export interface ServeOptions {
  readonly config: string | undefined
}

/** Resolves once the relay answers; signals end it. */
export async function serve({ config: configFile }: ServeOptions, dir: RelayDir): Promise<void> {
  // LevelDB leaves the modes of its files to the umask.
  process.umask(0o077)
  const log = openLog({ level: 'info' })
  const supervisor = superviseProcess({ log, name: 'relay' })
  const isService = process.env['NOTIFY_SOCKET'] !== undefined
  try {
    const config = await readRelayConfig(configFile ?? null)
    log.setLevel(config.log.level)
    const notifier = await openNotifier({ env: process.env, log })
    const relay = await startRelay({ dir, config, log, failed: (error) => supervisor.fail(error) })
    const status = `serving ${relay.url}`
    notifier.startWatchdog(() => true)
    supervisor.serve(
      {
        notifier,
        stop: () => relay.stop(),
        // It has no key that a screen locker could lock.
        lock: () => {},
        reload: async () => {
          await reload(relay, config, configFile ?? null, log)
          return status
        },
      },
      status,
    )
    log.info('relay.ready', {
      message: 'ready',
      version: ownVersion(),
      pid: process.pid,
      url: relay.url,
      data: dir.path,
    })
    if (!isService) console.log(await greeting(relay.url, dir))
  } catch (error) {
    supervisor.fail(error)
  }
}

async function reload(relay: Relay, running: RelayConfig, configFile: string | null, log: Log): Promise<void> {
  const read = await readRelayConfig(configFile)
  await relay.reload(read)
  log.setLevel(read.log.level)
  const waiting = restartKeys(running, read)
  if (waiting.length > 0)
    log.warn('config.restart', { message: 'some keys take effect at the next start', keys: waiting.join(' ') })
  log.info('config.reloaded', { message: 'read the configuration and the certificate files again' })
}

/** A line to try: a box of a new key, which ends by itself after an hour. */
async function greeting(url: string, dir: RelayDir): Promise<string> {
  const pub = formatBoxKey((await generateBoxKeyPair('x25519')).key)
  const body = { pub, ext: null, action: 'send', data: formatBase64url(randomBytes(24)) }
  return `persona-relay serves ${url}/ and keeps its data in ${dir.path}. Try it:
  curl ${url}/ -d '${JSON.stringify(body)}'
  curl ${url}/info`
}
