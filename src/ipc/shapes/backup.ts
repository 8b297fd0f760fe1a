/** The values of backup, restore and reconciling (docs/ipc.md, section 3, backup): each interface beside its schema. */
import * as z from '../../schema/zod.ts'
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

/** One sealed part of a backup. The file is the header and then the boxes, one after the other. */
export interface BackupChunk {
  box: string
  isLast: boolean
}

export const backupChunk: z.ZodType<BackupChunk> = z.strictObject({ box: base64url, isLast: z.boolean() })

/** `table` is null before the last box. */
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
  /** The daemon has not signed anything since the restore, and cannot yet. */
  waiting: boolean
  /** How many of the given copies were of the own blob. */
  copies: number
  table: OwnTable
}

export const reconcileResult: z.ZodType<ReconcileResult> = z.strictObject({
  waiting: z.boolean(),
  copies: z.int().min(0),
  table: ownTable,
})

export interface RecoverParams {
  /** The 24 recovery words. A string cannot be wiped; the daemon only drops it. */
  words: string
  /** Status messages that may hold the own table; others are ignored. */
  copies?: string[]
  /** The device of the first table, if there is no copy. */
  device?: TableDevice
  /** Seals the secrets on this device from now on. */
  passphrase?: string
  unnamed?: boolean
  /** If there is no copy: an epoch that was never used, 1..16. */
  epoch?: number
  /** Devices that the rotation after this should put back; only checked here. */
  keep?: string[]
}

export interface RecoverResult {
  table: OwnTable
  /** The copy that the table comes from; null if there was no copy. */
  from: { epoch: number; seq: number; timeSec: number } | null
  /** The daemon can sign nothing before `rotation.apply`. */
  mustRotate: boolean
}

export const recoverResult: z.ZodType<RecoverResult> = z.strictObject({
  table: ownTable,
  from: z.strictObject({ epoch: z.int().min(0), seq: z.int().min(1), timeSec: z.int().min(0) }).nullable(),
  mustRotate: z.boolean(),
})
