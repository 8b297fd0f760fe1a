/** The methods about the owner's persona: its table, its key chain, its words (docs/ipc.md, section 3). */
import { z } from 'zod'
import type { MethodSpec } from './method.ts'
import {
  type EditResult,
  type OwnTable,
  type StatusMessage,
  editResult,
  ownTable,
  statusMessage,
} from '../shapes/own.ts'
import { keyHex } from '../shapes/scalars.ts'
import * as rotation from '../shapes/rotation.ts'
import { syncResult, type SyncResult } from '../shapes/sibling.ts'
import { passphrase, recoveryWords, nickname, noParams, deviceName, firstDevice, method, type Empty } from './params.ts'

/** Own words: text as a client can show it. JSON can say a lone surrogate, and no UTF-8 can. */
const statusWords = z
  .string()
  .max(4096) // sanity: the daemon says by how much they are too long
  .refine((words) => words.isWellFormed() && !words.includes('\0'), 'must be text without NUL and lone surrogates')

export interface InitParams {
  device?: { name: string; key: string }
  passphrase?: string
  unnamed?: boolean
}

export interface InitResult {
  table: OwnTable
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

const initParams: z.ZodType<InitParams> = z.strictObject({
  device: firstDevice.exactOptional(),
  passphrase: passphrase.exactOptional(),
  unnamed: z.boolean().exactOptional(),
})

const chosenWord = z.strictObject({ position: z.int().min(1).max(24), word: z.string().max(16) })

export interface OwnMethods {
  'blob.get': MethodSpec<{ words?: string }, StatusMessage>
  'persona.init': MethodSpec<InitParams, InitResult>
  'device.list': MethodSpec<Empty, OwnTable>
  'device.add': MethodSpec<{ name: string; key: string; again?: boolean }, EditResult>
  'device.rename': MethodSpec<{ device: string; name: string }, EditResult>
  'device.activate': MethodSpec<{ device: string }, EditResult>
  'device.rekey': MethodSpec<{ device: string; key: string }, EditResult>
  'device.remove': MethodSpec<{ device: string }, EditResult>
  'device.approve': MethodSpec<{ device: string }, { table: OwnTable }>
  'rotation.plan': MethodSpec<rotation.RotationWishes, rotation.RotationPlan>
  'rotation.apply': MethodSpec<rotation.RotationWishes & { plan: string; words?: string }, EditResult>
  'rotation.follow': MethodSpec<{ words?: string }, { table: OwnTable }>
  'recovery.show': MethodSpec<Empty, Recovery>
  'recovery.confirm': MethodSpec<{ words: ChosenWord[] }, { confirmed: boolean }>
  'recovery.check': MethodSpec<{ words: string }, { belongs: boolean }>
  'persona.leave': MethodSpec<Empty, rotation.LeaveResult>
  'persona.erase': MethodSpec<{ digits: string }, rotation.EraseResult>
  'sibling.sync': MethodSpec<{ text?: string }, SyncResult>
}

export const OWN_METHODS: OwnMethods = {
  'blob.get': method(
    'publish',
    'The status message to show on every device of the owner',
    z.strictObject({ words: statusWords.exactOptional() }),
    statusMessage,
  ),
  'persona.init': method(
    'admin',
    'Make the persona, with or without a first device',
    initParams,
    z.strictObject({ table: ownTable }),
  ),
  'device.list': method('read', "The owner's table", noParams, ownTable),
  'device.add': method(
    'admin',
    'Add a device at the end of the table',
    z.strictObject({ name: nickname, key: keyHex, again: z.boolean().exactOptional() }),
    editResult,
  ),
  'device.rename': method(
    'admin',
    'Give a device another nickname',
    z.strictObject({ device: z.string().max(256), name: nickname }),
    editResult,
  ),
  'device.activate': method('admin', 'Make a device the first, the active one', deviceName, editResult),
  'device.rekey': method(
    'admin',
    'Give a device another key, under its nickname and in its place',
    z.strictObject({ device: z.string().max(256), key: keyHex }),
    editResult,
  ),
  'device.remove': method(
    'admin',
    'Take a device out of the table; without a rotation this does not revoke',
    deviceName,
    editResult,
  ),
  'device.approve': method(
    'admin',
    "The owner's word for a device that came through a sibling's table",
    deviceName,
    z.strictObject({ table: ownTable }),
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
    z.strictObject({ ...rotation.rotationWishes, plan: keyHex, words: recoveryWords.exactOptional() }),
    editResult,
  ),
  'rotation.follow': method(
    'admin',
    'Take the key of a rotation made elsewhere, from the recovery words',
    z.strictObject({ words: recoveryWords.exactOptional() }),
    z.strictObject({ table: ownTable }),
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
  'sibling.sync': method(
    'admin',
    "Take the table in a sibling's text, if it is newer, and get the one to give to the sibling",
    z.strictObject({ text: z.string().max(65_536).exactOptional() }),
    syncResult,
  ),
}
