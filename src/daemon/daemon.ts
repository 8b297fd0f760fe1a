/** Starts and stops the daemon: store, keeper, wings and sockets. Each part may rely on the parts opened before it. */
import type { Caller, Handlers } from '../ipc/methods/method.ts'
import type { EventName, DaemonEvent } from '../ipc/methods/events.ts'
import { protocolOf, type Methods } from '../ipc/methods/all-methods.ts'
import type { Paths } from '../ipc/paths.ts'
import { Room } from '../ipc/server/room.ts'
import type { IpcServer } from '../ipc/server/server.ts'
import { removeLeftovers } from '../durable/file.ts'
import { finishErasing } from '../store/erase.ts'
import { openLevelStore } from '../store/level-store.ts'
import { lockStateDir, type StateLock } from '../store/lock.ts'
import { SCHEMA } from '../store/migrations.ts'
import { keepReserve, RESERVE_BYTES } from '../store/room.ts'
import { createStateDir, statePaths } from '../store/state-dir.ts'
import { checkStateFiles } from '../store/state-files.ts'
import type { Store } from '../store/store.ts'
import { outsidePath } from '../store/witness.ts'
import { scheduleAlarms } from './keeper/alarm-timer.ts'
import { scheduleNoise } from './keeper/noise.ts'
import { APP_KEYS } from './cards/app-keys.ts'
import type { HeldCards } from './cards/held-cards.ts'
import { cardHooks } from './cards/hooks.ts'
import { CARD_KINDS } from './cards/kept/records.ts'
import { openCards } from './cards/relay-stores.ts'
import type { Config } from './config.ts'
import { openCustody, openEngine } from './parts.ts'
import { forbidCoreDumps } from '../process/core-dumps.ts'
import { describeError } from '../process/describe-error.ts'
import { checkCoreDumps } from './health/check-custody.ts'
import { doctorHandlers } from './health/methods.ts'
import { endErasing, eraseHandlers } from './erase.ts'
import type { Keeper } from './keeper/keeper.ts'
import { Apps } from './apps/apps.ts'
import { Sealed } from './sealed/sealed.ts'
import { keeperHandlers } from './methods.ts'
import { openKeeper } from './open-keeper.ts'
import { EXIT_FAILED, EXIT_REFUSED, EXIT_STOPPED, type Supervisor } from '../process/supervise.ts'
import { scheduleLock } from './custody/lock-timer.ts'
import type { Log } from '../process/log.ts'
import { isStateLost, watchState } from './state-watch.ts'
import { openAccess, type NetAccess } from './net/access.ts'
import { relayFindings } from './relays/findings.ts'
import { relayHandlers } from './relays/methods.ts'
import { OwnRelays, RELAYS, RELAY_TOKENS } from './relays/own-relays.ts'
import { FullDisk, isDiskFull, statusLine } from './full-disk.ts'
import { Place } from './keeper/copy-check.ts'
import { unsignedReminder } from './keeper/reminder.ts'
import { scheduleResign } from './keeper/resign-timer.ts'
import { farewellOf } from './rotation/leave.ts'
import type { About } from './health/status.ts'
import { statusOf } from './health/wings-status.ts'
import { ownVersion } from '../process/version.ts'
import { serveRole } from './serve-role.ts'
import { WINGS } from './wings.ts'
import { betweenWings } from './wing/between.ts'
import { callsOf } from './wing/owner-calls.ts'
import type { OpenWing, Wing } from './wing/wing.ts'

/** The running daemon, with its parts in the order in which they were opened. */
export interface Daemon {
  readonly lock: StateLock
  readonly store: Store
  readonly keeper: Keeper
  readonly place: Place
  readonly fullDisk: FullDisk
  readonly sealed: Sealed
  readonly cards: HeldCards
  readonly access: NetAccess
  readonly relays: OwnRelays
  readonly apps: Apps
  readonly wings: readonly Wing[]
  /** The opened wings, in the order of `wings`. */
  readonly open: readonly OpenWing[]
  readonly servers: readonly IpcServer[]
  readonly stopTimers: readonly (() => void)[]
  config: Config
  /** The state directory is being erased, and will be empty once the daemon has stopped. */
  isErasing: boolean
}

export interface DaemonOptions {
  readonly paths: Paths
  readonly configFile: string
  /** The configuration, read with the sections of these wings. */
  readonly config: Config
  readonly log: Log
  readonly supervisor: Pick<Supervisor, 'stop'>
  /** Shows a status line in the service manager. */
  readonly showStatus?: (status: string) => void
  readonly wings?: readonly Wing[]
}

const nowSec = (): number => Math.floor(Date.now() / 1000)

/** Closes the parts that are open, the last one first. */
type Closers = (() => Promise<void>)[]

/** Opens all parts. On return both sockets answer. @throws the error of the part that refuses; nothing is open then */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const closers: Closers = []
  try {
    return await openParts(options, closers)
  } catch (error) {
    for (const close of closers.toReversed())
      await close().catch((cause: unknown) => options.log.warn('start.undo', describeError(cause)))
    throw error
  }
}

async function openParts(
  { paths, configFile, config, log, supervisor, showStatus = () => {}, wings = WINGS }: DaemonOptions,
  closers: Closers,
): Promise<Daemon> {
  const startedAtSec = nowSec()
  const protocol = protocolOf(wings.map(({ schema }) => schema))
  const version = ownVersion()
  const engine = await openEngine(config, log)
  await createStateDir(paths.stateDir)
  await checkStateFiles(statePaths(paths.stateDir), process.getuid?.())
  // Lock first: two daemons must not share anything, not even the sockets.
  const lock = await lockStateDir(paths.stateDir)
  closers.push(() => lock.release())
  if (await finishErasing(lock.paths)) log.warn('persona.erased', { message: 'finished an interrupted erasure' })
  // A killed writer may have left files with a key that was erased since.
  await removeLeftovers(paths.stateDir)
  const store = await openLevelStore(lock)
  closers.push(() => store.close())
  const coreDumps = await forbidCoreDumps({ log })
  const custody = await openCustody(lock.paths, engine, config)
  closers.push(() => Promise.resolve(custody.close()))
  const place = new Place({ paths: lock.paths, outside: outsidePath(paths.runDir), log })
  const failed = (error: unknown): void => {
    log.error('store.failed', describeError(error))
    // An empty directory would become an empty store at the next start, so a person has to look first.
    supervisor.stop('store.failed', isStateLost(error) ? EXIT_REFUSED : EXIT_FAILED)
  }
  const watcher = watchState(paths.stateDir, failed)
  closers.push(() => Promise.resolve(watcher.close()))
  const fullDisk: FullDisk = new FullDisk({
    store,
    log,
    failed,
    show: () => showStatus(statusLine(paths, fullDisk)),
    keepRoom: () => keepReserve(lock.paths.reserve, RESERVE_BYTES),
  })
  const servers: IpcServer[] = []
  const open: OpenWing[] = []
  let noteForCards: (event: DaemonEvent) => void = () => {}
  const publish = (event: DaemonEvent): void => {
    // Check the permission again at each event: a revoked app must receive nothing more.
    for (const server of servers) server.publish(event, (caller) => daemon.apps.mayHear(caller, event))
    noteForCards(event)
    for (const wing of open) wing.onEvent?.(event)
    // During the start there is nothing to renew: openKeeper has just made the witness.
    if (event.event === 'own.changed' && servers.length > 0) void place.renew(daemon.keeper)
  }
  const hooks = cardHooks(engine)
  const keeper = await openKeeper(
    {
      ...hooks,
      store,
      custody,
      engine,
      nowSec,
      publish,
      // Read at each use, so that a reload takes effect at once. Nobody adds a contact before `daemon` exists.
      defaultPolicy: () => daemon.config.policy.default,
      events: protocol.events,
      kindsOfWings: [RELAYS, ...CARD_KINDS, ...wings.flatMap(({ kinds = [] }) => kinds)],
      onSpent: (key, state) => {
        for (const wing of wings) wing.onSpent?.(key, state)
      },
      onStoreFailure: (error) => {
        if (isDiskFull(error)) fullDisk.begin(error)
        else failed(error)
      },
    },
    place,
  )
  const kinds = [RELAY_TOKENS, APP_KEYS, ...wings.flatMap(({ sealedKinds = [] }) => sealedKinds)]
  const sealed = await Sealed.open({ keeper, paths: lock.paths, setting: config.custody.apps, log, kinds })
  closers.push(() => sealed.close())
  const access = await openAccess({ config: config.net, log, verify: engine.verify.bind(engine), env: process.env })
  closers.push(() => access.close())
  const relays = new OwnRelays({ keeper, sealed: sealed.records, access, config: config.net })
  const cards = openCards({ keeper, reader: hooks.reader, sealed: sealed.records, relays, log })
  closers.push(() => cards.close())
  noteForCards = (event) => cards.onEvent(event)
  const apps = new Apps(keeper.onDisk, engine, nowSec, protocol, () => daemon.config.apps.defaultCapabilities)
  const host = {
    keeper,
    paths: lock.paths,
    env: process.env,
    log,
    net: access.net,
    sealed: sealed.records,
    netConfig: config.net,
    rtc: () => access.rtc(),
    relays,
    cards,
    ...betweenWings(),
    speakers: apps,
    appOf: (caller: Caller) => apps.spokenNameOf(caller),
  }
  closers.push(async () => {
    for (const wing of open.toReversed()) await wing.close?.()
  })
  for (const wing of wings) open.push(await wing.open(host, wing.section === null ? null : config[wing.section.name]))
  const about = (): About => ({
    version,
    pid: process.pid,
    startedAtSec,
    home: { stateDir: paths.stateDir, appSocket: paths.appSocket, adminSocket: paths.adminSocket, configFile },
    connections: servers.reduce((sum, server) => sum + server.connections(), 0),
    storeKind: 'leveldb',
    storeSchema: SCHEMA,
    net: access.status(),
    ...statusOf(open, [
      ...fullDisk.findings(),
      ...checkCoreDumps(coreDumps),
      ...access.findings(),
      ...sealed.findings(),
      ...cards.findings(),
    ]),
  })
  const daemon: Daemon = {
    lock,
    store,
    keeper,
    place,
    fullDisk,
    sealed,
    cards,
    access,
    relays,
    apps,
    wings,
    open,
    servers,
    stopTimers: [
      scheduleResign(keeper, nowSec, log, unsignedReminder(keeper)),
      scheduleLock(custody),
      scheduleAlarms(keeper, log),
      scheduleNoise(keeper, log),
      sealed.start(),
      watcher.close,
    ],
    config,
    isErasing: false,
  }
  const farewell = farewellOf(open, cards)
  const stopErased = (): void => {
    daemon.isErasing = true
    supervisor.stop('persona.erased', EXIT_STOPPED)
  }
  const [ownRelays, ownCards] = [{ findings: () => relayFindings(relays) }, { findings: () => cards.checks() }]
  const handlers = {
    ...keeperHandlers(keeper, apps, about, [...protocol.events.keys()] as EventName[], sealed.arrived, farewell),
    ...doctorHandlers(keeper, [fullDisk, access, sealed, ownRelays, ownCards, ...open], coreDumps, about),
    ...relayHandlers(relays, sealed.records),
    ...cards.handlers(),
    ...eraseHandlers(keeper, sealed.key, lock.paths, stopErased, farewell),
    // The compiler checks each wing against the methods that it brings.
    ...(Object.assign({}, ...open.map((wing) => wing.handlers)) as object),
  } as Handlers<Methods>
  host.owner.call = callsOf(handlers)
  closers.push(async () => {
    for (const stopTimer of daemon.stopTimers) stopTimer()
    await Promise.all(servers.map((server) => server.close()))
    await Promise.all([fullDisk.close(), place.idle()])
  })
  const room = new Room()
  servers.push(await serveRole('app', daemon, protocol, handlers, paths.appSocket, room, log, supervisor))
  servers.push(await serveRole('admin', daemon, protocol, handlers, paths.adminSocket, room, log, supervisor))
  access.net?.start()
  await cards.start()
  for (const wing of open) await wing.start?.()
  return daemon
}

/** Finishes and answers the running calls, closes the sockets and the store, and releases the state directory last. */
export async function stopDaemon(daemon: Daemon, paths: Paths): Promise<void> {
  for (const stopTimer of daemon.stopTimers) stopTimer()
  for (const wing of daemon.open.toReversed()) await wing.close?.()
  await daemon.access.close()
  await Promise.all(daemon.servers.map((server) => server.close()))
  await daemon.fullDisk.close()
  await daemon.place.idle()
  await daemon.cards.close()
  await daemon.sealed.close()
  daemon.keeper.close()
  await daemon.store.close()
  await (daemon.isErasing ? endErasing(daemon.lock, paths) : daemon.lock.release())
}
