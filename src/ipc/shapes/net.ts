/** How the daemon reaches the network (docs/ipc.md, section 3, NetStatus). */
import * as z from '../../schema/zod.ts'
import { count } from './scalars.ts'

export interface NetStatus {
  /** `waiting`: personad-net ended, and is started again after a delay. */
  state: 'down' | 'starting' | 'running' | 'waiting'
  /** `child`: a process of the daemon. `unit`: a service of its own. */
  how: 'child' | 'unit'
  /** Why it ended; null while it runs. */
  problem: { code: string; message: string } | null
  /** Packets and bytes of the DHT since personad-net runs; null before the first order. */
  dht: Record<string, number> | null
}

export const netStatus: z.ZodType<NetStatus> = z.strictObject({
  state: z.enum(['down', 'starting', 'running', 'waiting']),
  how: z.enum(['child', 'unit']),
  problem: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  dht: z.record(z.string(), count).nullable(),
})
