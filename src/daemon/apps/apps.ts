/** Local apps: which app uses a connection, what it may do, and its quotas (docs/ipc.md, section 3, apps). */
import { AppError } from './errors.ts'
import { spokenName } from './names.ts'
import { APPS_BY_HAND } from '../../core/encoding/app-name.ts'
import { encodeUtf8, equalBytes, formatBase64url, formatHex, parseHex } from '../../core/encoding/bytes.ts'
import { LABEL_APP } from '../../core/labels.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { CLOCK, type AppRecord } from '../state/local-records.ts'
import type { Records } from '../state/records.ts'
import { ANONYMOUS_SOURCE, OWNER_SOURCE, sourceOfApp } from '../state/sources.ts'
import type { Caller, Permission } from '../../ipc/methods/method.ts'
import type { App } from '../../ipc/shapes/apps.ts'
import type { Capability } from '../../ipc/shapes/capabilities.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import { PROTOCOL, type Protocol } from '../../ipc/methods/all-methods.ts'
import { Quota } from '../../process/quota.ts'

const TOKEN_BYTES = 32 // sanity: nobody guesses 256 bits, so a plain hash on disk is enough

const HASH_BYTES = 32

const MAX_NAMESAKES = 32 // sanity: each was accepted by the owner, or waits for the owner with at most 15 others

// A client that starts reports all its friends at once, and later only changes.
const OBSERVATIONS = { burst: 2000, perSec: 10 } as const // sanity: for each app

const REQUESTS = { burst: 8, perSec: 1 / 3600 } as const // sanity: each one is kept in the history, and displaces its oldest entry

const NEW_DEVICES = { burst: 2000, perSec: 1 / 60 } as const // sanity: keys never seen before, each of which makes an entry; some 1400 a day

/** The connections that have given a token, and their quotas. Held in memory only. */
export class Apps {
  readonly #onDisk: Records
  readonly #protocol: Pick<Protocol, 'capabilities' | 'eventPermissions'>
  readonly #defaults: () => readonly Permission[]
  readonly #engine: CryptoEngine
  readonly #nowSec: () => number
  readonly #names = new WeakMap<Caller, { readonly name: string; readonly tokenHash: string }>()
  readonly #observations: Quota
  readonly #newDevices: Quota
  readonly #requests: Quota

  /**
   * @param protocol its capabilities, in the order in which they are always shown, and the permissions of its events
   * @param defaults the permissions of every app
   */
  constructor(
    onDisk: Records,
    engine: CryptoEngine,
    nowSec: () => number,
    protocol: Pick<Protocol, 'capabilities' | 'eventPermissions'> = PROTOCOL,
    defaults: () => readonly Permission[] = () => ['read'],
  ) {
    this.#protocol = protocol
    this.#defaults = defaults
    this.#onDisk = onDisk
    this.#engine = engine
    this.#nowSec = nowSec
    this.#observations = new Quota(OBSERVATIONS, nowSec)
    this.#newDevices = new Quota(NEW_DEVICES, nowSec)
    this.#requests = new Quota(REQUESTS, nowSec)
  }

  /** Makes a new token for an app, to be shown once, and the hash to keep. */
  newToken(name: string): { token: string; tokenHash: string } {
    const secret = formatBase64url(this.#engine.randomBytes(TOKEN_BYTES))
    const token = `${name}.${secret}`
    return { token, tokenHash: formatHex(this.#hash(token)) }
  }

  #hash(token: string): Uint8Array {
    return this.#engine.sha512(LABEL_APP, encodeUtf8(token)).subarray(0, HASH_BYTES)
  }

  /**
   * Checks a token. From now on the connection belongs to its app.
   * @throws {AppError} APP_TOKEN_UNKNOWN | APP_EXPIRED | APP_PENDING
   */
  greet(caller: Caller, token: string): AppRecord {
    const app = this.#withToken(token)
    if (app === null || app.revoking) {
      throw new AppError('APP_TOKEN_UNKNOWN', 'no app has this token', 'ask the owner for a token')
    }
    if (isExpired(app, this.#latestSec())) {
      throw new AppError('APP_EXPIRED', `the token of ${app.name} has expired`, 'ask the owner for a new one')
    }
    if (app.can.length === 0) {
      throw new AppError('APP_PENDING', `the owner has not accepted ${app.name} yet`, 'wait for the answer')
    }
    this.#names.set(caller, { name: app.name, tokenHash: app.tokenHash })
    return app
  }

  /** A token holds the name that the app asked for, up to its last dot; other apps may have asked for the same name. */
  #withToken(token: string): AppRecord | null {
    const hash = this.#hash(token)
    for (const name of namesLike(token.slice(0, Math.max(0, token.lastIndexOf('.'))))) {
      const app = this.#onDisk.apps.get(name)
      if (app !== undefined && equalBytes(parseHex(app.tokenHash) ?? new Uint8Array(), hash)) return app
    }
    return null
  }

  /** The app of a connection, with its present capabilities; null if the connection has no valid token. */
  of(caller: Caller): AppRecord | null {
    const known = this.#names.get(caller)
    const app = known === undefined ? undefined : this.#onDisk.apps.get(known.name)
    return app === undefined || app.tokenHash !== known?.tokenHash || !this.#stands(app) ? null : app
  }

  /** The name under which the app of a connection speaks to the apps of others; null if it has none. */
  spokenNameOf(caller: Caller): string | null {
    const app = this.of(caller)
    return app === null ? null : spokenName(app, this.#onDisk)
  }

  /** Whether an app speaks to others under a name, and has a permission now. The owner's own apps have all. */
  mayAs(name: string, permission: Permission): boolean {
    if (APPS_BY_HAND.includes(name)) return true
    const record = this.#onDisk.appNames.get(name)
    // An earlier version recorded no names.
    const holder = record === undefined ? name : record.holder
    const app = holder === null ? undefined : this.#onDisk.apps.get(holder)
    return app !== undefined && this.#mayNow(app, permission) && spokenName(app, this.#onDisk) === name
  }

  /** The names of apps for which {@link mayAs} holds, in their order. */
  async namesWith(permission: Permission): Promise<string[]> {
    const names = [...APPS_BY_HAND]
    for await (const [, app] of this.#onDisk.apps.iterate()) {
      const name = this.#mayNow(app, permission) ? spokenName(app, this.#onDisk) : null
      if (name !== null) names.push(name)
    }
    return names.toSorted()
  }

  #mayNow(app: AppRecord, permission: Permission): boolean {
    // One that only asks has no capability.
    if (app.can.length === 0 || !this.#stands(app)) return false
    return [...app.can, ...this.#defaults()].includes(permission)
  }

  #stands(app: AppRecord): boolean {
    return !app.revoking && !isExpired(app, this.#latestSec())
  }

  /** The latest time that this daemon knows: a token that has expired stays so when the clock is set back. */
  #latestSec(): number {
    return Math.max(this.#nowSec(), this.#onDisk.clock.get(CLOCK)?.lastSec ?? 0)
  }

  /** The union of both, each capability once, always in the same order. */
  unite(a: readonly Capability[], b: readonly Capability[]): Capability[] {
    return this.#protocol.capabilities.filter((capability) => a.includes(capability) || b.includes(capability))
  }

  /** @param defaults the permissions of every app */
  may(caller: Caller, permission: Permission, defaults: readonly Permission[]): boolean {
    if (caller.role === 'admin' || permission === 'open' || defaults.includes(permission)) return true
    return this.of(caller)?.can.some((granted) => granted === permission) === true
  }

  /** The permissions of every app. */
  get defaults(): readonly Permission[] {
    return this.#defaults()
  }

  /** Whether a caller may read now. */
  mayRead(caller: Caller): boolean {
    return this.may(caller, 'read', this.#defaults())
  }

  /** Whether a caller may receive some events of this name: all of them, or only those about itself. */
  mayAsk(caller: Caller, event: string): boolean {
    const permission = event === 'app.changed' ? 'read' : (this.#protocol.eventPermissions.get(event) ?? 'admin')
    return this.may(caller, permission, this.#defaults())
  }

  /** Whether a caller may receive an event now. Ask at each event: an app can be revoked at any time. */
  mayHear(caller: Caller, message: DaemonEvent): boolean {
    if (!this.mayAsk(caller, message.event)) return false
    // An event that names an app is for this app and the owner.
    if (!('app' in message.data) || caller.role === 'admin') return true
    const name = message.event === 'app.changed' ? this.of(caller)?.name : this.spokenNameOf(caller)
    return name === message.data.app
  }

  /** The source of a caller's observations. A later revocation drops the observations of that source. */
  sourceOf(caller: Caller): string {
    if (caller.role === 'admin') return OWNER_SOURCE
    const app = this.of(caller)
    return app === null ? ANONYMOUS_SOURCE : sourceOfApp(app.name)
  }

  /**
   * Counts an observation of an app. A refused one counts toward neither quota. Otherwise an app with many new friends would use up its
   * quota for known ones, and the reverse.
   * @throws {AppError} QUOTA_EXCEEDED
   */
  chargeObservation(caller: Caller, key: string): void {
    if (caller.role === 'admin') return
    const source = this.sourceOf(caller)
    const isNew = this.#onDisk.devices.get(key) === undefined
    const waitSec = this.#observations.waitSec(source)
    if (waitSec > 0) throw quotaExceeded(`${source} has reported too many observations`, waitSec)
    const newSec = isNew ? this.#newDevices.waitSec(source) : 0
    if (newSec > 0) throw quotaExceeded(`${source} has reported too many new devices`, newSec)
    this.#observations.spend(source)
    if (isNew) this.#newDevices.spend(source)
  }

  /** Counts a request of an app that has a token. @throws {AppError} QUOTA_EXCEEDED */
  chargeRequest(name: string): void {
    const waitSec = this.#requests.waitSec(name)
    if (waitSec > 0) throw quotaExceeded(`${name} has made too many requests`, waitSec)
    this.#requests.spend(name)
  }
}

/** The names that apps can have that asked for this one, in order: `bot`, `bot#2`, `bot#3`. */
export function namesLike(name: string): string[] {
  return Array.from({ length: MAX_NAMESAKES }, (_, i) => (i === 0 ? name : `${name}#${i + 1}`))
}

/** Whether an app's token has expired. */
export function isExpired({ expiresAtSec }: AppRecord, nowSec: number): boolean {
  return expiresAtSec !== null && expiresAtSec <= nowSec
}

function quotaExceeded(message: string, waitSec: number): AppError {
  return new AppError('QUOTA_EXCEEDED', message, `try again in ${waitSec} s`, { retryAfterSec: waitSec })
}

/** Shows an app to the owner. */
export function appView({ name, can, createdSec, expiresAtSec, usedAtSec, asks }: AppRecord): App {
  const wish = asks === null ? null : { can: [...asks.can], why: asks.why, atSec: asks.atSec }
  return { name, can: [...can], createdSec, expiresAtSec, usedAtSec, asks: wish }
}
