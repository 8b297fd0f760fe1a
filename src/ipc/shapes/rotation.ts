/** Rotation, leaving and erasing on the socket (docs/ipc.md, section 3, RotationPlan). */
import * as z from '../../schema/zod.ts'
import type { DocumentValue, Settings } from '../../core/document.ts'
import { keyHex } from './scalars.ts'
import { tableDevice, type TableDevice } from './contact.ts'
import { gaveUp, type GaveUp } from './own.ts'

/** The owner's wishes for a rotation; devices by nickname or digits of the key. */
export interface RotationWishes {
  /** Lost devices, and others to leave out. */
  without?: string[]
  /** Devices to keep or to put back, although the plan would leave them out. */
  keep?: string[]
  /** Leave out devices that came at or after this time. */
  sinceSec?: number
  /** The new epoch; else one more than the highest that was seen. */
  epoch?: number
}

const MAX_NAMED = 64 // sanity: nobody can name more devices than the daemon remembers
const names = z.array(z.string().min(1).max(256)).max(MAX_NAMED)

export const rotationWishes: {
  without: z.ZodExactOptional<z.ZodType<string[]>>
  keep: z.ZodExactOptional<z.ZodType<string[]>>
  sinceSec: z.ZodExactOptional<z.ZodType<number>>
  epoch: z.ZodExactOptional<z.ZodType<number>>
} = {
  without: (names as z.ZodType<string[]>).exactOptional(),
  keep: (names as z.ZodType<string[]>).exactOptional(),
  sinceSec: (z.int().min(0) as z.ZodType<number>).exactOptional(),
  epoch: (z.int().min(1).max(255) as z.ZodType<number>).exactOptional(),
}

const WHY_LEFT_OUT = [
  'named', // by the owner, as lost or to be left out
  'unapproved', // came only through a sibling's table, and was never approved here
  'since', // came at or after the given time
  'gone', // a sibling's table removed it before; listed for information, and put back if `keep` names it
] as const

export interface LeftOut extends TableDevice {
  why: (typeof WHY_LEFT_OUT)[number]
}

export const leftOut: z.ZodType<LeftOut> = z.strictObject({
  name: z.string(),
  key: keyHex,
  companion: z.literal(true).exactOptional(),
  why: z.enum(WHY_LEFT_OUT),
})

/** The table that a rotation would publish. The owner looks at it before it is signed. */
export interface RotationPlan {
  /** Epoch of the head now. */
  fromEpoch: number
  epoch: number
  /** In order, the active first. */
  devices: TableDevice[]
  leftOut: LeftOut[]
  /** The settings of the document that it keeps. */
  settings: Settings
  /** The parts that the table gives up: names that do not fit, and keys of the document that this version does not understand. */
  gaveUp: GaveUp[]
  /** When the freshest copy of the own blob that a sibling or the owner showed was signed, at most now; null without one. */
  copySec: number | null
  /** The seed is still on this device, so no words are needed: theft protection is off. */
  hasSeed: boolean
  /** Name of this plan; `rotation.apply` signs exactly this table. */
  plan: string
}

const settingValue: z.ZodType<DocumentValue> = z.union([z.string(), z.array(z.string())])
const settings: z.ZodType<Settings> = z.strictObject({
  read: settingValue.exactOptional(),
  announce: settingValue.exactOptional(),
  at: settingValue.exactOptional(),
})

export const rotationPlan: z.ZodType<RotationPlan> = z.strictObject({
  fromEpoch: z.int().min(0),
  epoch: z.int().min(1),
  devices: z.array(tableDevice),
  leftOut: z.array(leftOut),
  settings,
  gaveUp,
  copySec: z.int().nullable(),
  hasSeed: z.boolean(),
  plan: keyHex,
})

/** The owner's wishes for the table of the successor, as for a rotation. */
export type SuccessionWishes = Pick<RotationWishes, 'without' | 'keep' | 'sinceSec'>

export const successionWishes: Omit<typeof rotationWishes, 'epoch'> = {
  without: rotationWishes.without,
  keep: rotationWishes.keep,
  sinceSec: rotationWishes.sinceSec,
}

/** The first table of the successor. The owner looks at it before it is signed. */
export interface SuccessionPlan {
  /** The persona that the new one would follow. */
  personaId: string
  /** Epoch of the head now. From 16 on friends are asked, since a thief of a device could sign the statement too. */
  epoch: number
  /** In order, the active first. */
  devices: TableDevice[]
  leftOut: LeftOut[]
  /** The settings of the document that it keeps, as a rotation would. */
  settings: Settings
  /** The parts that the table gives up to fit. */
  gaveUp: GaveUp[]
  /** 0..15. Contacts who know no table of this epoch or a later one do not follow; it may be one more in the signed table. */
  followFrom: number
  /** The seed of the present persona is still on this device, so no words are needed. */
  hasSeed: boolean
  /** Name of the plan: the call that applies it repeats it. */
  plan: string
}

export const successionPlan: z.ZodType<SuccessionPlan> = z.strictObject({
  personaId: keyHex,
  epoch: z.int().min(0),
  devices: z.array(tableDevice),
  leftOut: z.array(leftOut),
  settings,
  gaveUp,
  followFrom: z.int().min(0),
  hasSeed: z.boolean(),
  plan: keyHex,
})

/**
 * A channel or an open invite whose other side, or whose carrier, did not answer when the owner left; or a card that still lists this device. A card has
 * the address of its store as `id` and `name`, or neither where it could not be signed. A message that may still lie at a store has the address of the store
 * as `id`, and the PersonaID of its recipient as `name`.
 */
export interface Unreached {
  kind: 'channel' | 'invite' | 'card' | 'message'
  id: string
  app: string
  name: string
}

const unreached: z.ZodType<Unreached[]> = z.array(
  z.strictObject({
    kind: z.enum(['channel', 'invite', 'card', 'message']),
    id: z.string(),
    app: z.string(),
    name: z.string(),
  }),
)

export interface LeaveResult {
  /** The table without this device; null if the daemon could not sign one, since the key was superseded, the device unlisted, or the state restored. */
  status: string | null
  /** Devices of this daemon that were in the table. */
  local: TableDevice[]
  /** Devices that stay in the table. If no table could be signed, they include those of this daemon. */
  remaining: TableDevice[]
  personaId: string
}

/** The answer to `persona.leave`. */
export interface LeaveAnswer extends LeaveResult {
  unreached: Unreached[]
}

export const leaveAnswer: z.ZodType<LeaveAnswer> = z.strictObject({
  status: z.string().nullable(),
  local: z.array(tableDevice),
  remaining: z.array(tableDevice),
  personaId: keyHex,
  unreached,
})

export interface EraseResult {
  /** null if there was no persona. */
  personaId: string | null
  /** Devices of this daemon that the table still lists. */
  local: TableDevice[]
  /** Devices that still have the persona. */
  remaining: TableDevice[]
  unreached: Unreached[]
}

/** The first 8 digits of the PersonaID, as the owner typed them; zeros if there is no persona. */
export const eraseParams: z.ZodType<{ digits: string }> = z.strictObject({
  digits: z.string().regex(/^[0-9A-Fa-f]{8}$/, 'must be the first 8 digits of the PersonaID'),
})

export const eraseResult: z.ZodType<EraseResult> = z.strictObject({
  personaId: keyHex.nullable(),
  local: z.array(tableDevice),
  remaining: z.array(tableDevice),
  unreached,
})
