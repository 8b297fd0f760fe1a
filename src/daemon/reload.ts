/** Reads the configuration of a running daemon again. */
import type { Paths } from '../ipc/paths.ts'
import type { Log } from '../process/log.ts'
import { configSections, mergeReloaded, readConfig } from './config.ts'
import type { Daemon } from './daemon.ts'
import { statusLine } from './full-disk.ts'

/** Reads the configuration again. @returns the status line for the service manager */
export async function reloadDaemon(
  daemon: Daemon,
  paths: Paths,
  configFile: string,
  isNamed: boolean,
  log: Log,
): Promise<string> {
  const sections = configSections(daemon.wings)
  const read = await readConfig(configFile, isNamed, sections)
  const { config, changed, needRestart } = mergeReloaded(daemon.config, read, sections)
  daemon.config = config
  log.setLevel(config.log.level)
  daemon.keeper.custody.limitOpenTime(config.custody)
  await daemon.sealed.key.choose(config.custody.apps)
  for (const [at, { section }] of daemon.wings.entries()) {
    if (section === null || !changed.some((key) => key.section === section.name)) continue
    await daemon.open[at]?.reload?.(config[section.name])
  }
  log.info('config.reloaded', {
    message: 'read the configuration again',
    changed: changed.map(({ path }) => path).join(' '),
    needRestart: needRestart.map(({ path }) => path).join(' '),
  })
  return statusLine(paths, daemon.fullDisk)
}
