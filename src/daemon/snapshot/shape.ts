/** The records of a snapshot, each with the strict shape by which the other device reads it (docs/backup.md). */
import { z } from 'zod'
import { checkDeviceKey } from '../../core/blob.ts'
import { encodeUtf8, parseHex } from '../../core/encoding/bytes.ts'
import { BlobError } from '../../core/errors.ts'
import { MAX_EVIDENCE_PER_PERSONA, type Evidence } from '../../core/evidence.ts'
import type { TablePoint } from '../../core/order.ts'
import type { Edit } from '../../core/edit.ts'
import { MAX_POINTS_BETWEEN, type Intent } from '../../core/intents.ts'
import { type DocumentValue, SETTING_KEYS, type Settings } from '../../core/document.ts'
import { MAX_DEVICES, MAX_DOCUMENT_BYTES, MAX_EPOCH, MAX_SEQ, MAX_TOKEN_CHARS } from '../../core/limits.ts'
import { checkNickname } from '../../core/nickname.ts'
import { MAX_STATEMENT_BYTES, parseStatement } from '../../core/succession/statement.ts'
import type { Device } from '../../core/table.ts'
import { MAX_ALIASES, MAX_SOURCES, type ContactEntry, type Report } from '../../core/consent.ts'
import { MAX_JOINED } from '../contacts/join.ts'
import { MAX_NOTES } from '../own/notes.ts'
import type { Purpose } from '../state/kind.ts'
import { foldName } from '../state/name-form.ts'
import {
  MAX_CLAIMANTS,
  MAX_KNOWN_NAMES,
  MAX_OTHERS,
  MAX_PAST_TABLES,
  MAX_TOMBSTONES,
  type AlarmRecord,
  type DeviceRecord,
  type OwnRecord,
  type PastTable,
  type PersonaRecord,
  type SnapshotItem,
} from '../state/records.ts'
import { keyHex } from '../../ipc/shapes/scalars.ts'

export const SNAPSHOT_VERSION = 1

/** The first line. */
export interface SnapshotHeader {
  readonly kind: 'snapshot'
  readonly version: number
  readonly purpose: Purpose
  /** The owner's PersonaID; null for contacts without an owner. */
  readonly personaId: string | null
  /** Unix seconds, the writer's clock. */
  readonly madeAtSec: number
}

/** The last line. A snapshot without it was cut off. */
export interface SnapshotEnd {
  readonly kind: 'end'
  readonly items: number
  /** H of all lines before this one, 64 hex digits. */
  readonly hash: string
}

const MAX_NAME_BYTES = 400 // sanity: 64 code points in the form for comparing, 5 bytes each, and the number that makes a name unique; it must fit into a key of the store

const MAX_SOURCE_CHARS = 128 // sanity: as in observe.batch

const MAX_MESSAGE_CHARS = 1024 // sanity: a sentence with two names in it

const MAX_LINKS_CHARS: number = (MAX_EPOCH - 1) * 32 // format: 16 bytes for each epoch between

const MAX_STATEMENT_CHARS: number = Math.ceil((MAX_STATEMENT_BYTES * 4) / 3) // format: base64url of a whole successor statement

const MAX_WING_ID_CHARS = 128 // sanity: as long as a source; it must fit into a key of the store together with two names

const seconds = z.int().min(0)

const epoch = z.int().min(0).max(MAX_EPOCH)

const seq = z.int().min(1).max(MAX_SEQ)

const blob = z.string().max(MAX_TOKEN_CHARS)

const hexOf = (maxChars: number): z.ZodType<string> =>
  z
    .string()
    .max(maxChars)
    .regex(/^([0-9A-F]{2})*$/)

const deviceKey = keyHex.refine(isDeviceKey, 'is not a device key')

const nickname = z.string().refine(isNickname, 'is not a nickname')

// Foreign text, so escape it wherever it is shown. No name that we keep is longer.
const entryName = z
  .string()
  .min(1)
  .max(MAX_NAME_BYTES)
  .refine((name) => name.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name), 'is not a name')
  .refine((name) => encodeUtf8(foldName(name)).length <= MAX_NAME_BYTES, 'is too long')

const source = z.string().min(1).max(MAX_SOURCE_CHARS)

const entry: z.ZodType<ContactEntry> = z.strictObject({
  name: entryName,
  aliases: z.array(entryName).max(MAX_ALIASES),
  policy: z.enum(['auto', 'ask', 'pin']),
  blocked: z.boolean(),
  createdSec: seconds,
})

const evidence: z.ZodType<Evidence> = z.strictObject({
  kind: z.enum(['stale', 'fork', 'violation']),
  epoch,
  seq,
  tableHash: keyHex,
  root: keyHex,
  seenAtSec: seconds,
  blob,
})

export const device: z.ZodType<Device> = z.strictObject({
  name: nickname,
  key: deviceKey,
  companion: z.literal(true).exactOptional(),
})

export const persona: z.ZodType<PersonaRecord> = z.strictObject({
  personaId: keyHex,
  root: keyHex,
  minEpoch: epoch,
  head: blob.nullable(),
  epoch,
  seq: z.int().min(0).max(MAX_SEQ), // 0 without a head
  timeSec: seconds,
  seenSec: seconds.exactOptional(),
  devices: z
    .array(device)
    .max(MAX_DEVICES)
    .refine((devices) => new Set(devices.map(({ key }) => key)).size === devices.length, 'has a key twice'),
  needsNewerPersona: z.boolean(),
  pending: z.strictObject({ tableHash: keyHex, sinceSec: seconds, rejected: z.boolean() }).nullable(),
  held: blob.nullable(),
  names: z.array(z.tuple([deviceKey, nickname])).max(MAX_KNOWN_NAMES),
  others: z.array(deviceKey).max(MAX_OTHERS),
  evidence: z.array(evidence).max(MAX_EVIDENCE_PER_PERSONA),
  verifiedAtSec: seconds.nullable(),
  elsewhere: z
    .strictObject({
      source,
      root: keyHex,
      sinceSec: seconds,
      verifiedAtSec: seconds.nullable(),
      minEpoch: epoch,
      refused: z.strictObject({ verified: z.boolean(), minEpoch: epoch }),
    })
    .exactOptional(),
  entry: entry.nullable(),
  successor: z.strictObject({ blob, tableHash: keyHex, sinceSec: seconds, rejected: z.boolean() }).exactOptional(),
  replaces: z.strictObject({ personaId: keyHex, root: keyHex }).exactOptional(),
})

const report: z.ZodType<Report> = z.strictObject({
  source,
  token: z
    .strictObject({
      atSec: seconds,
      personaId: keyHex,
      lists: z.boolean(),
      root: keyHex.exactOptional(),
      table: z.strictObject({ epoch, seq }).exactOptional(),
    })
    .nullable(),
  bare: z.strictObject({ firstSec: seconds, lastSec: seconds }).nullable(),
})

const deviceRecord: z.ZodType<DeviceRecord> = z.strictObject({
  reports: z.array(report).max(MAX_SOURCES),
  bound: keyHex.nullable(),
  left: z.strictObject({ atSec: seconds, epoch, seq }).nullable(),
  claimedBy: z.array(keyHex).max(MAX_CLAIMANTS),
  entry: entry.nullable(),
  pending: z.strictObject({ blob, tableHash: keyHex, sinceSec: seconds, rejected: z.boolean() }).nullable(),
  seenAtSec: seconds.nullable(),
  heardAtSec: seconds,
  joins: z.array(deviceKey).max(MAX_JOINED).exactOptional(),
  joinedTo: deviceKey.exactOptional(),
})

const point = { epoch, seq, tableHash: keyHex }

const tablePoint: z.ZodType<TablePoint> = z.strictObject(point)

const pastTable: z.ZodType<PastTable> = z.strictObject({ ...point, prev: z.string().regex(/^[0-9A-F]{32}$/) })

// A document has at most so many characters, so no value in it is longer.
const settingText = z.string().max(MAX_DOCUMENT_BYTES)

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

export const alarm: z.ZodType<AlarmRecord> = z.strictObject({
  code: z.string().regex(/^[A-Z_]{1,64}$/),
  personaId: keyHex.nullable(),
  keys: z.array(deviceKey).max(MAX_OTHERS),
  message: z.string().max(MAX_MESSAGE_CHARS),
  sinceSec: seconds,
  lastSec: seconds,
  count: z.int().min(0),
  dueSec: seconds.nullable(),
})

/** The first line. A later version may look different, so `version` is judged before the rest. */
export const snapshotHeader: z.ZodType<SnapshotHeader> = z.strictObject({
  kind: z.literal('snapshot'),
  version: z.literal(SNAPSHOT_VERSION),
  purpose: z.enum(['backup', 'sibling']),
  personaId: keyHex.nullable(),
  madeAtSec: seconds,
})

/** All other lines. An unknown kind or field comes from a later personad, and is refused. */
export const snapshotItem: z.ZodType<SnapshotItem | SnapshotEnd> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('persona'), id: keyHex, value: persona }),
  z.strictObject({ kind: z.literal('device'), id: deviceKey, value: deviceRecord }),
  z.strictObject({ kind: z.literal('own'), id: z.literal('own'), value: own }),
  z.strictObject({ kind: z.literal('past'), id: z.string().regex(/^[0-9]{10}$/), value: pastTable }),
  z.strictObject({ kind: z.literal('intent'), id: z.string().max(16), value: intent }),
  z.strictObject({ kind: z.literal('alarm'), id: z.string().regex(/^[0-9a-f]{1,64}$/), value: alarm }),
  // The kind of the wing checks the value, and the id once more.
  z.strictObject({
    kind: z.literal('wing'),
    of: z.string().regex(/^[a-z]{1,32}$/),
    id: z.string().min(1).max(MAX_WING_ID_CHARS),
    value: z.unknown(),
  }),
  z.strictObject({ kind: z.literal('end'), items: z.int().min(0), hash: keyHex }),
])

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
