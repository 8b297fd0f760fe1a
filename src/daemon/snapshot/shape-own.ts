/** The owner's records in a snapshot: the own persona's position, past tables, intents (docs/backup.md). */
import * as z from '../../schema/zod.ts'
import { MAX_POINTS_BETWEEN, type Intent } from '../../core/intents.ts'
import { type DocumentValue, SETTING_KEYS, type Settings } from '../../core/document.ts'
import type { Edit } from '../../core/edit.ts'
import { MAX_DOCUMENT_BYTES, MAX_EPOCH } from '../../core/limits.ts'
import type { TablePoint } from '../../core/order.ts'
import { MAX_STATEMENT_BYTES, parseStatement } from '../../core/succession/statement.ts'
import { keyHex } from '../../ipc/shapes/scalars.ts'
import { MAX_NOTES } from '../own/notes.ts'
import { MAX_PAST_TABLES, MAX_TOMBSTONES, type OwnRecord, type PastTable } from '../state/own-record.ts'
import { deviceKey, epoch, hexOf, nickname, seconds, seq } from './shape-values.ts'

const MAX_STATEMENT_CHARS: number = Math.ceil((MAX_STATEMENT_BYTES * 4) / 3) // format: base64url of a whole successor statement

const MAX_LINKS_CHARS: number = (MAX_EPOCH - 1) * 32 // format: 16 bytes for each epoch between

const point = { epoch, seq, tableHash: keyHex }

const tablePoint: z.ZodType<TablePoint> = z.strictObject(point)

export const pastTable: z.ZodType<PastTable> = z.strictObject({ ...point, prev: z.string().regex(/^[0-9A-F]{32}$/) })

// A document has at most so many characters, so no value in it is longer. A lone surrogate would make every rotation fail.
const settingText = z
  .string()
  .max(MAX_DOCUMENT_BYTES)
  .refine((text) => text.isWellFormed(), 'has a lone surrogate')

const settingValue: z.ZodType<DocumentValue> = z.union([settingText, z.array(settingText).max(MAX_DOCUMENT_BYTES)])

const settings: z.ZodType<Settings> = z.strictObject({
  read: settingValue.exactOptional(),
  announce: settingValue.exactOptional(),
  at: settingValue.exactOptional(),
})

export const own: z.ZodType<OwnRecord> = z.strictObject({
  personaId: keyHex,
  epoch,
  signingKey: keyHex,
  links: hexOf(MAX_LINKS_CHARS),
  next: keyHex,
  inception: z
    .string()
    .regex(/^[0-9A-F]{128}$/)
    .nullable(),
  named: z.boolean(),
  recoveryConfirmed: z.boolean(),
  tombstones: z.array(deviceKey).max(MAX_TOMBSTONES),
  replayDue: z.boolean(),
  nextIntent: z.int().min(1),
  notes: z
    .array(
      z.strictObject({
        key: deviceKey,
        cameSec: seconds,
        approved: z.boolean(),
        goneSec: seconds.nullable(),
        companion: z.boolean().exactOptional(),
      }),
    )
    .max(MAX_NOTES),
  localDevices: z.array(deviceKey).max(MAX_TOMBSTONES),
  companion: deviceKey.nullable().default(null),
  highestEpoch: epoch,
  copySec: seconds.nullable(),
  restoredSec: seconds.nullable(),
  soleEpoch: epoch.nullable().default(null),
  hadSeed: z.boolean().default(false),
  settings: settings.exactOptional(),
  rotation: z
    .strictObject({ ...point, rival: keyHex.nullable(), returned: z.literal(true).exactOptional() })
    .nullable(),
  predecessor: z
    .string()
    .max(MAX_STATEMENT_CHARS)
    .refine((text) => parseStatement(text)?.from === 0, 'is not a whole statement')
    .nullable()
    .exactOptional(),
  succeededBy: keyHex.nullable().exactOptional(),
  // In backups from before these tables were items of their own.
  recent: z.array(pastTable).max(MAX_PAST_TABLES).exactOptional(),
})

const edit: z.ZodType<Edit> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('add'),
    key: deviceKey,
    name: nickname,
    companion: z.literal(true).exactOptional(),
  }),
  z.strictObject({ kind: z.literal('remove'), key: deviceKey }),
  z.strictObject({ kind: z.literal('rename'), key: deviceKey, found: nickname, name: nickname }),
  z.strictObject({ kind: z.literal('activate'), key: deviceKey, found: deviceKey }),
  z.strictObject({ kind: z.literal('rekey'), key: deviceKey, newKey: deviceKey }),
  z.strictObject({
    kind: z.literal('set'),
    key: z.enum(SETTING_KEYS),
    found: settingValue.nullable(),
    value: settingValue.nullable(),
  }),
])

export const intent: z.ZodType<Intent> = z.strictObject({
  id: z.string().regex(/^[0-9]{10}$/),
  edit,
  atSec: seconds,
  again: z.literal(true).exactOptional(),
  published: tablePoint.nullable(),
  republished: tablePoint.nullable().exactOptional(),
  between: z.array(tablePoint).max(MAX_POINTS_BETWEEN).exactOptional(),
  settled: z.literal(true).exactOptional(),
})
