/** Contact links and safety numbers on the socket (docs/ipc.md, section 3). */
import * as z from '../../schema/zod.ts'
import { keyHex } from './scalars.ts'
import { contact, type Contact } from './contact.ts'

const epoch = z.int().min(0)
/** 60 digits without spaces (docs/format.md, section 13). */
const number: z.ZodType<string> = z.string().regex(/^[0-9]{60}$/, 'must be 60 digits')

const MAX_LINK_CHARS = 1024 // sanity: eight times a link, for one that a mail program broke into lines

export const linkText: z.ZodType<string> = z.string().max(MAX_LINK_CHARS)

/** The contact link that the owner gives to people. */
export interface OwnLink {
  link: string
  personaId: string
  /** c_0. */
  chainRoot: string
  epoch: number
  safetyNumber: string
}

export const ownLink: z.ZodType<OwnLink> = z.strictObject({
  link: z.string(),
  personaId: keyHex,
  chainRoot: keyHex,
  epoch,
  safetyNumber: number,
})

export interface AddContactParams {
  link: string
  /** For a known contact: its new name. */
  name?: string
  /** Accept the chain and epoch of the link even if others are pinned. */
  repin?: boolean
}

export const addContactParams: z.ZodType<AddContactParams> = z.strictObject({
  link: linkText,
  name: z.string().min(1).max(256).exactOptional(), // sanity: a name is cut at 64 characters
  repin: z.boolean().exactOptional(),
})

const OUTCOMES = [
  'added',
  'known', // the link changed nothing
  'raised', // tables of epochs below that of the link are refused from now on
  'lowered', // by the owner's decision: an earlier link had a wrong, higher epoch
  'repinned', // earlier knowledge of the persona no longer counts
] as const

export interface AddedContact {
  outcome: (typeof OUTCOMES)[number]
  contact: Contact
}

export const addedContact: z.ZodType<AddedContact> = z.strictObject({ outcome: z.enum(OUTCOMES), contact })

/** The safety numbers of a contact and of the owner. Both people must see the same two numbers. */
export interface SafetyNumbers {
  name: string
  personaId: string
  safetyNumber: string
  /** The epoch of the head. People compare it too: a lower one means that a rotation was missed. null before any table was seen. */
  epoch: number | null
  verifiedAtSec: number | null
  /** null if the owner has no persona. */
  own: { safetyNumber: string; epoch: number } | null
}

export const safetyNumbers: z.ZodType<SafetyNumbers> = z.strictObject({
  name: z.string(),
  personaId: keyHex,
  safetyNumber: number,
  epoch: epoch.nullable(),
  verifiedAtSec: epoch.nullable(),
  own: z.strictObject({ safetyNumber: number, epoch }).nullable(),
})

/** Exactly one of the two. */
export interface VerifyContactParams {
  contact: string
  number?: string
  link?: string
}

export const verifyContactParams: z.ZodType<VerifyContactParams> = z
  .strictObject({
    contact: z.string().min(1).max(256),
    number: number.exactOptional(),
    link: linkText.exactOptional(),
  })
  .refine((params) => (params.number === undefined) !== (params.link === undefined), 'give either number or link')
