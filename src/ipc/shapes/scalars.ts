/** The smallest values on the socket (docs/ipc.md, section 3). */
import * as z from '../../schema/zod.ts'

/** 32 bytes as 64 upper-case hex digits. */
export const keyHex: z.ZodType<string> = z.string().regex(/^[0-9A-F]{64}$/, 'must be 64 upper-case hex digits')
/** Unix seconds. */
export const seconds: z.ZodType<number> = z.int().min(0)
export const count: z.ZodType<number> = z.int().min(0)
