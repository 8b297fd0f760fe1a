/**
 * The names under which apps speak to the apps of others, in channels and cards. The owner gives them, and each stays with its app also after
 * that one was revoked: else the next program of the same name would get its channels (docs/ipc.md, section 3, app).
 */
import { isOwnersApp, isAppName } from '../../core/encoding/app-name.ts'
import type { AppName } from '../../ipc/shapes/apps.ts'
import type { Permission } from '../../ipc/methods/method.ts'
import type { Capability } from '../../ipc/shapes/capabilities.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { KeeperError } from '../state/errors.ts'
import type { AppNameRecord, AppRecord } from '../state/local-records.ts'
import type { Records } from '../state/records.ts'
import type { State } from '../state/state.ts'
import { AppError } from './errors.ts'

/** Capabilities by which an app speaks to the apps of others. */
const SPEAKING: readonly Capability[] = ['channel', 'message', 'propose']

/** The name of an app for others, whether or not it may use it. */
function wishOf({ as, name }: AppRecord): string {
  return as ?? name
}

/** The name under which an app speaks to others; null if it is no name for that, or another app has or had it. */
export function spokenName(app: AppRecord, records: Records): string | null {
  const name = wishOf(app)
  if (!isAppName(name) || isOwnersApp(name)) return null
  const record = records.appNames.get(name)
  // An earlier version recorded no names.
  return record === undefined || record.holder === app.name ? name : null
}

/**
 * Gives an app its name for others, if it gets one or needs one. Inside of a change.
 * @param as the name that the owner gives; null for its own
 * @param can what the owner grants now
 * @returns the app with its name
 * @throws {AppError} APP_NAME_FIXED | APP_NAME_NEEDED | APP_NAME_TAKEN
 */
export function withSpokenName(app: AppRecord, as: string | null, can: readonly Capability[], state: State): AppRecord {
  const speaks = can.some((each) => SPEAKING.includes(each))
  if (as === null && !speaks) return app
  const { appNames } = state.records
  if (as !== null && as !== wishOf(app) && appNames.get(wishOf(app))?.holder === app.name)
    throw new AppError(
      'APP_NAME_FIXED',
      `${app.name} speaks to the apps of others as ${wishOf(app)} already`,
      'leave the name out; or revoke the app, and allow it anew',
    )
  const named = as === null ? app : { ...app, as }
  const name = wishOf(named)
  if (!isAppName(name))
    throw new AppError('APP_NAME_NEEDED', `${name} is no name for the apps of others`, 'give it one of its own', {
      app: app.name,
    })
  const record = appNames.get(name)
  if (isOwnersApp(name) || (record !== undefined && record.holder !== app.name)) throw nameTaken(name, record)
  state.stage(appNames.put(name, { holder: app.name }))
  return named
}

function nameTaken(name: string, record: AppNameRecord | undefined): AppError {
  if (isOwnersApp(name))
    return new AppError('APP_NAME_TAKEN', `${name} is the app of the command line`, 'give another name', { name })
  const isRevoked = record?.holder === null
  return new AppError(
    'APP_NAME_TAKEN',
    isRevoked
      ? `the name ${name} belongs to an app that you revoked; its channels and cards have it still`
      : `the app ${record!.holder} speaks to the apps of others as ${name}`,
    isRevoked
      ? 'release the name first, if this app may have its channels; else give another name'
      : 'give another name',
    { name, isRevoked },
  )
}

/** An app is revoked: its name waits for the owner. Inside of a change. @param defaults the permissions of every app */
export function leaveSpokenName(app: AppRecord, defaults: readonly Permission[], state: State): void {
  const { appNames } = state.records
  const name = wishOf(app)
  const record = appNames.get(name)
  // It has a record only if the owner granted the capability to it by name, and since this version.
  const spoke = isAppName(name) && [...app.can, ...defaults].some((each) => SPEAKING.includes(each))
  if (record === undefined ? spoke : record.holder === app.name) state.stage(appNames.put(name, { holder: null }))
}

/** Frees the name of an app that was revoked. Whichever app gets it next has its channels and cards. */
export async function releaseName(keeper: Keeper, name: string): Promise<{ name: string }> {
  return await keeper.change(() => {
    const { appNames } = keeper.state.records
    const record = appNames.get(name)
    if (record === undefined)
      throw new KeeperError('NOT_FOUND', `no app has or had the name "${name}"`, 'list the apps', { what: 'app' })
    const { holder } = record
    if (holder !== null)
      throw new AppError('APP_NAME_USED', `the app ${holder} has the name ${name}`, 'revoke the app first', {
        app: holder,
      })
    keeper.state.stage(appNames.remove(name))
    return { name }
  })
}

/** All names, also those of revoked apps. */
export async function namesOf(keeper: Keeper): Promise<AppName[]> {
  const names: AppName[] = []
  for await (const [name, { holder }] of keeper.onDisk.appNames.iterate()) names.push({ name, app: holder })
  return names
}
