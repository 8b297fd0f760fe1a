/** Local apps and their capabilities on the socket (docs/ipc.md, section 3, app). */
import * as z from '../../schema/zod.ts'
import { isAppName } from '../../core/encoding/app-name.ts'
import type { Capability } from './capabilities.ts'

const MAX_APP_CHARS = 100 // format: docs/card.md, section 2
const LABELS = '[a-z0-9][a-z0-9-]*(?:\\.[a-z0-9][a-z0-9-]*)*'

/**
 * Lower-case letters, digits, hyphens and dots, since the name appears in logs, in sources of observations and before the token. Only names
 * of channels (isAppName) are narrower: an older version allowed a hyphen at the end.
 */
export const appName: z.ZodType<string> = z
  .string()
  .max(MAX_APP_CHARS)
  .regex(new RegExp(`^${LABELS}$`), 'must be lower-case letters, digits and hyphens, perhaps joined by dots')

/** The name of an app that has one: with a number if it asked for a name that was taken. */
export const grantedName: z.ZodType<string> = z
  .string()
  .max(MAX_APP_CHARS + '#99'.length)
  .regex(new RegExp(`^${LABELS}(?:#[1-9][0-9]?)?$`), 'must be a name in the list of apps')

/** The name of an app for the apps of others, such as `org.example.app`. */
export const spokenName: z.ZodType<string> = z
  .string()
  .max(100)
  .refine(isAppName, 'must be labels of lower-case letters, digits and hyphens, joined by dots')

/** The request of an app. */
export interface AppWish {
  can: Capability[]
  /** The reason, in the app's own words. */
  why: string
  atSec: number
}

export interface App {
  name: string
  /** Beyond the capabilities that every app has; empty while the app only asks. */
  can: Capability[]
  createdSec: number
  /** null: until it is revoked. */
  expiresAtSec: number | null
  /** When the app last sent its token, to the hour. */
  usedAtSec: number | null
  asks: AppWish | null
}

/** A name under which an app speaks to the apps of others. */
export interface AppName {
  name: string
  /** The app that has it; null once that one was revoked, until the owner releases the name. */
  app: string | null
}

/** A new token; the daemon shows it only this once. */
export interface AppToken {
  app: App
  token: string
}

export interface AppShapes {
  readonly capabilities: z.ZodType<Capability[]>
  readonly app: z.ZodType<App>
  readonly appName: z.ZodType<AppName>
  readonly appToken: z.ZodType<AppToken>
}

/** @param names every capability of the daemon and its wings */
export function appShapes(names: readonly Capability[]): AppShapes {
  const can = z.array(z.enum(names))
  const app = z.strictObject({
    name: z.string(),
    can,
    createdSec: z.int().min(0),
    expiresAtSec: z.int().min(0).nullable(),
    usedAtSec: z.int().min(0).nullable(),
    asks: z.strictObject({ can, why: z.string(), atSec: z.int().min(0) }).nullable(),
  })
  return {
    capabilities: can.min(1).max(names.length),
    app,
    appName: z.strictObject({ name: z.string(), app: z.string().nullable() }),
    appToken: z.strictObject({ app, token: z.string() }),
  }
}
