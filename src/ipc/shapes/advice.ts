/** Advice for a Tox client: what to do with each device of a contact (docs/ipc.md, section 3, ContactDevices). */
import * as z from '../../schema/zod.ts'
import { keyHex } from './scalars.ts'
import type { Contact, ContactDevice } from './contact.ts'

const MAX_KNOWN = 10_000 // sanity: 670 kB of a frame; Tox clients grow slow long before so many friends

export interface ContactDevicesParams {
  contact: string
  /** ToxPks in the client's friend list, and its own. */
  known?: string[]
}

const ADVICE = [
  'send', // messages for this person go here
  'keep', // the same person; messages go elsewhere
  'add', // not in the friend list, but the person is
  'ask', // the same, but the client asks its user before it adds the device
  'wait', // listed, but the device has not confirmed it
  'avoid', // not a device of this person, or no longer one
] as const
export type Advice = (typeof ADVICE)[number]

export interface AdvisedDevice {
  /** Nickname in the table, or the Tox name of a provisional entry. */
  name: string
  key: string
  state: ContactDevice['state']
  /** Time of the last observation. */
  seenAtSec: number | null
  /** Whether the client has it as a friend; null if the client gave no friend list. */
  known: boolean | null
  advice: Advice
  /** The advice in words. It holds no name that somebody else chose. */
  says: string
}

/** Everything a client needs to show several friends as one person. */
export interface ContactDevices {
  kind: Contact['kind']
  name: string
  personaId: string | null
  /** The owner blocked the contact. */
  blocked: boolean
  /** Key of the active device: messages should go there. */
  active: string | null
  /** Key of the device that messages can go to now: the active one, else the first confirmed one that is a friend. */
  sendTo: string | null
  /** Confirmed ones, the active first; then claimed, former and asserted ones. */
  devices: AdvisedDevice[]
}

export const contactDevicesParams: z.ZodType<ContactDevicesParams> = z.strictObject({
  contact: z.string().min(1).max(256),
  known: z.array(keyHex).max(MAX_KNOWN).exactOptional(),
})

const advisedDevice: z.ZodType<AdvisedDevice> = z.strictObject({
  name: z.string(),
  key: keyHex,
  state: z.enum(['claimed', 'confirmed', 'former', 'asserted', 'provisional']),
  seenAtSec: z.int().min(0).nullable(),
  known: z.boolean().nullable(),
  advice: z.enum(ADVICE),
  says: z.string(),
})

export const contactDevices: z.ZodType<ContactDevices> = z.strictObject({
  kind: z.enum(['persona', 'provisional', 'own']),
  name: z.string(),
  personaId: keyHex.nullable(),
  blocked: z.boolean(),
  active: keyHex.nullable(),
  sendTo: keyHex.nullable(),
  devices: z.array(advisedDevice),
})
