/** The values that the shapes of more than one record have (docs/backup.md). */
import * as z from '../../schema/zod.ts'
import { checkDeviceKey } from '../../core/blob.ts'
import { parseHex } from '../../core/encoding/bytes.ts'
import { BlobError } from '../../core/errors.ts'
import { MAX_EPOCH, MAX_SEQ, MAX_TOKEN_CHARS } from '../../core/limits.ts'
import { checkNickname } from '../../core/nickname.ts'
import { keyHex } from '../../ipc/shapes/scalars.ts'

export const seconds: z.ZodType<number> = z.int().min(0)

export const epoch: z.ZodType<number> = z.int().min(0).max(MAX_EPOCH)

export const seq: z.ZodType<number> = z.int().min(1).max(MAX_SEQ)

export const blob: z.ZodType<string> = z.string().max(MAX_TOKEN_CHARS)

export const hexOf = (maxChars: number): z.ZodType<string> =>
  z
    .string()
    .max(maxChars)
    .regex(/^([0-9A-F]{2})*$/)

export const deviceKey: z.ZodType<string> = keyHex.refine(isDeviceKey, 'is not a device key')

export const nickname: z.ZodType<string> = z.string().refine(isNickname, 'is not a nickname')

function isDeviceKey(hex: string): boolean {
  const bytes = parseHex(hex)
  return bytes !== null && passes(() => checkDeviceKey(bytes))
}

function isNickname(text: string): boolean {
  return passes(() => checkNickname(text))
}

function passes(check: () => unknown): boolean {
  try {
    check()
    return true
  } catch (error) {
    if (error instanceof BlobError) return false
    throw error
  }
}
