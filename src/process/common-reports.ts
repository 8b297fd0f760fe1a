/** Schemas of the reports that every child makes. A program adds its own report `ready`. */
import * as z from '../schema/zod.ts'

export const BEAT: z.ZodObject<{ type: z.ZodLiteral<'beat'> }, z.core.$strict> = z.strictObject({
  type: z.literal('beat'),
})
export const FAILED: z.ZodObject<
  { type: z.ZodLiteral<'failed'>; code: z.ZodString; message: z.ZodString },
  z.core.$strict
> = z.strictObject({
  type: z.literal('failed'),
  code: z.string().max(64),
  message: z.string().max(512),
})
