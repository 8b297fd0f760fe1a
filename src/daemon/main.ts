/** The daemon `personad`: puts store, keeper and sockets together, in the order in which each may rely on the one before. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { loadEngine } from '../crypto/load.ts'
import type { CryptoEngine } from '../crypto/engine.ts'
import { removeLeftovers } from '../durable/file.ts'
import { METHODS } from '../ipc/methods.ts'
import type { Log as IpcLog } from '../ipc/dispatch.ts'
import { resolvePaths, type Paths } from '../ipc/paths.ts'
import { serve, type IpcServer } from '../ipc/server.ts'
import type { DaemonEvent } from '../ipc/events.ts'
import { finishErasing } from '../store/erase.ts'
import { openLevelStore } from '../store/level-store.ts'
import { lockStateDir, type StateLock } from '../store/lock.ts'
import { SCHEMA } from '../store/migrations.ts'
import { createStateDir, type StatePaths } from '../store/state-dir.ts'
import type { Store } from '../store/store.ts'
import { mergeReloaded, readConfig, type Config } from './config.ts'
import { Custody } from './custody.ts'
import { forbidCoreDumps } from './core-dumps.ts'
import { readCredential } from './credential.ts'
import { describeError } from './describe-error.ts'
import { toxHandlers } from './handlers-tox.ts'
import type { Live } from './live.ts'
import { toRpcError } from './errors.ts'
import { doctorHandlers } from './handlers-doctor.ts'
import { endErasing, eraseHandlers } from './handlers-erase.ts'
import { Keeper } from './keeper.ts'
import { EXIT_FAILED, EXIT_STOPPED, superviseProcess, type Supervisor } from './lifecycle.ts'
import { openLog, type Log } from './log.ts'
import { openNotifier } from './notify.ts'
import { readPlace } from './place.ts'
import { Profiles, type ProfilesConfig } from './profiles.ts'
import { scheduleLock } from './lock-timer.ts'
import type { OpenLimits } from './open-time.ts'
import { scheduleAlarms } from './alarm-timer.ts'
import { unsignedReminder } from './reminder.ts'
import { scheduleResign } from './resign-timer.ts'
import type { About } from './status.ts'
import { readToxPassphrase } from './tox-passphrase.ts'
import { unblockSigusr1 } from './unblock.ts'
import { expandHome, watchedPlaces } from './watched-places.ts'

const USAGE = `usage: personad [--home DIR] [--config FILE]

The local daemon that keeps personas. It stays in the foreground, logs to stderr, and ends at SIGTERM or Ctrl-C.
  --home DIR     keep state/, config/ and run/ below DIR (also PERSONAD_HOME)
  --config FILE  read this configuration
  --version      print the version
  --help         print this`

const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version
// A checkout has no `persona` on the PATH; without "--" npx would take --help and --json for its own.
const COMMAND_LINE = import.meta.url.endsWith('.ts') ? 'npx --no -- persona' : 'persona'
const nowSec = (): number => Math.floor(Date.now() / 1000)
const delay = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000))

interface Arguments {
  readonly home: string | undefined
  readonly config: string | undefined
}

/** @returns null when the arguments ask for a text only, or are wrong: that is already said */
function readArguments(): Arguments | null {
  const flag = { type: 'boolean' } as const
  try {
    const options = { home: { type: 'string' }, config: { type: 'string' }, version: flag, help: flag } as const
    const { values } = parseArgs({ options })
    if (values.help !== true && values.version !== true) return { home: values.home, config: values.config }
    console.log(values.help === true ? USAGE : `personad ${VERSION}`)
  } catch (error) {
    console.error(`personad: error: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exitCode = 2
  }
  return null
}

/** What runs, and in which order it came to be. */
interface Daemon {
  readonly lock: StateLock
  readonly store: Store
  readonly keeper: Keeper
  readonly profiles: Profiles
  readonly live: Live | null
  /** Why a crash could write a core dump. */
  readonly coreDumps: readonly string[]
  readonly servers: readonly IpcServer[]
  readonly stopTimers: readonly (() => void)[]
  config: Config
  /** The state directory is being erased, and is empty once the daemon has stopped. */
  isErasing: boolean
}

async function main(): Promise<void> {
  const args = readArguments()
  if (args === null) return
  const log = openLog({ level: 'info' })
  const supervisor = superviseProcess({ log })
  try {
    await unblockSigusr1({ log })
    const paths = resolvePaths({ home: args.home, env: process.env })
    const configFile = args.config ?? paths.configFile
    const config = await readConfig(configFile, args.config !== undefined)
    log.setLevel(config.logLevel)
    const notifier = await openNotifier({ env: process.env, log })
    const daemon = await start(paths, configFile, config, log, supervisor)
    notifier.startWatchdog(() => true)
    supervisor.serve(
      {
        notifier,
        stop: () => stop(daemon, paths),
        lock: () => daemon.keeper.custody.lock('signal'),
        reload: () => reload(daemon, paths, configFile, args.config !== undefined, log),
      },
      statusLine(paths),
    )
    greet(daemon, paths, log)
  } catch (error) {
    supervisor.fail(error)
  }
}

async function start(
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
  let live: Live | null = null
  const startedAtSec = nowSec()
  const home = {
    stateDir: paths.stateDir,
    appSocket: paths.appSocket,
    adminSocket: paths.adminSocket,
    configFile: configFile,
  }
  const keeper = await Keeper.open({
    store,
    custody,
    engine,
    nowSec,
    place: await readPlace(lock.paths),
    publish: (event: DaemonEvent) => {
      // Asked again at each event: who was revoked is told nothing more.
      for (const server of servers)
        server.publish(event, (caller) => keeper.apps.may(caller, 'read', daemon.config.defaultCapabilities))
      if (event.event === 'own.changed') profiles?.ownChanged()
      live?.told(event)
    },
    // A reload takes effect at once; `daemon` is there before anybody is met.
    defaultPolicy: () => daemon.config.defaultPolicy,
    onStoreFailure: (error) => {
      log.error('store.failed', describeError(error))
      supervisor.stop('store.failed', EXIT_FAILED)
    },
    about: () => ({
      version: VERSION,
      pid: process.pid,
      startedAtSec,
      home,
      connections: servers.reduce((sum, server) => sum + server.connections(), 0),
      storeKind: 'leveldb',
      storeSchema: SCHEMA,
      ...summaryOf(profiles, live, coreDumps),
    }),
  })
  profiles = new Profiles({ keeper, engine, nowSec, log })
  live = await openLive(config, keeper, lock.paths.companion, log)
  const daemon: Daemon = {
    lock,
    store,
    keeper,
    profiles,
    live,
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
  live?.start()
  return daemon
}

async function openCustody(paths: StatePaths, engine: CryptoEngine, config: Config): Promise<Custody> {
  const credential = await readCredential(process.env, engine)
  try {
    const custody = await Custody.open(paths, engine, { delay, credential })
    custody.limitOpenTime(openLimits(config))
    return custody
  } finally {
    if (credential !== null) engine.wipe(credential)
  }
}

function summaryOf(
  profiles: Profiles | null,
  live: Live | null,
  notices: readonly string[],
): Pick<About, 'profiles' | 'tox' | 'notices'> {
  const summary = profiles?.summary() ?? { profiles: { watched: 0, older: 0 }, notices: [] }
  const all = [...notices, ...summary.notices, ...(live?.notices() ?? [])]
  return { ...summary, tox: live?.status() ?? null, notices: all }
}

function openLimits(config: Config): OpenLimits {
  return { idleSec: config.custodyIdleSec, atMostSec: config.custodyAtMostSec }
}

/** The code of the companion is not even loaded where there is none. */
async function openLive(config: Config, keeper: Keeper, keyFile: string, log: Log): Promise<Live | null> {
  if (!config.toxEnabled) return null
  const { Live } = await import('./live.ts')
  const machineId = await readFile('/etc/machine-id', 'utf8').catch(() => null)
  const { env } = process
  const file = config.toxBootstrapFile === null ? null : expandHome(config.toxBootstrapFile, env)
  return await Live.open({ keeper, config: { ...config, toxBootstrapFile: file }, keyFile, machineId, log })
}

function profilesConfig(config: Config): ProfilesConfig {
  const { env } = process
  const file = config.watchPassphraseFile === null ? null : expandHome(config.watchPassphraseFile, env)
  return {
    places: watchedPlaces(config.watchProfiles, env),
    repair: config.watchRepair,
    passphraseFile: file,
    passphrase: () => readToxPassphrase(file, env),
  }
}

async function openEngine(config: Config, log: Log): Promise<CryptoEngine> {
  const prefer = config.engine === 'auto' ? undefined : config.engine
  return await loadEngine(prefer, (reason) => {
    log.warn('engine.portable', {
      ...describeError(reason),
      message: 'libsodium does not load; secrets are in plain memory',
    })
  })
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
      ...daemon.keeper.handlers(),
      ...daemon.profiles.handlers(),
      ...doctorHandlers(daemon.keeper, daemon.profiles, daemon.coreDumps),
      ...toxHandlers(daemon.live),
      ...eraseHandlers(daemon.keeper, daemon.lock.paths, () => {
        daemon.isErasing = true
        supervisor.stop('persona.erased', EXIT_STOPPED)
      }),
    },
    // Read at each call, so that a reload takes effect for those who are connected.
    authorize: (caller, permission) => daemon.keeper.apps.may(caller, permission, daemon.config.defaultCapabilities),
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
async function stop(daemon: Daemon, paths: Paths): Promise<void> {
  for (const stopTimer of daemon.stopTimers) stopTimer()
  await daemon.live?.stop()
  await daemon.profiles.stop()
  await Promise.all(daemon.servers.map((server) => server.close()))
  daemon.keeper.close()
  await daemon.store.close()
  await (daemon.isErasing ? endErasing(daemon.lock, paths) : daemon.lock.release())
}

async function reload(daemon: Daemon, paths: Paths, configFile: string, isNamed: boolean, log: Log): Promise<string> {
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

function statusLine(paths: Paths): string {
  return `serving ${paths.appSocket}`
}

function greet(daemon: Daemon, paths: Paths, log: Log): void {
  log.info('daemon.ready', {
    message: 'ready',
    version: VERSION,
    pid: process.pid,
    store: paths.stateDir,
    appSocket: paths.appSocket,
    adminSocket: paths.adminSocket,
  })
  if (daemon.keeper.hasPersona) return
  log.info('persona.none', {
    message: `there is no persona yet; make one, in another terminal, with: ${COMMAND_LINE} init --device NAME --tox-profile FILE`,
  })
}

await main()
