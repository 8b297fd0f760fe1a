/** Params that the methods of apps share: channels and messages. */
import * as z from '../../schema/zod.ts'
import { isAppName } from '../../core/encoding/app-name.ts'
import { MAX_PAGE } from '../shapes/limits.ts'

/** Contents travel over the socket in pieces of at most so many bytes. */
export const MAX_PIECE_BYTES: number = 192 << 10 // format: as base64 it takes a quarter of a frame

const MAX_BASE64_CHARS: number = Math.ceil(MAX_PIECE_BYTES / 3) * 4

export const appName: z.ZodType<string> = z
  .string()
  .max(100)
  .refine(isAppName, 'must be the name of an app, such as org.example.chat')

/** A piece as base64. */
export const pieceBase64: z.ZodType<string> = z.base64().max(MAX_BASE64_CHARS)

/** An id that an app chooses, so that a call which it repeats after a crash does nothing twice. */
export const ownKey: z.ZodType<string> = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)

export const pageLimit: z.ZodType<number> = z.int().min(1).max(MAX_PAGE)
