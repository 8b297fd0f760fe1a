/** The methods of the owner's persona: table, key chain, recovery words (docs/ipc.md, section 3). */
import * as z from '../../schema/zod.ts'
import type { MethodSpec } from './method.ts'
import {
  type EditResult,
  type OwnTable,
  type ShownByDevice,
  type StatusMessage,
  editResult,
  ownTable,
  shownByDevice,
  statusMessage,
} from '../shapes/own.ts'
import { keyHex } from '../shapes/scalars.ts'
import * as rotation from '../shapes/rotation.ts'
import { syncResult, type SyncResult } from '../shapes/sibling.ts'
import { passphrase, recoveryWords, nickname, noParams, deviceName, firstDevice, method, type Empty } from './params.ts'

/** Own words, as a client can show them. JSON can hold a lone surrogate, but UTF-8 cannot. */
const statusWords = z
  .string()
  .max(4096) // sanity: the daemon itself refuses words that are too long, and says by how much
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
  'blob.get': MethodSpec<{ words?: string; short?: boolean }, StatusMessage>
  'persona.init': MethodSpec<InitParams, InitResult>
  'device.list': MethodSpec<Empty, OwnTable>
  'device.shown': MethodSpec<Empty, { devices: ShownByDevice[] }>
  'device.add': MethodSpec<{ name: string; key: string; again?: boolean; check?: boolean }, EditResult>
  'device.rename': MethodSpec<{ device: string; name: string }, EditResult>
  'device.activate': MethodSpec<{ device: string }, EditResult>
  'device.rekey': MethodSpec<{ device: string; key: string }, EditResult>
  'device.remove': MethodSpec<{ device: string }, EditResult>
  'device.approve': MethodSpec<{ device: string }, { table: OwnTable }>
  'rotation.plan': MethodSpec<rotation.RotationWishes, rotation.RotationPlan>
  'rotation.apply': MethodSpec<rotation.RotationWishes & { plan: string; words?: string }, EditResult>
  'rotation.follow': MethodSpec<{ words?: string }, { table: OwnTable }>
  'succession.plan': MethodSpec<rotation.SuccessionWishes, rotation.SuccessionPlan>
  'succession.apply': MethodSpec<rotation.SuccessionWishes & { plan: string; words?: string }, EditResult>
  'succession.end': MethodSpec<Empty, EditResult>
  'recovery.show': MethodSpec<Empty, Recovery>
  'recovery.confirm': MethodSpec<{ words: ChosenWord[] }, { confirmed: boolean }>
  'recovery.check': MethodSpec<{ words: string }, { belongs: boolean }>
  'persona.leave': MethodSpec<Empty, rotation.LeaveAnswer>
  'persona.erase': MethodSpec<{ digits: string }, rotation.EraseResult>
  'sibling.sync': MethodSpec<{ text?: string }, SyncResult>
}

export const OWN_METHODS: OwnMethods = {
  'blob.get': method(
    'publish',
    'Get the status message that every device of the owner should show, with the table or with a short status',
    z.strictObject({ words: statusWords.exactOptional(), short: z.boolean().exactOptional() }),
    statusMessage,
  ),
  'persona.init': method(
    'admin',
    'Create the persona, with or without a first device',
    initParams,
    z.strictObject({ table: ownTable }),
  ),
  'device.list': method('read', "Get the owner's table", noParams, ownTable),
  'device.shown': method(
    'admin',
    'List which table each own device was last seen showing',
    noParams,
    z.strictObject({ devices: z.array(shownByDevice) }),
  ),
  'device.add': method(
    'admin',
    'Add a device at the end of the table',
    z.strictObject({
      name: nickname,
      key: keyHex,
      again: z.boolean().exactOptional(),
      check: z.boolean().exactOptional(),
    }),
    editResult,
  ),
  'device.rename': method(
    'admin',
    'Rename a device',
    z.strictObject({ device: z.string().max(256), name: nickname }),
    editResult,
  ),
  'device.activate': method('admin', 'Make a device the active one, the first in the table', deviceName, editResult),
  'device.rekey': method(
    'admin',
    'Give a device another key; its nickname and place stay',
    z.strictObject({ device: z.string().max(256), key: keyHex }),
    editResult,
  ),
  'device.remove': method(
    'admin',
    'Remove a device from the table; only a rotation also revokes it',
    deviceName,
    editResult,
  ),
  'device.approve': method(
    'admin',
    "Approve a device that came through a sibling's table",
    deviceName,
    z.strictObject({ table: ownTable }),
  ),
  'rotation.plan': method(
    'admin',
    'Show the table that a rotation would publish, without signing it',
    z.strictObject(rotation.rotationWishes),
    rotation.rotationPlan,
  ),
  'rotation.apply': method(
    'admin',
    'Rotate the key: sign the planned table with a later key, so that the present key is worth nothing any more',
    z.strictObject({ ...rotation.rotationWishes, plan: keyHex, words: recoveryWords.exactOptional() }),
    editResult,
  ),
  'rotation.follow': method(
    'admin',
    'Derive the key of a rotation made elsewhere from the recovery words',
    z.strictObject({ words: recoveryWords.exactOptional() }),
    z.strictObject({ table: ownTable }),
  ),
  'succession.plan': method(
    'admin',
    'Show the first table of a new persona that would follow this one, without making it',
    z.strictObject(rotation.successionWishes),
    rotation.successionPlan,
  ),
  'succession.apply': method(
    'admin',
    'Make a new persona that follows this one, by the recovery words of this one; contacts move to it',
    z.strictObject({ ...rotation.successionWishes, plan: keyHex, words: recoveryWords.exactOptional() }),
    editResult,
  ),
  'succession.end': method(
    'admin',
    'End the statement that this persona follows another one; contacts who have not moved by then do not move',
    noParams,
    editResult,
  ),
  'recovery.show': method(
    'admin',
    'Show the recovery words, until they are confirmed',
    noParams,
    z.strictObject({ words: z.array(z.string()), confirmed: z.boolean() }),
  ),
  'recovery.confirm': method(
    'admin',
    'Prove that the words were written down; this erases the seed from this device',
    z.strictObject({ words: z.array(chosenWord).min(3).max(24) }),
    z.strictObject({ confirmed: z.boolean() }),
  ),
  'recovery.check': method(
    'admin',
    'Check whether recovery words belong to this persona, without changing anything',
    z.strictObject({ words: recoveryWords }),
    z.strictObject({ belongs: z.boolean() }),
  ),
  'persona.leave': method(
    'admin',
    'Remove this device from the table and erase the secrets on it',
    noParams,
    rotation.leaveAnswer,
  ),
  'persona.erase': method(
    'admin',
    'Erase everything that the daemon keeps on this device, and stop the daemon',
    rotation.eraseParams,
    rotation.eraseResult,
  ),
  'sibling.sync': method(
    'admin',
    "Accept the table in a sibling's text if it is newer, and get the one to give to the sibling",
    z.strictObject({ text: z.string().max(65_536).exactOptional() }),
    syncResult,
  ),
}
