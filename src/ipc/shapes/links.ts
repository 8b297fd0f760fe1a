/** Contact links and safety numbers as they travel over the socket (docs/ipc.md, section 4). */
import { z } from 'zod'
import { keyHex } from './scalars.ts'
import { contact, type Contact } from './contact.ts'

const epoch = z.int().min(0)
/** 60 digits without spaces (docs/format.md, section 13). */
const number: z.ZodType<string> = z.string().regex(/^[0-9]{60}$/, 'must be 60 digits')

const MAX_LINK_CHARS = 1024 // sanity: eight times a link, for one that a mail program broke into pieces

export const linkText: z.ZodType<string> = z.string().max(MAX_LINK_CHARS)

/** What the owner gives to people who are to know the persona. */
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
  /** For a contact that is known already, its new name. */
  name?: string
  /** Take the chain and epoch of the link although others are pinned. */
  repin?: boolean
}

export const addContactParams: z.ZodType<AddContactParams> = z.strictObject({
  link: linkText,
  name: z.string().min(1).max(256).exactOptional(), // sanity: a name is cut at 64 characters
  repin: z.boolean().exactOptional(),
})

const OUTCOMES = [
  'added',
  'known', // the link said nothing new
  'raised', // tables of the epochs before that of the link are refused from now on
  'lowered', // by the owner's own word: a link of a higher epoch was wrong
  'repinned', // what was known of the persona before counts no more
] as const

export interface AddedContact {
  outcome: (typeof OUTCOMES)[number]
  contact: Contact
}

export const addedContact: z.ZodType<AddedContact> = z.strictObject({ outcome: z.enum(OUTCOMES), contact })

/** The safety number of a contact beside the owner's: each is to see the same two on both screens. */
export interface SafetyNumbers {
  name: string
  personaId: string
  safetyNumber: string
  /** Of the head, to be compared as well: who knows only a lower one missed a rotation. Null before any table was seen. */
  epoch: number | null
  verifiedAtSec: number | null
  /** null without an own persona. */
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
