/** A running relay: store, boxes, server, and the operator's sockets, put together in the order in which they need each other. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { formatHostPort } from '../../core/encoding/host-port.ts'
import { PersonadError } from '../../errors/personad-error.ts'
import { describeError, isOwnError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import { systemClock } from '../../process/pulse.ts'
import { ownVersion } from '../../process/version.ts'
import { loadEngine } from '../../crypto/load.ts'
import { Boxes } from '../boxes/boxes.ts'
import { Cards } from '../cards/cards.ts'
import { Devices } from '../cards/devices.ts'
import type { About } from '../http/about.ts'
import { Callers } from '../http/callers.ts'
import { listenHttp, type Listener, type TlsFiles } from '../http/listener.ts'
import { RelayServer } from '../http/relay-server.ts'
import { Inboxes } from '../inbox/inboxes.ts'
import { Objects } from '../objects/objects.ts'
import { Personas } from '../personas/personas.ts'
import { DatabaseError } from '../postgres/errors.ts'
import { StoreError } from '../../store/errors.ts'
import type { RelayStore } from '../store/relay-store.ts'
import { expireInSlices, sweepDaily } from './expiry.ts'
import { httpLimitsOf, relayLimitsOf } from './limits-config.ts'
import { figuresOf, formatMetrics, type Figures } from './metrics.ts'
import { operatorCalls } from './operator-calls.ts'
import { serveCalls, serveMetrics } from './operator-server.ts'
import type { RelayConfig } from './relay-config.ts'
import { openStore } from './open-store.ts'
import type { RelayDir } from './relay-dir.ts'
import { Tokens } from './tokens.ts'

export type StartErrorCode =
  | 'LISTEN_FAILED' // the address is taken, or not ours
  | 'TLS_UNUSABLE' // the certificate files cannot be read or used

export class StartError extends PersonadError<StartErrorCode> {
  override readonly name = 'StartError'
}

const BROKEN: ReadonlySet<string> = new Set(['STORE_CORRUPT', 'STORE_MISSING', 'STORE_LOST_WRITES'])

export interface RelayOptions {
  readonly dir: RelayDir
  readonly config: RelayConfig
  readonly log: Log
  /** The store has stopped: only another start helps. */
  readonly failed: (error: unknown) => void
}

export interface Relay {
  /** The URL under which clients call it. */
  readonly url: string
  /** Takes what a reload may change, and reads the certificate files again. @throws {StartError} TLS_UNUSABLE; then nothing changed */
  reload(config: RelayConfig): Promise<void>
  /** Answers what runs, ends the streams, and closes the store. */
  stop(): Promise<void>
}

/** These are closed at the end, the last opened first. */
type Closing = (() => Promise<unknown> | void)[]

/**
 * Starts a relay. When this resolves, it answers.
 * @throws {StoreError} the codes of openStore; {DatabaseError}; {TokenError} TOKENS_DAMAGED;
 *   {StartError} LISTEN_FAILED | TLS_UNUSABLE; {IpcError} the codes of serveCalls
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const closing: Closing = []
  try {
    return await open({ ...options, failed: (error) => options.failed(withHint(error)) }, closing)
  } catch (error) {
    await closeAll(closing)
    throw withHint(error)
  }
}

/** The store's own hints are for the owner of a persona. */
function withHint(error: unknown): unknown {
  if (!(error instanceof StoreError) || !BROKEN.has(error.code)) return error
  const hint = 'put a backup of the directory back, or move the directory away: the relay then begins empty'
  return new StoreError(error.code, error.message, { hint, cause: error })
}

async function open({ dir, config, log, failed }: RelayOptions, closing: Closing): Promise<Relay> {
  const limits = relayLimitsOf(config.limits, config.maxDiskBytes)
  const tls = await readTls(config)
  const opening = { dir, url: config.store, limits, nowUs: nowUs(), random: randomBytes }
  const { store, files, key, comingUs, keyOfDay } = await openStore(opening, closing)
  const tokens = await Tokens.open(dir.tokens)
  const engine = await loadEngine()
  const listener = await listenHttp({ ...config.listen, http: httpLimitsOf(config.limits), tls }).catch(
    refuseListen(config),
  )
  // From here to the server no await: its handlers have to be there before the first request.
  let about: About = {
    version: ownVersion(),
    url: config.url ?? urlOf(listener, config),
    operator: config.operator,
    terms: config.terms,
    senders: config.senders,
    limits,
  }
  const boxes = new Boxes({
    store,
    origin: new URL(about.url).origin,
    key,
    tokens: config.senders === 'token' ? (): readonly string[] => tokens.texts : null,
    limits,
    nowUs,
    random: randomBytes,
  })
  closing.push(() => boxes.close())
  let { personas } = config
  const cards = new Cards({
    store,
    engine,
    url: about.url,
    tokens: () => tokens.texts,
    personas: () => personas,
    limits,
    nowUs,
  })
  const devices = new Devices({ store, engine, url: about.url, nowUs })
  const inboxes = new Inboxes({ store, devices, engine, limits, nowUs })
  closing.push(() => inboxes.close())
  const objects = new Objects({ store, files, comingUs, devices, engine, personas: () => personas, limits, nowUs })
  const known = new Personas({ store, objects, devices, engine, limits, nowUs })
  let isHealthy = true
  const server = new RelayServer(listener, {
    boxes,
    cards,
    inboxes,
    objects,
    personas: known,
    callers: new Callers({
      trustProxy: config.trustProxy,
      nowMs: Date.now,
      ...(keyOfDay === undefined ? {} : { keyOfDay }),
    }),
    limits,
    http: httpLimitsOf(config.limits),
    about: () => about,
    isHealthy: () => isHealthy,
    clock: systemClock,
    onError: (error) => {
      log.error('relay.request-failed', describeError(withHint(error)))
      // After an error of its files the content of the store is unknown. The next start checks and repairs it.
      if (!(error instanceof StoreError)) return
      isHealthy = false
      failed(error)
    },
  })
  closing.push(() => server.close())
  const roundFailed = (error: unknown): boolean => {
    const isPassing = error instanceof DatabaseError
    if (isPassing) log.warn('relay.database', describeError(error))
    else failed(error)
    return isPassing
  }
  for (const kept of [store, objects]) {
    const expiry = expireInSlices(kept, nowUs, systemClock, roundFailed)
    closing.push(() => expiry.stop())
  }
  const sweep = sweepDaily(
    objects,
    systemClock,
    (count) => log.info('relay.swept', { message: 'removed files of objects that nothing counted', count }),
    roundFailed,
  )
  closing.push(() => sweep.stop())
  await serveOperator({ dir, config, store, objects, personas: known, tokens, server }, closing)
  return {
    url: about.url,
    reload: async (read) => {
      const files = await readTls(config)
      if (files !== undefined) server.setTls(files)
      about = { ...about, operator: read.operator, terms: read.terms }
      ;({ personas } = read)
    },
    stop: () => closeAll(closing),
  }
}

interface Operated {
  readonly dir: RelayDir
  readonly config: RelayConfig
  readonly store: RelayStore
  readonly objects: Objects
  readonly personas: Personas
  readonly tokens: Tokens
  readonly server: RelayServer
}

async function serveOperator(
  { dir, config, store, objects, personas, tokens, server }: Operated,
  closing: Closing,
): Promise<void> {
  const startedAtMs = systemClock.nowMs()
  const figures = (): Promise<Figures> =>
    figuresOf({
      store,
      server,
      objects,
      version: ownVersion(),
      startedAtMs,
      nowMs: systemClock.nowMs(),
      maxBytes: config.maxDiskBytes,
      keptIn: config.store === null ? 'directory' : 'database',
    })
  const calls = operatorCalls({
    store,
    personas,
    tokens,
    figures,
    nowSec: () => Math.floor(Date.now() / 1000),
    random: randomBytes,
  })
  const control = await serveCalls(dir.control, calls)
  closing.push(() => control.close())
  const where = config.metrics ?? dir.metrics
  const metrics = await serveMetrics(where, async () => formatMetrics(await figures(), server.counters.all())).catch(
    refuseListen({ ...config, listen: typeof where === 'string' ? config.listen : where }),
  )
  closing.push(() => metrics.close())
}

/** Microseconds since 1970. */
function nowUs(): number {
  return Date.now() * 1000
}

function urlOf({ port, isTls }: Listener, { listen }: RelayConfig): string {
  return `${isTls ? 'https' : 'http'}://${formatHostPort({ ...listen, port })}`
}

/** @throws {StartError} TLS_UNUSABLE */
async function readTls({ tls: { cert, key } }: RelayConfig): Promise<TlsFiles | undefined> {
  if (cert === null || key === null) return undefined
  try {
    const files = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
    // Checks that they fit together before a running server takes them.
    createSecureContext(files)
    return files
  } catch (cause) {
    const message = `the certificate ${cert} and its key ${key} cannot be used; check that both are PEM files that this user may read, and that they belong together`
    throw new StartError('TLS_UNUSABLE', message, { cause })
  }
}

function refuseListen({ listen }: Pick<RelayConfig, 'listen'>): (cause: unknown) => never {
  return (cause) => {
    if (isOwnError(cause)) throw cause
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an unknown error'
    const message = `cannot listen on ${formatHostPort(listen)} (${code}): stop what uses it, or name another address with "listen" in the configuration`
    throw new StartError('LISTEN_FAILED', message, { cause })
  }
}

async function closeAll(closing: Closing): Promise<void> {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close()
}
