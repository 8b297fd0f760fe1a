/** The companion as a wing: the daemon's own Tox device (docs/tox.md). */
import { readFile } from 'node:fs/promises'
import * as schema from '../../ipc/methods/companion.ts'
import { expandHome } from '../../process/config-values.ts'
import type { Host, OpenWing, Wing } from '../wing/wing.ts'
import { checkCompanion } from './check.ts'
import { TOX_SECTION, type ToxConfig } from './config.ts'
import { PEERS } from './peers.ts'
import { toxHandlers } from './methods.ts'

export const COMPANION: Wing<schema.ToxMethods, ToxConfig> = {
  schema: schema.COMPANION,
  section: TOX_SECTION,
  kinds: [PEERS],
  open: openCompanion,
}

async function openCompanion(host: Host, config: ToxConfig): Promise<OpenWing<schema.ToxMethods, ToxConfig>> {
  if (!config.enabled) return { handlers: toxHandlers(null), status: () => ({ part: { tox: null } }) }
  const { keeper, paths, env, log } = host
  // Loaded only if the configuration has a companion.
  const { Companion } = await import('./companion.ts')
  const machineId = await readFile('/etc/machine-id', 'utf8').catch(() => null)
  const bootstrapFile = config.bootstrapFile === null ? null : expandHome(config.bootstrapFile, env)
  const companion = await Companion.open({
    keeper,
    config: { ...config, bootstrapFile },
    keyFile: paths.companion,
    machineId,
    log,
  })
  return {
    handlers: toxHandlers(companion),
    start: () => companion.start(),
    onEvent: (event) => companion.onEvent(event),
    status: () => ({ part: { tox: companion.status() }, findings: companion.findings() }),
    findings: () => checkCompanion(companion.status()),
    sees: (key) => companion.sees(key),
    close: () => companion.stop(),
  }
}
