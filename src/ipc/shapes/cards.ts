/** A list of contacts that travels from one daemon to another in a file (docs/ipc.md, section 3, ContactCard). */
import * as z from '../../schema/zod.ts'
import { MAX_ALIASES } from '../../core/consent.ts'
import { MAX_BATCH } from './limits.ts'
import { linkText } from './links.ts'
import type { Policy } from './contact.ts'

const name = z.string().min(1).max(256) // sanity: a name is cut at 64 characters

/** One contact as it is exported; nothing that its devices showed. */
export interface ContactCard {
  link: string
  name: string
  aliases: string[]
  policy: Policy
  blocked: boolean
  /** The owner of the list compared its safety number. */
  verified: boolean
}

export const contactCard: z.ZodType<ContactCard> = z.strictObject({
  link: linkText,
  name,
  aliases: z.array(name).max(MAX_ALIASES),
  policy: z.enum(['auto', 'ask', 'pin']),
  blocked: z.boolean(),
  verified: z.boolean(),
})

export interface CardPage {
  contacts: ContactCard[]
  /** Pass as `after` for the next page; null on the last. */
  next: string | null
}

export const cardPage: z.ZodType<CardPage> = z.strictObject({
  contacts: z.array(contactCard),
  next: z.string().nullable(),
})

export interface ImportContactsParams {
  contacts: ContactCard[]
  /** Bring back contacts that were forgotten here. */
  again?: boolean
  /** The list is the owner's own, so its verified contacts are verified here too. */
  trustVerified?: boolean
}

export const importContactsParams: z.ZodType<ImportContactsParams> = z.strictObject({
  contacts: z.array(contactCard).min(1).max(MAX_BATCH),
  again: z.boolean().exactOptional(),
  trustVerified: z.boolean().exactOptional(),
})

/** The outcome of one card. */
export interface ImportedContact {
  name: string
  personaId: string | null
  outcome: 'added' | 'known' | 'refused'
  /** Why it was refused. */
  code: string | null
  message: string | null
}

export const importedContact: z.ZodType<ImportedContact> = z.strictObject({
  name: z.string(),
  personaId: z.string().nullable(),
  outcome: z.enum(['added', 'known', 'refused']),
  code: z.string().nullable(),
  message: z.string().nullable(),
})
