/** The methods of contacts: lookup, observations, links, pending changes (docs/ipc.md, section 3). */
import * as z from '../../schema/zod.ts'
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
import { nickname, contactName, noParams, method, largeMethod, type Empty } from './params.ts'

const MAX_SOURCE_CHARS = 128 // sanity: a kind and a key; stored with each device that the source reported

/** The owner's answer to a pending change. */
export interface PendingAnswer {
  contact: string
  /** Needed only if the contact has more than one pending change. */
  kind?: PendingKind
  /** T of the table that the owner looked at: the answer is for no other one. */
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
  'observe.undo': MethodSpec<{ profile: string }, { devices: number; contacts: number; names: string[] }>
  'link.get': MethodSpec<{ name?: string }, links.OwnLink>
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
  'contact.join': MethodSpec<{ contact: string; other: string }, Contact>
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
    'Find the contact of a ToxPk, a PersonaID, a name, or a prefix of a key',
    z.strictObject({ query: z.string().min(1).max(256) }),
    lookupResult,
  ),
  verify: method(
    'read',
    'Judge a status message without storing anything',
    z.strictObject({ text: z.string().max(65_536), from: keyHex.exactOptional() }),
    verifyResult,
  ),
  observe: method(
    'observe',
    'Report the status message that a device shows now, or showed at a time in the past',
    observationParams,
    observeResult,
  ),
  'observe.batch': method(
    'admin',
    'Report many observations in one commit, such as the friends of a profile',
    z.strictObject({
      source: z.string().min(1).max(MAX_SOURCE_CHARS),
      observations: z.array(observationParams).min(1).max(MAX_BATCH),
    }),
    z.strictObject({ results: z.array(observeResult) }),
  ),
  'observe.undo': method(
    'admin',
    'Drop the reports of one profile, and forget the contacts that only it has shown',
    z.strictObject({ profile: keyHex }),
    z.strictObject({ devices: z.int(), contacts: z.int(), names: z.array(z.string()) }),
  ),
  'link.get': method(
    'read',
    "Get the owner's contact link, with or without a name in it",
    z.strictObject({ name: nickname.exactOptional() }),
    links.ownLink,
  ),
  'contact.list': {
    ...largeMethod(
      'List a page of contacts in the order of their names',
      z.strictObject({
        after: z.string().max(256).exactOptional(),
        limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
        blocked: z.boolean().exactOptional(),
      }),
      contactPage,
    ),
    isLong: true,
  },
  'contact.show': largeMethod(
    'Show one contact, by name or by a prefix of its PersonaID or a ToxPk',
    z.strictObject({ contact: z.string().min(1).max(256) }),
    contact,
  ),
  'contact.devices': largeMethod(
    'List the devices of a contact in order, with advice for a Tox client on each',
    contactDevicesParams,
    contactDevices,
  ),
  'contact.number': method(
    'read',
    'Get the safety number of a contact and the own one',
    z.strictObject({ contact: z.string().min(1).max(256) }),
    links.safetyNumbers,
  ),
  'contact.add': method(
    'admin',
    'Add a persona by its contact link, before any of its tables was seen',
    links.addContactParams,
    links.addedContact,
  ),
  'contact.verify': method(
    'admin',
    'Mark a contact verified after the owner compared its safety number or link',
    links.verifyContactParams,
    links.safetyNumbers,
  ),
  'contact.rename': method(
    'admin',
    'Rename a contact',
    z.strictObject({ contact: contactName, name: contactName }),
    contact,
  ),
  'contact.block': method(
    'admin',
    'Block a contact: no more events or alarms about it; its devices are still recorded',
    z.strictObject({ contact: contactName }),
    contact,
  ),
  'contact.unblock': method('admin', 'Unblock a contact', z.strictObject({ contact: contactName }), contact),
  'contact.forget': method(
    'admin',
    'Forget a contact; the pinned chain and the head of a persona stay, out of sight',
    z.strictObject({ contact: contactName }),
    noParams,
  ),
  'contact.join': method(
    'admin',
    'Join two contacts without a persona that are one person; the name of the first stays',
    z.strictObject({ contact: contactName, other: contactName }),
    contact,
  ),
  'contact.split': method(
    'admin',
    'Split a device from a contact that it does not belong to, or a friend from those it was joined with; it becomes an entry of its own',
    z.strictObject({ contact: contactName, device: contactName, name: contactName.exactOptional() }),
    contact,
  ),
  'contact.export': {
    ...method(
      'admin',
      'Export a page of contacts for another daemon: links, names, policies, blocks',
      z.strictObject({
        after: z.string().max(256).exactOptional(),
        limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
      }),
      cards.cardPage,
    ),
    isLarge: true,
    isLong: true,
  },
  'contact.import': method(
    'admin',
    'Import such a list; pinned chains do not change, and forgotten contacts stay forgotten',
    cards.importContactsParams,
    z.strictObject({ results: z.array(cards.importedContact) }),
  ),
  'contact.policy': {
    ...method(
      'admin',
      'Set whether the daemon accepts newer tables of a contact by itself, after asking, or not at all',
      z.strictObject({ contact: z.string().min(1).max(256), policy: policy }),
      contact,
    ),
    isLarge: true,
  },
  'pending.list': {
    ...method(
      'admin',
      'List the pending changes',
      z.strictObject({
        after: keyHex.exactOptional(),
        limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
      }),
      z.strictObject({ pending: z.array(pendingUpdate), next: keyHex.nullable() }),
    ),
    isLarge: true,
    isLong: true,
  },
  'pending.accept': method('admin', 'Accept a pending change', pendingAnswer, pendingUpdate),
  'pending.reject': method('admin', 'Reject a pending change; a newer one asks again', pendingAnswer, pendingUpdate),
}
