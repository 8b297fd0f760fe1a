/** What a Tox client does with the devices of one contact, as it travels over the socket (docs/ipc.md, section 4). */
import { z } from 'zod'
import { keyHex } from './scalars.ts'
import type { Contact, ContactDevice } from './contact.ts'

const MAX_KNOWN = 10_000 // sanity: 670 kB of a frame; Tox clients grow slow long before so many friends

export interface ContactDevicesParams {
  contact: string
  /** ToxPks in the friend list of the client that asks, and its own. */
  known?: string[]
}

const ADVICE = [
  'send', // messages for this person go here
  'keep', // belongs to the same person; messages go elsewhere
  'add', // belongs to somebody in the friend list, and is not in it
  'ask', // the same, but the user is to be asked before it is added
  'wait', // listed, and has not shown itself that it belongs here
  'avoid', // not, or no longer, one of this person's
] as const
export type Advice = (typeof ADVICE)[number]

export interface AdvisedDevice {
  /** Nickname in the table, or the Tox name of a provisional entry. */
  name: string
  key: string
  state: ContactDevice['state']
  /** When it was last observed. */
  seenAtSec: number | null
  /** Whether the client that asks has it among its friends; null when it did not say whom it has. */
  known: boolean | null
  advice: Advice
  /** The advice in words; it holds no name that somebody else chose. */
  says: string
}

/** Everything a client needs to show one person where it had several friends. */
export interface ContactDevices {
  kind: Contact['kind']
  name: string
  personaId: string | null
  /** The owner wants to hear nothing of it. */
  blocked: boolean
  /** Key of the device that messages should go to. */
  active: string | null
  /** Key of the one that they can go to now: the active one, else the first confirmed one that is among the friends. */
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
