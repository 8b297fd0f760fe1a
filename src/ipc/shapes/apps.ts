/** Local apps and what they may do, as they travel over the socket (docs/ipc.md, section 4, apps). */
import { z } from 'zod'

/** What an app can be allowed; a subset of the permissions of methods. */
export type Capability = 'read' | 'observe' | 'publish'

/** Lower-case letters, digits and hyphens: it stands in logs, in sources of observations and in front of its token. */
export const appName: z.ZodType<string> = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be 1 to 32 lower-case letters, digits and hyphens')

export const capabilities: z.ZodType<Capability[]> = z
  .array(z.enum(['read', 'observe', 'publish']))
  .min(1)
  .max(3)

/** What an app asks its owner for. */
export interface AppWish {
  can: Capability[]
  /** In its own words. */
  why: string
  atSec: number
}

/** One app. */
export interface App {
  name: string
  /** Beyond what every app may do; empty for one that only asks yet. */
  can: Capability[]
  createdSec: number
  /** null for one that is allowed until it is revoked. */
  expiresAtSec: number | null
  /** When it last said its token, to the hour. */
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

/** The one time that a token is shown. */
export interface AppToken {
  app: App
  token: string
}

export const appToken: z.ZodType<AppToken> = z.strictObject({ app, token: z.string() })
