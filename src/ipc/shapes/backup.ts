/** The values of backup, restore and reconciling (docs/ipc.md, section 4): each interface beside the schema that checks it. */
import { z } from 'zod'
import { ownTable, type OwnTable } from './own.ts'
import type { TableDevice } from './contact.ts'

export const MAX_COPIES = 256 // sanity: status messages in one call; a copy of the own blob from each device and friend
export const MAX_COPY_CHARS = 2048 // sanity: a status message has at most 1006 bytes

/** Bytes as base64url without padding, 1..96 KiB of them. */
export const base64url: z.ZodType<string> = z
  .string()
  .min(1)
  .max(131_072)
  .regex(/^[A-Za-z0-9_-]+$/)

/** One sealed part of a backup; the file is the header and the boxes, one behind the other. */
export interface BackupChunk {
  box: string
  isLast: boolean
}

export const backupChunk: z.ZodType<BackupChunk> = z.strictObject({ box: base64url, isLast: z.boolean() })

/** `table` is null before the last box was put in. */
export interface RestoreResult {
  table: OwnTable | null
  contacts: number
  devices: number
}

export const restoreResult: z.ZodType<RestoreResult> = z.strictObject({
  table: ownTable.nullable(),
  contacts: z.int().min(0),
  devices: z.int().min(0),
})

export interface ReconcileResult {
  /** Nothing was signed since the restore, and nothing can be yet. */
  waiting: boolean
  /** Copies of the own blob among those given. */
  copies: number
  table: OwnTable
}

export const reconcileResult: z.ZodType<ReconcileResult> = z.strictObject({
  waiting: z.boolean(),
  copies: z.int().min(0),
  table: ownTable,
})

export interface RecoverParams {
  /** The 24 recovery words. A string cannot be wiped: the daemon lets go of it. */
  words: string
  /** Status messages in which the own table may be; others are passed over. */
  copies?: string[]
  /** Of the first table, where there is no copy. */
  device?: TableDevice
  /** Seals what this device keeps from now on. */
  passphrase?: string
  unnamed?: boolean
  /** Where there is no copy: an epoch that was never used, 1..16. */
  epoch?: number
}

export interface RecoverResult {
  table: OwnTable
  /** The copy that the table comes from; null where there was none. */
  from: { epoch: number; seq: number; timeSec: number } | null
  /** Nothing can be signed before `rotation.apply`. */
  mustRotate: boolean
}

export const recoverResult: z.ZodType<RecoverResult> = z.strictObject({
  table: ownTable,
  from: z.strictObject({ epoch: z.int().min(0), seq: z.int().min(1), timeSec: z.int().min(0) }).nullable(),
  mustRotate: z.boolean(),
})
