/** The methods of local apps: requests, tokens, capabilities and revocation (docs/ipc.md, section 3, apps). */
import { KeeperError } from '../state/errors.ts'
import { AppError } from './errors.ts'
import type { Caller, Handlers, Permission } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import type { App, AppName, AppToken } from '../../ipc/shapes/apps.ts'
import type { Capability } from '../../ipc/shapes/capabilities.ts'
import { leaveSpokenName, namesOf, releaseName, withSpokenName } from './names.ts'
import { appView, isExpired, namesLike, type Apps } from './apps.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { tidyName } from '../state/name-form.ts'
import type { AppRecord } from '../state/local-records.ts'
import { dropReports } from '../contacts/revoke.ts'
import { Serial } from '../../process/serial.ts'
import { sourceOfApp } from '../state/sources.ts'

const MAX_ASKING = 16 // sanity: new apps that wait for the owner at a time; the owner should not have to read more
const ASKING_ENDS_AFTER_SEC = 7 * 86_400 // sanity: an owner who has not answered within a week does not want the app
const USED_EVERY_SEC = 3600 // sanity: one write an hour is enough to show which apps are in use

/** The capabilities that an app requests. */
interface Wish {
  readonly name: string
  readonly can: readonly Capability[]
  readonly why: string
}

/** The rights that the owner grants. */
interface Grant {
  readonly name: string
  readonly can: readonly Capability[]
  readonly forSec: number | null
  /** The name for the apps of others; null for its own. */
  readonly as: string | null
}

export type AppMethods = Pick<
  Methods,
  'app.hello' | 'app.request' | 'app.allow' | 'app.list' | 'app.accept' | 'app.reject' | 'app.revoke' | 'app.release'
>

export function appHandlers(keeper: Keeper, apps: Apps): Handlers<AppMethods> {
  // Serialized: otherwise many requests at once would all find the same place free.
  const requests = new Serial()
  return {
    'app.hello': async ({ token }, caller) => await hello(keeper, apps, caller, token),
    'app.request': ({ name, can, why }, caller) =>
      requests.run(() => request(keeper, apps, caller, { name, can, why: why ?? '' })),
    'app.allow': ({ name, can, forSec, as }) =>
      allow(keeper, apps, { name, can, forSec: forSec ?? null, as: as ?? null }),
    'app.list': () => list(keeper),
    'app.accept': ({ name, can, forSec, as }) =>
      accept(keeper, apps, { name, can, forSec: forSec ?? null, as: as ?? null }),
    'app.reject': ({ name }) => reject(keeper, name),
    'app.revoke': async ({ name }) => ({ reportedDevices: await revoke(keeper, name, apps.defaults) }),
    'app.release': ({ name }) => releaseName(keeper, name),
  }
}

/** Finishes revocations that a crash interrupted. */
export async function finishRevocations(keeper: Keeper): Promise<void> {
  for await (const [name, app] of keeper.onDisk.apps.iterate()) if (app.revoking) await revoke(keeper, name)
}

async function hello(keeper: Keeper, apps: Apps, caller: Caller, token: string): Promise<App> {
  const app = apps.greet(caller, token)
  const { nowSec } = keeper
  if (app.usedAtSec !== null && nowSec - app.usedAtSec < USED_EVERY_SEC) return appView(app)
  return await keeper.change(() => {
    const used = { ...find(keeper, app.name), usedAtSec: nowSec }
    put(keeper, used)
    return appView(used)
  })
}

async function allow(keeper: Keeper, apps: Apps, { name, can, forSec, as }: Grant): Promise<AppToken> {
  const { token, tokenHash } = apps.newToken(name)
  const app = await keeper.change(() => {
    checkFree(keeper, name)
    // The reports of an expired app stay, and belong to the new token; so does its name for others.
    const known = keeper.state.records.apps.get(name)?.as
    const made = { ...newApp(keeper, name, tokenHash), ...(known === undefined ? {} : { as: known }) }
    const app = {
      ...withSpokenName(made, as, can, keeper.state),
      can: apps.unite(can, []),
      expiresAtSec: endOf(keeper, forSec),
    }
    put(keeper, app)
    emitChange(keeper, app, 'allowed')
    return appView(app)
  })
  return { app, token }
}

/** Records a request. A new app gets its token at once, which is worth nothing until the owner accepts the request. */
async function request(
  keeper: Keeper,
  apps: Apps,
  caller: Caller,
  wish: Wish,
): Promise<{ app: App; token: string | null }> {
  const asks = {
    can: apps.unite(wish.can, []),
    why: wish.why.trim() === '' ? '' : tidyName(wish.why),
    atSec: keeper.nowSec,
  }
  const known = apps.of(caller)
  if (known === null) await makeRoom(keeper)
  else apps.chargeRequest(known.name)
  const issued = known === null ? apps.newToken(wish.name) : null
  return await keeper.change(() => {
    const app = {
      ...(issued === null ? find(keeper, known!.name) : newApp(keeper, freeName(keeper, wish.name), issued.tokenHash)),
      asks,
    }
    put(keeper, app)
    emitChange(keeper, app, 'requested')
    // A new app does not learn here whether its name is taken: anybody may ask under any name.
    return { app: { ...appView(app), ...(issued === null ? {} : { name: wish.name }) }, token: issued?.token ?? null }
  })
}

/** The first free name of those that an app can have that asks for this one. @throws {AppError} APP_TOO_MANY */
function freeName(keeper: Keeper, name: string): string {
  const free = namesLike(name).find((like) => {
    const holder = keeper.state.records.apps.get(like)
    return holder === undefined || isForgotten(holder, keeper)
  })
  if (free !== undefined) return free
  throw new AppError('APP_TOO_MANY', `too many apps asked for the name ${name}`, 'ask under another name')
}

/** Removes requests that the owner never answered, so that another app may ask. @throws {AppError} APP_TOO_MANY */
async function makeRoom(keeper: Keeper): Promise<void> {
  let waiting = 0
  const forgotten: string[] = []
  for await (const [name, app] of keeper.onDisk.apps.iterate()) {
    if (isForgotten(app, keeper)) forgotten.push(name)
    else if (app.can.length === 0) waiting++
  }
  if (waiting >= MAX_ASKING) {
    const message = `${waiting} apps already wait for the owner's answer`
    throw new AppError('APP_TOO_MANY', message, 'ask again after the owner has answered some')
  }
  if (forgotten.length === 0) return
  await keeper.change(() => {
    const { apps } = keeper.state.records
    for (const name of forgotten) {
      const app = apps.get(name)
      // The owner may have answered in the meantime.
      if (app !== undefined && isForgotten(app, keeper)) keeper.state.stage(apps.remove(name))
    }
  })
}

function isForgotten({ can, asks, revoking }: AppRecord, keeper: Keeper): boolean {
  return !revoking && can.length === 0 && (asks === null || keeper.nowSec - asks.atSec > ASKING_ENDS_AFTER_SEC)
}

async function list(keeper: Keeper): Promise<{ apps: App[]; names: AppName[] }> {
  const apps: App[] = []
  for await (const [, app] of keeper.onDisk.apps.iterate())
    if (!app.revoking && !isForgotten(app, keeper)) apps.push(appView(app))
  return { apps, names: await namesOf(keeper) }
}

async function accept(keeper: Keeper, apps: Apps, { name, can, forSec, as }: Grant): Promise<App> {
  return await keeper.change(() => {
    const app = asking(keeper, name)
    // Grants only what the owner saw: the app may have requested more since.
    const granted = apps.unite(app.can, can)
    const accepted = {
      ...withSpokenName(app, as, can, keeper.state),
      can: granted,
      asks: null,
      expiresAtSec: endOf(keeper, forSec) ?? app.expiresAtSec,
    }
    put(keeper, accepted)
    emitChange(keeper, accepted, 'accepted')
    return appView(accepted)
  })
}

async function reject(keeper: Keeper, name: string): Promise<App> {
  return await keeper.change(() => {
    const rejected = { ...asking(keeper, name), asks: null }
    // An app without capabilities is removed altogether.
    if (rejected.can.length === 0) keeper.state.stage(keeper.state.records.apps.remove(name))
    else put(keeper, rejected)
    emitChange(keeper, rejected, 'rejected')
    return appView(rejected)
  })
}

// Crash in between: the app is marked and may do nothing any more, and the next start continues.
async function revoke(keeper: Keeper, name: string, defaults: readonly Permission[] = []): Promise<number> {
  await keeper.change(() => {
    const app = find(keeper, name)
    if (!app.revoking) emitChange(keeper, app, 'revoked')
    put(keeper, { ...app, revoking: true })
    leaveSpokenName(app, defaults, keeper.state)
  })
  // Reports from before the mark may still be in flight. A change without writes waits for them.
  await keeper.change(() => {})
  const devices = await dropReports(sourceOfApp(name), keeper)
  await keeper.change(() => keeper.state.stage(keeper.state.records.apps.remove(name)))
  return devices
}

function newApp(keeper: Keeper, name: string, tokenHash: string): AppRecord {
  return {
    name,
    tokenHash,
    can: [],
    createdSec: keeper.nowSec,
    expiresAtSec: null,
    usedAtSec: null,
    asks: null,
    revoking: false,
  }
}

function endOf(keeper: Keeper, forSec: number | null): number | null {
  return forSec === null ? null : keeper.nowSec + forSec
}

function find(keeper: Keeper, name: string): AppRecord {
  const app = keeper.state.records.apps.get(name)
  if (app !== undefined) return app
  throw new KeeperError('NOT_FOUND', `there is no app "${name}"`, 'list the apps', { what: 'app' })
}

function asking(keeper: Keeper, name: string): AppRecord {
  const app = find(keeper, name)
  if (app.asks !== null && !app.revoking) return app
  throw new KeeperError('NOT_FOUND', `${name} has no open request`, 'list the open requests', { what: 'app-request' })
}

/** Refuses a name that an app has, unless its token has expired: the owner may renew it. */
function checkFree(keeper: Keeper, name: string): void {
  const known = keeper.state.records.apps.get(name)
  if (known === undefined || isForgotten(known, keeper)) return
  const { can, revoking } = known
  if (isExpired(known, keeper.nowSec) && !revoking) return
  const isAsking = can.length === 0
  const hint = isAsking ? 'accept or reject its request' : 'revoke its token first'
  throw new AppError('APP_EXISTS', `there is already an app "${name}"`, hint, { app: name, isAsking })
}

function put(keeper: Keeper, app: AppRecord): void {
  keeper.state.stage(keeper.state.records.apps.put(app.name, app))
}

function emitChange(
  keeper: Keeper,
  app: AppRecord,
  what: 'allowed' | 'requested' | 'accepted' | 'rejected' | 'revoked',
): void {
  const { name, can, expiresAtSec, asks } = appView(app)
  keeper.state.emit({ event: 'app.changed', data: { app: name, what, can, asks: asks?.can ?? [], expiresAtSec } })
}
