/** Local apps and their capabilities on the socket (docs/ipc.md, section 3, app). */
import { z } from 'zod'

/** A capability that an app can have; a subset of the permissions of methods. */
export type Capability = 'read' | 'observe' | 'publish'

/** Lower-case letters, digits and hyphens, since the name appears in logs, in sources of observations and before the token. */
export const appName: z.ZodType<string> = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be 1 to 32 lower-case letters, digits and hyphens')

export const capabilities: z.ZodType<Capability[]> = z
  .array(z.enum(['read', 'observe', 'publish']))
  .min(1)
  .max(3)

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

export const app: z.ZodType<App> = z.strictObject({
  name: z.string(),
  can: z.array(z.enum(['read', 'observe', 'publish'])),
  createdSec: z.int().min(0),
  expiresAtSec: z.int().min(0).nullable(),
  usedAtSec: z.int().min(0).nullable(),
  asks: z
    .strictObject({ can: z.array(z.enum(['read', 'observe', 'publish'])), why: z.string(), atSec: z.int().min(0) })
    .nullable(),
})

/** A new token; the daemon shows it only this once. */
export interface AppToken {
  app: App
  token: string
}

export const appToken: z.ZodType<AppToken> = z.strictObject({ app, token: z.string() })
