/** What answers the methods of local apps: who may do what, and for how long (docs/ipc.md, section 3, apps). */
import { KeeperError } from '../state/errors.ts'
import { AppError } from './errors.ts'
import type { Caller, Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/table.ts'
import type { App, AppToken } from '../../ipc/shapes/apps.ts'
import type { Capability } from '../../ipc/shapes/capabilities.ts'
import { appView, isExpired, type Apps } from './sessions.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { tidyName } from '../state/name-form.ts'
import type { AppRecord } from '../state/records.ts'
import { dropReports } from '../contacts/revoke.ts'
import { Serial } from '../../process/serial.ts'
import { sourceOfApp } from '../state/sources.ts'

const MAX_ASKING = 16 // sanity: new apps that wait for the owner at a time; more is noise, of which the owner is to be spared
const ASKING_ENDS_AFTER_SEC = 7 * 86_400 // sanity: who did not answer within a week does not want it
const USED_EVERY_SEC = 3600 // sanity: a write an hour tells the owner which app is still in use

/** What an app asks for, in whose name. */
interface Wish {
  readonly name: string
  readonly can: readonly Capability[]
  readonly why: string
}

export type AppMethods = Pick<
  Methods,
  'app.hello' | 'app.request' | 'app.allow' | 'app.list' | 'app.accept' | 'app.reject' | 'app.revoke'
>

export function appHandlers(keeper: Keeper, apps: Apps): Handlers<AppMethods> {
  // Of many at once each would find the same place free.
  const requests = new Serial()
  return {
    'app.hello': async ({ token }, caller) => await hello(keeper, apps, caller, token),
    'app.request': ({ name, can, why }, caller) =>
      requests.run(() => request(keeper, apps, caller, { name, can, why: why ?? '' })),
    'app.allow': ({ name, can, forSec }) => allow(keeper, apps, name, can, forSec ?? null),
    'app.list': () => list(keeper),
    'app.accept': ({ name, can, forSec }) => accept(keeper, apps, name, can, forSec ?? null),
    'app.reject': ({ name }) => reject(keeper, name),
    'app.revoke': async ({ name }) => ({ reportedDevices: await revoke(keeper, name) }),
  }
}

/** Goes on with revocations that a crash interrupted. */
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

async function allow(
  keeper: Keeper,
  apps: Apps,
  name: string,
  can: readonly Capability[],
  forSec: number | null,
): Promise<AppToken> {
  const { token, tokenHash } = apps.draw(name)
  const app = await keeper.change(() => {
    checkFree(keeper, name)
    // Of one that has expired what it reported stays, under the new token.
    const app = {
      ...newApp(keeper, name, tokenHash),
      can: apps.unite(can, []),
      expiresAtSec: endOf(keeper, forSec),
    }
    put(keeper, app)
    tell(keeper, app, 'allowed')
    return appView(app)
  })
  return { app, token }
}

/** An app that is known asks for more; one that is not gets the token at once, which is worth nothing until the owner accepted. */
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
  const drawn = known === null ? apps.draw(wish.name) : null
  return await keeper.change(() => {
    const holder = keeper.state.records.apps.get(wish.name)
    if (drawn !== null && holder !== undefined && !isForgotten(holder, keeper))
      throw appExists(wish.name, 'say app.hello with your token first, or ask under another name')
    const app = { ...(drawn === null ? find(keeper, known!.name) : newApp(keeper, wish.name, drawn.tokenHash)), asks }
    put(keeper, app)
    tell(keeper, app, 'requested')
    return { app: appView(app), token: drawn?.token ?? null }
  })
}

/** Removes the apps that nobody answered, so that one more may ask. @throws {AppError} APP_TOO_MANY */
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

async function list(keeper: Keeper): Promise<{ apps: App[] }> {
  const apps: App[] = []
  for await (const [, app] of keeper.onDisk.apps.iterate())
    if (!app.revoking && !isForgotten(app, keeper)) apps.push(appView(app))
  return { apps }
}

async function accept(
  keeper: Keeper,
  apps: Apps,
  name: string,
  can: readonly Capability[],
  forSec: number | null,
): Promise<App> {
  return await keeper.change(() => {
    const app = asking(keeper, name)
    // Not what it asks for: that may be more by now than what the owner was shown.
    const granted = apps.unite(app.can, can)
    const accepted = { ...app, can: granted, asks: null, expiresAtSec: endOf(keeper, forSec) ?? app.expiresAtSec }
    put(keeper, accepted)
    tell(keeper, accepted, 'accepted')
    return appView(accepted)
  })
}

async function reject(keeper: Keeper, name: string): Promise<App> {
  return await keeper.change(() => {
    const rejected = { ...asking(keeper, name), asks: null }
    // One that only asked leaves nothing behind.
    if (rejected.can.length === 0) keeper.state.stage(keeper.state.records.apps.remove(name))
    else put(keeper, rejected)
    tell(keeper, rejected, 'rejected')
    return appView(rejected)
  })
}

// Crash in between: the app is marked, may nothing any more, and the next start goes on.
async function revoke(keeper: Keeper, name: string): Promise<number> {
  await keeper.change(() => {
    const app = find(keeper, name)
    if (!app.revoking) tell(keeper, app, 'revoked')
    put(keeper, { ...app, revoking: true })
  })
  // What it reported before the mark was on disk may be on its way there: without a write of its own this waits for that.
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

/** The owner may renew what has expired. */
function checkFree(keeper: Keeper, name: string): void {
  const known = keeper.state.records.apps.get(name)
  if (known === undefined || isForgotten(known, keeper)) return
  const { can, revoking } = known
  if (isExpired(known, keeper.nowSec) && !revoking) return
  throw appExists(name, can.length === 0 ? 'accept or reject its request' : 'revoke its token first')
}

function appExists(name: string, hint: string): AppError {
  return new AppError('APP_EXISTS', `there is already an app "${name}"`, hint)
}

function put(keeper: Keeper, app: AppRecord): void {
  keeper.state.stage(keeper.state.records.apps.put(app.name, app))
}

function tell(
  keeper: Keeper,
  app: AppRecord,
  what: 'allowed' | 'requested' | 'accepted' | 'rejected' | 'revoked',
): void {
  const { name, can, expiresAtSec, asks } = appView(app)
  keeper.state.emit({ event: 'app.changed', data: { app: name, what, can, asks: asks?.can ?? [], expiresAtSec } })
}
