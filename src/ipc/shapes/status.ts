/** The status of the daemon on the socket (docs/ipc.md, section 3, DaemonStatus). */
import * as z from '../../schema/zod.ts'
import { count, seconds } from './scalars.ts'
import { finding, type Finding } from './doctor.ts'
import { freshness, tableDevice, type Freshness, type TableDevice } from './contact.ts'
import { netStatus, type NetStatus } from './net.ts'
import { ownTable, type OwnTable } from './own.ts'

/** The status without the parts of the wings. */
export interface BaseStatus {
  version: string
  pid: number
  startedAtSec: number
  home: { stateDir: string; appSocket: string; adminSocket: string; configFile: string | null }
  engine: 'sodium' | 'portable'
  store: { kind: string; schema: number }
  persona: OwnTable | null
  /** There is a persona, and its secrets are sealed: the daemon cannot sign. */
  locked: boolean
  /** false until the recovery words were confirmed: until then a thief of this device can take the persona. */
  theftProtection: boolean
  /** Devices that came only through a sibling's table and were not approved here. */
  unapproved: TableDevice[]
  freshness: Freshness | null
  counts: { contacts: number; provisional: number; devices: number; connections: number }
  /** How the daemon reaches the network; null if the configuration has nothing that needs it. */
  net: NetStatus | null
  /** Sentences for a person. */
  notices: string[]
  /** The same, with a code each, so that a client can name its own way to act. */
  findings: Finding[]
}

export const baseStatus: { readonly [Key in keyof BaseStatus]: z.ZodType<BaseStatus[Key]> } = {
  version: z.string(),
  pid: z.int(),
  startedAtSec: seconds,
  home: z.strictObject({
    stateDir: z.string(),
    appSocket: z.string(),
    adminSocket: z.string(),
    configFile: z.string().nullable(),
  }),
  engine: z.enum(['sodium', 'portable']),
  store: z.strictObject({ kind: z.string(), schema: z.int() }),
  persona: ownTable.nullable(),
  locked: z.boolean(),
  theftProtection: z.boolean(),
  unapproved: z.array(tableDevice),
  freshness: freshness.nullable(),
  counts: z.strictObject({
    contacts: count,
    provisional: count,
    devices: count,
    connections: count,
  }),
  net: netStatus.nullable(),
  notices: z.array(z.string()),
  findings: z.array(finding),
}
