/** The status of the daemon on the socket (docs/ipc.md, section 3, DaemonStatus): its own part, and those of its wings. */
import * as z from '../../schema/zod.ts'
import { baseStatus, type BaseStatus } from '../shapes/status.ts'
import type { All, WingSchema } from './wing.ts'
import type { AnyWing } from './wing-schemas.ts'

type StatusOf<Wing> = Wing extends WingSchema<infer _M, infer _E, infer S> ? S : never

/** The keys that the wings bring. */
export type WingsStatus = All<StatusOf<AnyWing>>

export type DaemonStatus = BaseStatus & WingsStatus

export function daemonStatus(schemas: readonly WingSchema[]): z.ZodType<DaemonStatus> {
  const ofWings = Object.assign({}, ...schemas.map(({ status }) => status)) as Record<string, z.ZodType>
  return z.strictObject({ ...baseStatus, ...ofWings }) as unknown as z.ZodType<DaemonStatus>
}
