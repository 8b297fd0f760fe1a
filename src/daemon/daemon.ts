/** The daemon as it runs: store, keeper and sockets, put together in the order in which each may rely on the one before, and taken apart. */
import { METHODS } from '../ipc/methods/table.ts'
import type { Log as IpcLog } from '../ipc/server/dispatch.ts'
import type { DaemonEvent } from '../ipc/shapes/events.ts'
import type { Paths } from '../ipc/paths.ts'
import { serve, type IpcServer } from '../ipc/server/server.ts'
import { removeLeftovers } from '../durable/file.ts'
import { finishErasing } from '../store/erase.ts'
import { openLevelStore } from '../store/level-store.ts'
import { lockStateDir, type StateLock } from '../store/lock.ts'
import { SCHEMA } from '../store/migrations.ts'
import { createStateDir } from '../store/state-dir.ts'
import type { Store } from '../store/store.ts'
import { scheduleAlarms } from './keeper/alarm-timer.ts'
import { mergeReloaded, readConfig, type Config } from './config.ts'
import { openCustody, openEngine, openLimits, openCompanion, profilesConfig } from './parts.ts'
import { forbidCoreDumps } from '../process/core-dumps.ts'
import { describeError } from '../process/describe-error.ts'
import { doctorHandlers } from './health/methods.ts'
import { endErasing, eraseHandlers } from './erase.ts'
import { toxHandlers } from './companion/methods.ts'
import type { Keeper } from './keeper/keeper.ts'
import { Apps } from './apps/sessions.ts'
import { keeperHandlers, type KeeperMethods } from './methods.ts'
import { openKeeper } from './open-keeper.ts'
import type { Handlers } from '../ipc/methods/method.ts'
import { EXIT_FAILED, EXIT_STOPPED, type Supervisor } from '../process/supervise.ts'
import type { Companion } from './companion/companion.ts'
import { scheduleLock } from './custody/lock-timer.ts'
import type { Log } from '../process/log.ts'
import { readPlace } from './keeper/copy-check.ts'
import { Profiles } from './profiles/profiles.ts'
import { unsignedReminder } from './keeper/reminder.ts'
import { scheduleResign } from './keeper/resign-timer.ts'
import type { About } from './health/status.ts'
import { ownVersion } from '../process/version.ts'
import { toRpcError } from './methods/errors.ts'

/** What runs, and in which order it came to be. */
export interface Daemon {
  readonly lock: StateLock
  readonly store: Store
  readonly keeper: Keeper
  readonly apps: Apps
  readonly handlers: Handlers<KeeperMethods>
  readonly about: () => About
  readonly profiles: Profiles
  readonly companion: Companion | null
  /** Why a crash could write a core dump. */
  readonly coreDumps: readonly string[]
  readonly servers: readonly IpcServer[]
  readonly stopTimers: readonly (() => void)[]
  config: Config
  /** The state directory is being erased, and is empty once the daemon has stopped. */
  isErasing: boolean
}

const nowSec = (): number => Math.floor(Date.now() / 1000)

/** Opens everything; when it returns, both sockets answer. @throws what a part refuses with; the process is to end then */
export async function startDaemon(
  paths: Paths,
  configFile: string,
  config: Config,
  log: Log,
  supervisor: Supervisor,
): Promise<Daemon> {
  const engine = await openEngine(config, log)
  await createStateDir(paths.stateDir)
  // The lock comes before everything that a second daemon could disturb, the sockets among it.
  const lock = await lockStateDir(paths.stateDir)
  if (await finishErasing(lock.paths)) log.warn('persona.erased', { message: 'an erasure that was cut short is done' })
  // What a killed writer left may hold a key that was erased since.
  await removeLeftovers(paths.stateDir)
  const store = await openLevelStore(lock)
  const coreDumps = await forbidCoreDumps({ log })
  const custody = await openCustody(lock.paths, engine, config)
  const servers: IpcServer[] = []
  let profiles: Profiles | null = null
  let companion: Companion | null = null
  const startedAtSec = nowSec()
  const version = ownVersion()
  const home = {
    stateDir: paths.stateDir,
    appSocket: paths.appSocket,
    adminSocket: paths.adminSocket,
    configFile: configFile,
  }
  const about = (): About => ({
    version,
    pid: process.pid,
    startedAtSec,
    home,
    connections: servers.reduce((sum, server) => sum + server.connections(), 0),
    storeKind: 'leveldb',
    storeSchema: SCHEMA,
    ...summaryOf(profiles, companion, coreDumps),
  })
  const publish = (event: DaemonEvent): void => {
    // Asked again at each event: who was revoked is told nothing more.
    for (const server of servers)
      server.publish(event, (caller) => daemon.apps.may(caller, 'read', daemon.config.defaultCapabilities))
    if (event.event === 'own.changed') profiles?.ownChanged()
    companion?.told(event)
  }
  const keeper = await openKeeper(
    {
      store,
      custody,
      engine,
      nowSec,
      publish,
      // A reload takes effect at once; `daemon` is there before anybody is met.
      defaultPolicy: () => daemon.config.defaultPolicy,
      onStoreFailure: (error) => {
        log.error('store.failed', describeError(error))
        supervisor.stop('store.failed', EXIT_FAILED)
      },
    },
    await readPlace(lock.paths),
  )
  const apps = new Apps(keeper.onDisk, engine, nowSec)
  profiles = new Profiles({ keeper, engine, nowSec, log })
  companion = await openCompanion(config, keeper, lock.paths.companion, log)
  const daemon: Daemon = {
    lock,
    store,
    keeper,
    apps,
    handlers: keeperHandlers(keeper, apps, about),
    about,
    profiles,
    companion,
    coreDumps,
    servers,
    stopTimers: [
      scheduleResign(keeper, nowSec, log, unsignedReminder(keeper)),
      scheduleLock(custody),
      scheduleAlarms(keeper, log),
    ],
    config,
    isErasing: false,
  }
  servers.push(await serveRole('app', daemon, paths.appSocket, log, supervisor))
  servers.push(await serveRole('admin', daemon, paths.adminSocket, log, supervisor))
  await profiles.configure(profilesConfig(config))
  companion?.start()
  return daemon
}

function summaryOf(
  profiles: Profiles | null,
  companion: Companion | null,
  notices: readonly string[],
): Pick<About, 'profiles' | 'tox' | 'notices'> {
  const summary = profiles?.summary() ?? { profiles: { watched: 0, older: 0 }, notices: [] }
  const all = [...notices, ...summary.notices, ...(companion?.notices() ?? [])]
  return { ...summary, tox: companion?.status() ?? null, notices: all }
}

async function serveRole(
  role: 'app' | 'admin',
  daemon: Daemon,
  socketPath: string,
  log: Log,
  supervisor: Supervisor,
): Promise<IpcServer> {
  return await serve({
    socketPath,
    role,
    methods: METHODS,
    handlers: {
      ...daemon.handlers,
      ...daemon.profiles.handlers(),
      ...doctorHandlers(daemon.keeper, daemon.profiles, daemon.coreDumps, daemon.about),
      ...toxHandlers(daemon.companion),
      ...eraseHandlers(daemon.keeper, daemon.lock.paths, () => {
        daemon.isErasing = true
        supervisor.stop('persona.erased', EXIT_STOPPED)
      }),
    },
    // Read at each call, so that a reload takes effect for those who are connected.
    authorize: (caller, permission) => daemon.apps.may(caller, permission, daemon.config.defaultCapabilities),
    toRpcError,
    limits: { maxConnections: daemon.config.maxConnections },
    log: ipcLog(log),
    onLost: (error) => {
      log.error('socket.lost', describeError(error))
      supervisor.stop('socket.lost', EXIT_FAILED)
    },
  })
}

function ipcLog(log: Log): IpcLog {
  return (level, message, fields = {}) => {
    const plain = Object.entries(fields).filter(([, value]) => typeof value !== 'object')
    log[level]('ipc', { message, ...Object.fromEntries(plain) })
  }
}

/** Answers what runs, closes the sockets, then the store, and gives the state directory free last. */
export async function stopDaemon(daemon: Daemon, paths: Paths): Promise<void> {
  for (const stopTimer of daemon.stopTimers) stopTimer()
  await daemon.companion?.stop()
  await daemon.profiles.stop()
  await Promise.all(daemon.servers.map((server) => server.close()))
  daemon.keeper.close()
  await daemon.store.close()
  await (daemon.isErasing ? endErasing(daemon.lock, paths) : daemon.lock.release())
}

/** Reads the configuration again. @returns what the service manager is told */
export async function reloadDaemon(
  daemon: Daemon,
  paths: Paths,
  configFile: string,
  isNamed: boolean,
  log: Log,
): Promise<string> {
  const { config, changed, needRestart } = mergeReloaded(daemon.config, await readConfig(configFile, isNamed))
  daemon.config = config
  log.setLevel(config.logLevel)
  daemon.keeper.custody.limitOpenTime(openLimits(config))
  if (changed.some((key) => key.startsWith('watch.'))) await daemon.profiles.configure(profilesConfig(config))
  log.info('config.reloaded', {
    message: 'configuration read again',
    changed: changed.join(' '),
    needRestart: needRestart.join(' '),
  })
  return statusLine(paths)
}

/** What the service manager shows. */
export function statusLine(paths: Paths): string {
  return `serving ${paths.appSocket}`
}
