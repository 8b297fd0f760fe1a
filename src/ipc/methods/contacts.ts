/** The methods about friends: who somebody is, what devices showed, what waits for the owner's answer (docs/ipc.md, section 3). */
import { z } from 'zod'
import { MAX_BATCH, MAX_PAGE } from '../shapes/limits.ts'
import type { MethodSpec } from './method.ts'
import * as cards from '../shapes/cards.ts'
import * as links from '../shapes/links.ts'
import { keyHex } from '../shapes/scalars.ts'
import {
  type Contact,
  type ContactPage,
  type LookupResult,
  type Policy,
  contact,
  contactPage,
  lookupResult,
  policy,
} from '../shapes/contact.ts'
import {
  type ObservationParams,
  type ObserveResult,
  type VerifyResult,
  observationParams,
  observeResult,
  verifyResult,
} from '../shapes/judged.ts'
import {
  contactDevices,
  contactDevicesParams,
  type ContactDevices,
  type ContactDevicesParams,
} from '../shapes/advice.ts'
import { pendingKind, pendingUpdate, type PendingKind, type PendingUpdate } from '../shapes/pending.ts'
import { contactName, noParams, method, largeMethod, type Empty } from './params.ts'

const MAX_SOURCE_CHARS = 128 // sanity: a kind and a key; kept with each device that the source reported

/** What the owner says to something that waits. */
export interface PendingAnswer {
  contact: string
  /** Needed only where more than one thing of the contact waits. */
  kind?: PendingKind
  /** T of the table that was looked at: another one is not meant. */
  tableHash?: string
}

const pendingAnswer: z.ZodType<PendingAnswer> = z.strictObject({
  contact: z.string().min(1).max(256),
  kind: pendingKind.exactOptional(),
  tableHash: keyHex.exactOptional(),
})

export interface ContactsMethods {
  lookup: MethodSpec<{ query: string }, LookupResult>
  verify: MethodSpec<{ text: string; from?: string }, VerifyResult>
  observe: MethodSpec<ObservationParams, ObserveResult>
  'observe.batch': MethodSpec<{ source: string; observations: ObservationParams[] }, { results: ObserveResult[] }>
  'link.get': MethodSpec<Empty, links.OwnLink>
  'contact.list': MethodSpec<{ after?: string; limit?: number; blocked?: boolean }, ContactPage>
  'contact.show': MethodSpec<{ contact: string }, Contact>
  'contact.devices': MethodSpec<ContactDevicesParams, ContactDevices>
  'contact.number': MethodSpec<{ contact: string }, links.SafetyNumbers>
  'contact.add': MethodSpec<links.AddContactParams, links.AddedContact>
  'contact.verify': MethodSpec<links.VerifyContactParams, links.SafetyNumbers>
  'contact.rename': MethodSpec<{ contact: string; name: string }, Contact>
  'contact.block': MethodSpec<{ contact: string }, Contact>
  'contact.unblock': MethodSpec<{ contact: string }, Contact>
  'contact.forget': MethodSpec<{ contact: string }, Empty>
  'contact.split': MethodSpec<{ contact: string; device: string; name?: string }, Contact>
  'contact.export': MethodSpec<{ after?: string; limit?: number }, cards.CardPage>
  'contact.import': MethodSpec<cards.ImportContactsParams, { results: cards.ImportedContact[] }>
  'contact.policy': MethodSpec<{ contact: string; policy: Policy }, Contact>
  'pending.list': MethodSpec<{ after?: string; limit?: number }, { pending: PendingUpdate[]; next: string | null }>
  'pending.accept': MethodSpec<PendingAnswer, PendingUpdate>
  'pending.reject': MethodSpec<PendingAnswer, PendingUpdate>
}

export const CONTACTS_METHODS: ContactsMethods = {
  lookup: largeMethod(
    'Who is this ToxPk, PersonaID, name, or prefix of one',
    z.strictObject({ query: z.string().min(1).max(256) }),
    lookupResult,
  ),
  verify: method(
    'read',
    'Judge a status message, storing nothing',
    z.strictObject({ text: z.string().max(65_536), from: keyHex.exactOptional() }),
    verifyResult,
  ),
  observe: method(
    'observe',
    'Report the status message that a device showed to you just now, or at a time in the past',
    observationParams,
    observeResult,
  ),
  'observe.batch': method(
    'admin',
    'Report many, such as the friends of a profile file; one commit for all',
    z.strictObject({
      source: z.string().min(1).max(MAX_SOURCE_CHARS),
      observations: z.array(observationParams).min(1).max(MAX_BATCH),
    }),
    z.strictObject({ results: z.array(observeResult) }),
  ),
  'link.get': method('read', "The owner's contact link", noParams, links.ownLink),
  'contact.list': largeMethod(
    'A page of contacts in the order of their names',
    z.strictObject({
      after: z.string().max(256).exactOptional(),
      limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
      blocked: z.boolean().exactOptional(),
    }),
    contactPage,
  ),
  'contact.show': largeMethod(
    'One contact, by name or prefix of a PersonaID or ToxPk',
    z.strictObject({ contact: z.string().min(1).max(256) }),
    contact,
  ),
  'contact.devices': largeMethod(
    'The devices of one contact in order, and what a Tox client does with each',
    contactDevicesParams,
    contactDevices,
  ),
  'contact.number': method(
    'read',
    'The safety number of a contact, and the own one',
    z.strictObject({ contact: z.string().min(1).max(256) }),
    links.safetyNumbers,
  ),
  'contact.add': method(
    'admin',
    'Know a persona by its contact link, before any of its tables was seen',
    links.addContactParams,
    links.addedContact,
  ),
  'contact.verify': method(
    'admin',
    'Mark a contact verified whose safety number or link the owner compared',
    links.verifyContactParams,
    links.safetyNumbers,
  ),
  'contact.rename': method(
    'admin',
    'Call a contact otherwise',
    z.strictObject({ contact: contactName, name: contactName }),
    contact,
  ),
  'contact.block': method(
    'admin',
    'Hear nothing of a contact any more; what its devices show is kept all the same',
    z.strictObject({ contact: contactName }),
    contact,
  ),
  'contact.unblock': method('admin', 'Take a block back', z.strictObject({ contact: contactName }), contact),
  'contact.forget': method(
    'admin',
    'Forget a contact; of a persona the pinned chain and the head are kept, out of sight',
    z.strictObject({ contact: contactName }),
    noParams,
  ),
  'contact.split': method(
    'admin',
    'Take a device from a contact that it was wrongly taken for; it stands for itself then',
    z.strictObject({ contact: contactName, device: contactName, name: contactName.exactOptional() }),
    contact,
  ),
  'contact.export': {
    ...method(
      'admin',
      'A page of contact links with what the owner calls them, for another daemon',
      z.strictObject({
        after: z.string().max(256).exactOptional(),
        limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
      }),
      cards.cardPage,
    ),
    isLarge: true,
  },
  'contact.import': method(
    'admin',
    'Take such a list; a pinned chain stays as it is, and who was forgotten stays so',
    cards.importContactsParams,
    z.strictObject({ results: z.array(cards.importedContact) }),
  ),
  'contact.policy': {
    ...method(
      'admin',
      'Whether newer tables of a contact are taken by themselves, after asking, or not at all',
      z.strictObject({ contact: z.string().min(1).max(256), policy: policy }),
      contact,
    ),
    isLarge: true,
  },
  'pending.list': {
    ...method(
      'admin',
      'What waits for an answer of the owner',
      z.strictObject({
        after: keyHex.exactOptional(),
        limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
      }),
      z.strictObject({ pending: z.array(pendingUpdate), next: keyHex.nullable() }),
    ),
    isLarge: true,
  },
  'pending.accept': method('admin', 'Take what waits', pendingAnswer, pendingUpdate),
  'pending.reject': method('admin', 'Leave it until there is a newer one', pendingAnswer, pendingUpdate),
}
