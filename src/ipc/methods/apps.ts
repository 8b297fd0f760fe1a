/** The methods of local apps and their capabilities (docs/ipc.md, section 3, app). */
import * as z from '../../schema/zod.ts'
import type { MethodSpec } from './method.ts'
import { appName, appShapes, grantedName, spokenName, type App, type AppName, type AppToken } from '../shapes/apps.ts'
import type { Capability } from '../shapes/capabilities.ts'
import { noParams, method, type Empty } from './params.ts'

const appSeconds = z
  .int()
  .min(60)
  .max(10 * 366 * 86_400) // sanity: up to ten years; leave it out for a token that never expires

interface Grant {
  name: string
  can: Capability[]
  forSec?: number
  /** The name for the apps of others. */
  as?: string
}

export interface AppsMethods {
  'app.hello': MethodSpec<{ token: string }, App>
  'app.request': MethodSpec<{ name: string; can: Capability[]; why?: string }, { app: App; token: string | null }>
  'app.allow': MethodSpec<Grant, AppToken>
  'app.list': MethodSpec<Empty, { apps: App[]; names: AppName[] }>
  'app.accept': MethodSpec<Grant, App>
  'app.reject': MethodSpec<{ name: string }, App>
  'app.revoke': MethodSpec<{ name: string }, { reportedDevices: number }>
  'app.release': MethodSpec<{ name: string }, { name: string }>
}

/** @param names every capability of the daemon and its wings */
export function appsMethods(names: readonly Capability[]): AppsMethods {
  const { app, appName: nameOfApp, appToken, capabilities } = appShapes(names)
  return {
    'app.hello': method(
      'open',
      'Identify this connection as an app; its capabilities hold for this connection from now on',
      z.strictObject({ token: z.string().max(128) }),
      app,
    ),
    'app.request': method(
      'open',
      'Ask the owner for capabilities; an app without a token gets one that works once the owner accepts',
      z.strictObject({ name: appName, can: capabilities, why: z.string().max(256).exactOptional() }),
      z.strictObject({ app, token: z.string().nullable() }),
    ),
    'app.allow': method(
      'admin',
      'Give a new app a token; it is shown only this once',
      z.strictObject({
        name: appName,
        can: capabilities,
        forSec: appSeconds.exactOptional(),
        as: spokenName.exactOptional(),
      }),
      appToken,
    ),
    'app.list': method(
      'admin',
      'List the apps that have a token or ask for one, and the names that apps have or had for the apps of others',
      noParams,
      z.strictObject({ apps: z.array(app), names: z.array(nameOfApp) }),
    ),
    'app.accept': method(
      'admin',
      'Grant an app that asks the named capabilities, in addition to those it has',
      z.strictObject({
        name: grantedName,
        can: capabilities,
        forSec: appSeconds.exactOptional(),
        as: spokenName.exactOptional(),
      }),
      app,
    ),
    'app.reject': method('admin', 'Reject the request of an app', z.strictObject({ name: grantedName }), app),
    'app.revoke': method(
      'admin',
      'Revoke the token of an app and remove everything that it reported',
      z.strictObject({ name: grantedName }),
      z.strictObject({ reportedDevices: z.int().min(0) }),
    ),
    'app.release': method(
      'admin',
      'Free the name of a revoked app for others; the app that gets it next has its channels',
      z.strictObject({ name: spokenName }),
      z.strictObject({ name: z.string() }),
    ),
  }
}
