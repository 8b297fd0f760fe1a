/** The one table of methods (docs/ipc.md, section 3): name, who may call it, params, result. docs/openrpc.json is made from it. */
import { z } from 'zod'
import type { SealMode } from '../crypto/seal.ts'
import { MAX_EPOCH } from '../core/limits.ts'
import { MAX_BATCH, MAX_PAGE } from './limits.ts'
import type { MethodSpec, Permission } from './method.ts'
import { EVENT_NAMES, type EventName } from './events.ts'
import * as cards from './shapes-contacts.ts'
import * as links from './shapes-links.ts'
import { dueProfiles, writtenProfile, type DueProfiles, type WrittenProfile } from './shapes-profile.ts'
import { diagnosis, type Diagnosis } from './shapes-doctor.ts'
import * as backup from './shapes-backup.ts'
import * as shape from './shapes.ts'
import * as pairing from './shapes-pairing.ts'
import { alarm, evidenceFile, type Alarm, type EvidenceFile } from './shapes-alarms.ts'
import { app, appName, appToken, capabilities, type App, type AppToken, type Capability } from './shapes-apps.ts'
import * as rotation from './shapes-rotation.ts'
import {
  contactDevices,
  contactDevicesParams,
  type ContactDevices,
  type ContactDevicesParams,
} from './shapes-devices.ts'
import { pendingKind, pendingUpdate, type PendingKind, type PendingUpdate } from './shapes-pending.ts'
import { toxPeers, toxStatus, type ToxPeers, type ToxStatus } from './shapes-tox.ts'
import { syncResult, type SyncResult } from './shapes-sibling.ts'
import { logPage, logVerdict, type LogPage, type LogVerdict } from './shapes-log.ts'

const MAX_SOURCE_CHARS = 128 // sanity: a kind and a key; kept with each device that the source reported

/** Passphrases and words travel only over the admin socket, and never into a log. */
const passphrase = z.string().min(1).max(1024) // sanity: nobody types more; Argon2id itself has no need of a limit
const recoveryWords = z.string().max(512) // sanity: 24 words of at most 8 letters, generously spaced
const nickname = z.string().max(256) // sanity: the rules of core decide; this only bounds the work
const appSeconds = z
  .int()
  .min(60)
  .max(10 * 366 * 86_400) // sanity: up to ten years; for ever is to be said by leaving it out
const contactName = z.string().min(1).max(256) // sanity: a name or digits
/** Own words: text as a client can show it. JSON can say a lone surrogate, and no UTF-8 can. */
const statusWords = z
  .string()
  .max(4096) // sanity: the daemon says by how much they are too long
  .refine((words) => words.isWellFormed() && !words.includes('\0'), 'must be text without NUL and lone surrogates')
const noParams = z.strictObject({})
const sealed = z.strictObject({ sealing: z.enum(['unsealed', 'passphrase', 'key']) })
const deviceName = z.strictObject({ device: z.string().max(256) })

function method<P, R>(
  permission: Permission,
  summary: string,
  params: z.ZodType<P>,
  result: z.ZodType<R>,
): MethodSpec<P, R> {
  return { permission, summary, params, result }
}

/** Of which some hundred kilobytes may be the answer. */
function largeMethod<P, R>(summary: string, params: z.ZodType<P>, result: z.ZodType<R>): MethodSpec<P, R> {
  return { ...method('read', summary, params, result), isLarge: true }
}

export type Empty = Record<string, never>

export interface InitParams {
  device?: { name: string; key: string }
  passphrase?: string
  unnamed?: boolean
}
export interface InitResult {
  table: shape.OwnTable
}
export interface Recovery {
  words: string[]
  confirmed: boolean
}
export interface ChosenWord {
  /** 1..24 */
  position: number
  word: string
}

const firstDevice = z.strictObject({ name: nickname, key: shape.keyHex })
const initParams: z.ZodType<InitParams> = z.strictObject({
  device: firstDevice.exactOptional(),
  passphrase: passphrase.exactOptional(),
  unnamed: z.boolean().exactOptional(),
})
export interface JoinParams {
  /** Twelve words or the URI. */
  code: string
  carrier: pairing.Carrier
  /** To be listed in the table. */
  device?: shape.TableDevice
  passphrase?: string
}

const joinParams: z.ZodType<JoinParams> = z.strictObject({
  code: z.string().max(1024), // sanity: a URI with its addresses; what pairing/code.ts reads at most
  carrier: pairing.carrier,
  device: z.strictObject({ name: nickname.min(1), key: shape.keyHex }).exactOptional(),
  passphrase: passphrase.exactOptional(),
})
const chosenWord = z.strictObject({ position: z.int().min(1).max(24), word: z.string().max(16) })

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
  tableHash: shape.keyHex.exactOptional(),
})

/** Everything the daemon can be asked. Keys are method names, `noun.verb`; one word for what concerns the daemon or any status message. */
export interface Methods {
  status: MethodSpec<Empty, shape.DaemonStatus>
  doctor: MethodSpec<Empty, Diagnosis>
  lookup: MethodSpec<{ query: string }, shape.LookupResult>
  verify: MethodSpec<{ text: string; from?: string }, shape.VerifyResult>
  'contact.list': MethodSpec<{ after?: string; limit?: number; blocked?: boolean }, shape.ContactPage>
  'contact.show': MethodSpec<{ contact: string }, shape.Contact>
  'contact.devices': MethodSpec<ContactDevicesParams, ContactDevices>
  'contact.number': MethodSpec<{ contact: string }, links.SafetyNumbers>
  'contact.add': MethodSpec<links.AddContactParams, links.AddedContact>
  'contact.verify': MethodSpec<links.VerifyContactParams, links.SafetyNumbers>
  'contact.rename': MethodSpec<{ contact: string; name: string }, shape.Contact>
  'contact.block': MethodSpec<{ contact: string }, shape.Contact>
  'contact.unblock': MethodSpec<{ contact: string }, shape.Contact>
  'contact.forget': MethodSpec<{ contact: string }, Empty>
  'contact.split': MethodSpec<{ contact: string; device: string; name?: string }, shape.Contact>
  'contact.export': MethodSpec<{ after?: string; limit?: number }, cards.CardPage>
  'contact.import': MethodSpec<cards.ImportContactsParams, { results: cards.ImportedContact[] }>
  'link.get': MethodSpec<Empty, links.OwnLink>
  subscribe: MethodSpec<{ events?: EventName[]; after?: number }, { events: EventName[]; cursor: number }>
  unsubscribe: MethodSpec<Empty, Empty>
  observe: MethodSpec<shape.ObservationParams, shape.ObserveResult>
  'observe.batch': MethodSpec<
    { source: string; observations: shape.ObservationParams[] },
    { results: shape.ObserveResult[] }
  >
  'blob.get': MethodSpec<{ words?: string }, shape.StatusMessage>
  'persona.init': MethodSpec<InitParams, InitResult>
  'persona.unlock': MethodSpec<{ passphrase: string }, { locked: boolean }>
  'persona.lock': MethodSpec<Empty, { locked: boolean }>
  'passphrase.set': MethodSpec<{ passphrase: string }, { sealing: SealMode }>
  'passphrase.change': MethodSpec<{ present: string; passphrase: string }, { sealing: SealMode }>
  'passphrase.remove': MethodSpec<{ present: string }, { sealing: SealMode }>
  'backup.begin': MethodSpec<{ passphrase: string }, { backup: number; header: string }>
  'backup.next': MethodSpec<{ backup: number }, backup.BackupChunk>
  'restore.begin': MethodSpec<{ header: string; passphrase: string }, { restore: number }>
  'restore.put': MethodSpec<{ restore: number; box: string; isLast: boolean }, backup.RestoreResult>
  'persona.recover': MethodSpec<backup.RecoverParams, backup.RecoverResult>
  'persona.reconcile': MethodSpec<{ copies?: string[]; force?: boolean }, backup.ReconcileResult>
  'recovery.show': MethodSpec<Empty, Recovery>
  'recovery.confirm': MethodSpec<{ words: ChosenWord[] }, { confirmed: boolean }>
  'pairing.offer': MethodSpec<{ carrier: pairing.Carrier }, pairing.PairingOffer>
  'pairing.join': MethodSpec<JoinParams, { seconds: number }>
  'pairing.carry': MethodSpec<{ message?: string }, pairing.PairingStep>
  'pairing.confirm': MethodSpec<Empty, pairing.PairingStep>
  'pairing.cancel': MethodSpec<Empty, Empty>
  'device.list': MethodSpec<Empty, shape.OwnTable>
  'device.add': MethodSpec<{ name: string; key: string; again?: boolean }, shape.EditResult>
  'device.rename': MethodSpec<{ device: string; name: string }, shape.EditResult>
  'device.activate': MethodSpec<{ device: string }, shape.EditResult>
  'device.rekey': MethodSpec<{ device: string; key: string }, shape.EditResult>
  'device.remove': MethodSpec<{ device: string }, shape.EditResult>
  'device.approve': MethodSpec<{ device: string }, { table: shape.OwnTable }>
  'rotation.plan': MethodSpec<rotation.RotationWishes, rotation.RotationPlan>
  'rotation.apply': MethodSpec<rotation.RotationWishes & { plan: string; words?: string }, shape.EditResult>
  'rotation.follow': MethodSpec<{ words?: string }, { table: shape.OwnTable }>
  'recovery.check': MethodSpec<{ words: string }, { belongs: boolean }>
  'persona.leave': MethodSpec<Empty, rotation.LeaveResult>
  'tox.up': MethodSpec<{ name?: string }, ToxStatus>
  'tox.down': MethodSpec<Empty, ToxStatus>
  'tox.peers': MethodSpec<Empty, ToxPeers>
  'tox.add': MethodSpec<{ id: string }, { key: string }>
  'sibling.sync': MethodSpec<{ text?: string }, SyncResult>
  'persona.erase': MethodSpec<{ digits: string }, rotation.EraseResult>
  'profile.list': MethodSpec<Empty, shape.ProfileList>
  'profile.due': MethodSpec<Empty, DueProfiles>
  'profile.wrote': MethodSpec<WrittenProfile, { device: string | null }>
  'alarm.list': MethodSpec<Empty, { alarms: Alarm[] }>
  'alarm.dismiss': MethodSpec<{ id: string }, Alarm>
  'evidence.get': MethodSpec<{ contact: string }, EvidenceFile>
  'contact.policy': MethodSpec<{ contact: string; policy: shape.Policy }, shape.Contact>
  'pending.list': MethodSpec<{ after?: string; limit?: number }, { pending: PendingUpdate[]; next: string | null }>
  'pending.accept': MethodSpec<PendingAnswer, PendingUpdate>
  'pending.reject': MethodSpec<PendingAnswer, PendingUpdate>
  'app.hello': MethodSpec<{ token: string }, App>
  'app.request': MethodSpec<{ name: string; can: Capability[]; why?: string }, { app: App; token: string | null }>
  'app.allow': MethodSpec<{ name: string; can: Capability[]; forSec?: number }, AppToken>
  'app.list': MethodSpec<Empty, { apps: App[] }>
  'app.accept': MethodSpec<{ name: string; can?: Capability[]; forSec?: number }, App>
  'app.reject': MethodSpec<{ name: string }, App>
  'app.revoke': MethodSpec<{ name: string }, { reportedDevices: number }>
  'log.list': MethodSpec<{ about?: string; before?: number; limit?: number }, LogPage>
  'log.verify': MethodSpec<Empty, LogVerdict>
}

const toxName = z.strictObject({ name: nickname.exactOptional() })
const eventName = z.enum(EVENT_NAMES as [EventName, ...EventName[]])

export const METHODS: Methods = {
  status: method('read', 'Persona, store, socket, engine, counts', noParams, shape.daemonStatus),
  doctor: method('admin', 'What is not as it should be, and what to do about it', noParams, diagnosis),
  lookup: largeMethod(
    'Who is this ToxPk, PersonaID, name, or prefix of one',
    z.strictObject({ query: z.string().min(1).max(256) }),
    shape.lookupResult,
  ),
  verify: method(
    'read',
    'Judge a status message, storing nothing',
    z.strictObject({ text: z.string().max(65_536), from: shape.keyHex.exactOptional() }),
    shape.verifyResult,
  ),
  'contact.list': largeMethod(
    'A page of contacts in the order of their names',
    z.strictObject({
      after: z.string().max(256).exactOptional(),
      limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
      blocked: z.boolean().exactOptional(),
    }),
    shape.contactPage,
  ),
  'contact.show': largeMethod(
    'One contact, by name or prefix of a PersonaID or ToxPk',
    z.strictObject({ contact: z.string().min(1).max(256) }),
    shape.contact,
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
    shape.contact,
  ),
  'contact.block': method(
    'admin',
    'Hear nothing of a contact any more; what its devices show is kept all the same',
    z.strictObject({ contact: contactName }),
    shape.contact,
  ),
  'contact.unblock': method('admin', 'Take a block back', z.strictObject({ contact: contactName }), shape.contact),
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
    shape.contact,
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
  'link.get': method('read', "The owner's contact link", noParams, links.ownLink),
  subscribe: method(
    'read',
    'Receive events on this connection from now on, or from those behind a number; all of them when none is named',
    z.strictObject({
      events: z.array(eventName).min(1).exactOptional(),
      after: z.int().min(0).exactOptional(),
    }),
    z.strictObject({ events: z.array(eventName), cursor: z.int().min(0) }),
  ),
  unsubscribe: method('read', 'Receive no more events on this connection', noParams, noParams),
  observe: method(
    'observe',
    'Report the status message that a device showed to you just now, or at a time in the past',
    shape.observationParams,
    shape.observeResult,
  ),
  'observe.batch': method(
    'admin',
    'Report many, such as the friends of a profile file; one commit for all',
    z.strictObject({
      source: z.string().min(1).max(MAX_SOURCE_CHARS),
      observations: z.array(shape.observationParams).min(1).max(MAX_BATCH),
    }),
    z.strictObject({ results: z.array(shape.observeResult) }),
  ),
  'blob.get': method(
    'publish',
    'The status message to show on every device of the owner',
    z.strictObject({ words: statusWords.exactOptional() }),
    shape.statusMessage,
  ),
  'persona.init': method(
    'admin',
    'Make the persona, with or without a first device',
    initParams,
    z.strictObject({ table: shape.ownTable }),
  ),
  'persona.unlock': method(
    'admin',
    'Open the secrets file',
    z.strictObject({ passphrase }),
    z.strictObject({ locked: z.boolean() }),
  ),
  'persona.lock': method(
    'admin',
    'Wipe the signing key from memory, until the passphrase is given',
    noParams,
    z.strictObject({ locked: z.boolean() }),
  ),
  'passphrase.set': method(
    'admin',
    'Seal the secrets by a passphrase, where none does',
    z.strictObject({ passphrase }),
    sealed,
  ),
  'passphrase.change': method(
    'admin',
    'Seal the secrets by another passphrase',
    z.strictObject({ present: passphrase, passphrase }),
    sealed,
  ),
  'passphrase.remove': method(
    'admin',
    'Seal the secrets by no passphrase any more',
    z.strictObject({ present: passphrase }),
    sealed,
  ),
  'backup.begin': method(
    'admin',
    'Begin a backup of everything, sealed by this passphrase; one that was under way is given up',
    z.strictObject({ passphrase }),
    z.strictObject({ backup: z.int(), header: backup.base64url }),
  ),
  'backup.next': method(
    'admin',
    'The next part of the backup',
    z.strictObject({ backup: z.int() }),
    backup.backupChunk,
  ),
  'restore.begin': method(
    'admin',
    'Begin to put a backup back, where there is no persona; a restore that was under way is given up',
    z.strictObject({ header: backup.base64url, passphrase }),
    z.strictObject({ restore: z.int() }),
  ),
  'restore.put': method(
    'admin',
    'The next part of the backup; with the last one the persona is here',
    z.strictObject({ restore: z.int(), box: backup.base64url, isLast: z.boolean() }),
    backup.restoreResult,
  ),
  'persona.recover': method(
    'admin',
    'Bring the persona back from the recovery words, where there is none',
    z.strictObject({
      words: recoveryWords,
      copies: z.array(z.string().max(backup.MAX_COPY_CHARS)).max(backup.MAX_COPIES).exactOptional(),
      device: firstDevice.exactOptional(),
      passphrase: passphrase.exactOptional(),
      unnamed: z.boolean().exactOptional(),
      epoch: z.int().min(1).max(MAX_EPOCH).exactOptional(),
    }),
    backup.recoverResult,
  ),
  'persona.reconcile': method(
    'admin',
    'Read copies of the own status message after a restore, or go on without any',
    z.strictObject({
      copies: z.array(z.string().max(backup.MAX_COPY_CHARS)).max(backup.MAX_COPIES).exactOptional(),
      force: z.boolean().exactOptional(),
    }),
    backup.reconcileResult,
  ),
  'recovery.show': method(
    'admin',
    'The recovery words, as long as they were not confirmed',
    noParams,
    z.strictObject({ words: z.array(z.string()), confirmed: z.boolean() }),
  ),
  'recovery.confirm': method(
    'admin',
    'Prove that the words were written down; the seed is then erased from this device',
    z.strictObject({ words: z.array(chosenWord).min(3).max(24) }),
    z.strictObject({ confirmed: z.boolean() }),
  ),
  'pairing.offer': method(
    'admin',
    'Begin a pairing as the device that has the persona; what it shows is a one-time code',
    z.strictObject({ carrier: pairing.carrier }),
    pairing.pairingOffer,
  ),
  'pairing.join': method(
    'admin',
    'Begin a pairing as the device that joins',
    joinParams,
    z.strictObject({ seconds: z.int() }),
  ),
  'pairing.carry': method(
    'admin',
    'Take a message of the other side, or without one go on; the answer says what to bring to the other side',
    z.strictObject({ message: pairing.pairingMessage.exactOptional() }),
    pairing.pairingStep,
  ),
  'pairing.confirm': method(
    'admin',
    'The person has compared the words of both screens, and they are the same',
    noParams,
    pairing.pairingStep,
  ),
  'pairing.cancel': method('admin', 'End the pairing; nothing of it stays', noParams, noParams),
  'device.list': method('read', "The owner's table", noParams, shape.ownTable),
  'device.add': method(
    'admin',
    'Add a device at the end of the table',
    z.strictObject({ name: nickname, key: shape.keyHex, again: z.boolean().exactOptional() }),
    shape.editResult,
  ),
  'device.rename': method(
    'admin',
    'Give a device another nickname',
    z.strictObject({ device: z.string().max(256), name: nickname }),
    shape.editResult,
  ),
  'device.activate': method('admin', 'Make a device the first, the active one', deviceName, shape.editResult),
  'device.rekey': method(
    'admin',
    'Give a device another key, under its nickname and in its place',
    z.strictObject({ device: z.string().max(256), key: shape.keyHex }),
    shape.editResult,
  ),
  'device.remove': method(
    'admin',
    'Take a device out of the table; without a rotation this does not revoke',
    deviceName,
    shape.editResult,
  ),
  'device.approve': method(
    'admin',
    "The owner's word for a device that came through a sibling's table",
    deviceName,
    z.strictObject({ table: shape.ownTable }),
  ),
  'alarm.list': {
    ...method(
      'admin',
      'The alarms that stand, the last one first',
      noParams,
      z.strictObject({ alarms: z.array(alarm) }),
    ),
    isLarge: true,
  },
  'alarm.dismiss': method('admin', 'The owner has dealt with it', z.strictObject({ id: z.string().max(64) }), alarm),
  'evidence.get': method(
    'admin',
    'Tables of a contact, or of the own persona, that were kept as evidence, for anybody to check',
    z.strictObject({ contact: z.string().min(1).max(256) }),
    evidenceFile,
  ),
  'contact.policy': {
    ...method(
      'admin',
      'Whether newer tables of a contact are taken by themselves, after asking, or not at all',
      z.strictObject({ contact: z.string().min(1).max(256), policy: shape.policy }),
      shape.contact,
    ),
    isLarge: true,
  },
  'pending.list': {
    ...method(
      'admin',
      'What waits for an answer of the owner',
      z.strictObject({
        after: shape.keyHex.exactOptional(),
        limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
      }),
      z.strictObject({ pending: z.array(pendingUpdate), next: shape.keyHex.nullable() }),
    ),
    isLarge: true,
  },
  'pending.accept': method('admin', 'Take what waits', pendingAnswer, pendingUpdate),
  'pending.reject': method('admin', 'Leave it until there is a newer one', pendingAnswer, pendingUpdate),
  'sibling.sync': method(
    'admin',
    "Take the table in a sibling's text, if it is newer, and get the one to give to the sibling",
    z.strictObject({ text: z.string().max(65_536).exactOptional() }),
    syncResult,
  ),
  'app.hello': method(
    'open',
    'Say who is connected; what the app is allowed holds for this connection from now on',
    z.strictObject({ token: z.string().max(128) }),
    app,
  ),
  'app.request': method(
    'open',
    'Ask the owner to be allowed something; an app without a token gets one that holds once it was accepted',
    z.strictObject({ name: appName, can: capabilities, why: z.string().max(256).exactOptional() }),
    z.strictObject({ app, token: z.string().nullable() }),
  ),
  'app.allow': method(
    'admin',
    'Allow a new app something; the token is shown this once',
    z.strictObject({ name: appName, can: capabilities, forSec: appSeconds.exactOptional() }),
    appToken,
  ),
  'app.list': method(
    'admin',
    'The apps that are allowed something, and those that ask',
    noParams,
    z.strictObject({ apps: z.array(app) }),
  ),
  'app.accept': method(
    'admin',
    'Give an app what it asks for, or the part of it that is named',
    z.strictObject({ name: appName, can: capabilities.exactOptional(), forSec: appSeconds.exactOptional() }),
    app,
  ),
  'app.reject': method('admin', 'Refuse what an app asks for', z.strictObject({ name: appName }), app),
  'app.revoke': method(
    'admin',
    'Take back what an app was allowed, and all that it reported',
    z.strictObject({ name: appName }),
    z.strictObject({ reportedDevices: z.int().min(0) }),
  ),
  'rotation.plan': method(
    'admin',
    'The table that a rotation of the key would publish; nothing is signed',
    z.strictObject(rotation.rotationWishes),
    rotation.rotationPlan,
  ),
  'rotation.apply': method(
    'admin',
    'Rotate the key: sign the planned table by a later key, which shuts out whoever has the present one',
    z.strictObject({ ...rotation.rotationWishes, plan: shape.keyHex, words: recoveryWords.exactOptional() }),
    shape.editResult,
  ),
  'rotation.follow': method(
    'admin',
    'Take the key of a rotation made elsewhere, from the recovery words',
    z.strictObject({ words: recoveryWords.exactOptional() }),
    z.strictObject({ table: shape.ownTable }),
  ),
  'recovery.check': method(
    'admin',
    'Whether recovery words are those of this persona; nothing is changed',
    z.strictObject({ words: recoveryWords }),
    z.strictObject({ belongs: z.boolean() }),
  ),
  'persona.leave': method(
    'admin',
    'Take this device out of the table, and erase the secrets on it',
    noParams,
    rotation.leaveResult,
  ),
  'persona.erase': method(
    'admin',
    'Erase everything that the daemon keeps on this device, and stop it',
    rotation.eraseParams,
    rotation.eraseResult,
  ),
  'log.list': {
    ...method(
      'admin',
      'The history, the newest entry first; of one contact or device when it is named',
      z.strictObject({
        about: z.string().min(1).max(256).exactOptional(),
        before: z.int().min(1).exactOptional(),
        limit: z.int().min(1).max(MAX_PAGE).exactOptional(),
      }),
      logPage,
    ),
    isLarge: true,
  },
  'log.verify': method(
    'admin',
    'Recompute the hashes that bind the entries of the history together',
    noParams,
    logVerdict,
  ),
  'tox.up': method(
    'admin',
    'Start the companion, the own Tox node; the first time it is made, and added to the table under this nickname',
    toxName,
    toxStatus,
  ),
  'tox.down': method('admin', 'Stop the companion until it is started again, or the daemon is', noParams, toxStatus),
  'tox.peers': largeMethod('The friends of the companion, and who asked to be one', noParams, toxPeers),
  'tox.add': method(
    'admin',
    'Befriend a device by its Tox ID (76 hex digits, a request is sent) or ToxPk (64, it has the companion as a friend)',
    z.strictObject({ id: z.string().min(64).max(76) }),
    z.strictObject({ key: shape.keyHex }),
  ),
  'profile.list': largeMethod('The Tox profiles that are watched, and what each shows', noParams, shape.profileList),
  'profile.due': {
    ...method(
      'admin',
      'The own profiles into which the table is to be written, and what to write',
      noParams,
      dueProfiles,
    ),
    isLarge: true,
  },
  'profile.wrote': method(
    'admin',
    'Report that a status message was just written into a profile',
    writtenProfile,
    z.strictObject({ device: z.string().nullable() }),
  ),
}
