/** Params that several methods share, and the functions that write a row of the method table. */
import * as z from '../../schema/zod.ts'
import type { MethodSpec, Permission } from './method.ts'
import * as shape from '../shapes/scalars.ts'

/** Passphrases and words travel only over the admin socket and never reach a log. */
export const passphrase: z.ZodType<string> = z.string().min(1).max(1024) // sanity: nobody types more; Argon2id itself needs no limit

export const recoveryWords: z.ZodType<string> = z.string().max(512) // sanity: 24 words of at most 8 letters, with room for spaces

export const nickname: z.ZodString = z.string().max(256) // sanity: the rules in core decide; this only bounds the work

export const contactName: z.ZodType<string> = z.string().min(1).max(256) // sanity: a name or digits

export const noParams: z.ZodType<Empty> = z.strictObject({})

export const deviceName: z.ZodType<{ device: string }> = z.strictObject({ device: z.string().max(256) })

export function method<P, R>(
  permission: Permission,
  summary: string,
  params: z.ZodType<P>,
  result: z.ZodType<R>,
): MethodSpec<P, R> {
  return { permission, summary, params, result }
}

/** For a method whose result can reach hundreds of kilobytes. */
export function largeMethod<P, R>(summary: string, params: z.ZodType<P>, result: z.ZodType<R>): MethodSpec<P, R> {
  return { ...method('read', summary, params, result), isLarge: true }
}

export type Empty = Record<string, never>

export const firstDevice: z.ZodType<{ name: string; key: string }> = z.strictObject({
  name: nickname,
  key: shape.keyHex,
})
