/** The records of a snapshot, each with the strict shape by which the other device reads it (docs/backup.md). */
import * as z from '../../schema/zod.ts'
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { MAX_EVIDENCE_PER_PERSONA, type Evidence } from '../../core/evidence.ts'
import { MAX_DEVICES, MAX_SEQ } from '../../core/limits.ts'
import type { Device } from '../../core/table.ts'
import { MAX_ALIASES, MAX_SOURCES, type ContactEntry, type Report } from '../../core/consent.ts'
import { MAX_JOINED } from '../contacts/join.ts'
import type { Purpose } from '../state/kind.ts'
import { foldName } from '../state/name-form.ts'
import { MAX_CLAIMANTS, type DeviceRecord } from '../state/device-record.ts'
import { MAX_KNOWN_NAMES, MAX_OTHERS, type PersonaRecord } from '../state/persona-record.ts'
import type { AlarmRecord } from '../state/local-records.ts'
import type { SnapshotItem } from '../state/records.ts'
import { keyHex } from '../../ipc/shapes/scalars.ts'
import { intent, own, pastTable } from './shape-own.ts'
import { blob, deviceKey, epoch, nickname, seconds, seq } from './shape-values.ts'

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

const MAX_WING_ID_CHARS = 128 // sanity: as long as a source; it must fit into a key of the store together with two names

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

export const alarm: z.ZodType<AlarmRecord> = z.strictObject({
  code: z.string().regex(/^[A-Z_]{1,64}$/),
  personaId: keyHex.nullable(),
  keys: z.array(deviceKey).max(MAX_OTHERS),
  message: z.string().max(MAX_MESSAGE_CHARS),
  sinceSec: seconds,
  lastSec: seconds,
  count: z.int().min(0),
  table: z.strictObject({ epoch: z.int().min(0), seq: z.int().min(1) }).exactOptional(),
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
