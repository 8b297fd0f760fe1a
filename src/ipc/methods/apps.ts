/** The methods about local apps, and what they may do (docs/ipc.md, section 3). */
import { z } from 'zod'
import type { MethodSpec } from './method.ts'
import { app, appName, appToken, capabilities, type App, type AppToken, type Capability } from '../shapes/apps.ts'
import { noParams, method, type Empty } from './params.ts'

const appSeconds = z
  .int()
  .min(60)
  .max(10 * 366 * 86_400) // sanity: up to ten years; for ever is to be said by leaving it out

export interface AppsMethods {
  'app.hello': MethodSpec<{ token: string }, App>
  'app.request': MethodSpec<{ name: string; can: Capability[]; why?: string }, { app: App; token: string | null }>
  'app.allow': MethodSpec<{ name: string; can: Capability[]; forSec?: number }, AppToken>
  'app.list': MethodSpec<Empty, { apps: App[] }>
  'app.accept': MethodSpec<{ name: string; can: Capability[]; forSec?: number }, App>
  'app.reject': MethodSpec<{ name: string }, App>
  'app.revoke': MethodSpec<{ name: string }, { reportedDevices: number }>
}

export const APPS_METHODS: AppsMethods = {
  'app.hello': method(
    'open',
    'Say who is connected; what the app is allowed holds for this connection from now on',
    z.strictObject({ token: z.string().max(128) }),
    app,
  ),
  'app.request': method(
    'open',
    'Ask the owner to be allowed something; an app without a token gets one that holds once it was accepted',
    z.strictObject({ name: appName, can: capabilities, why: z.string().max(256).exactOptional() }),
    z.strictObject({ app, token: z.string().nullable() }),
  ),
  'app.allow': method(
    'admin',
    'Allow a new app something; the token is shown this once',
    z.strictObject({ name: appName, can: capabilities, forSec: appSeconds.exactOptional() }),
    appToken,
  ),
  'app.list': method(
    'admin',
    'The apps that are allowed something, and those that ask',
    noParams,
    z.strictObject({ apps: z.array(app) }),
  ),
  'app.accept': method(
    'admin',
    'Give an app that asks what is named, beside what it has',
    z.strictObject({ name: appName, can: capabilities, forSec: appSeconds.exactOptional() }),
    app,
  ),
  'app.reject': method('admin', 'Refuse what an app asks for', z.strictObject({ name: appName }), app),
  'app.revoke': method(
    'admin',
    'Take back what an app was allowed, and all that it reported',
    z.strictObject({ name: appName }),
    z.strictObject({ reportedDevices: z.int().min(0) }),
  ),
}
