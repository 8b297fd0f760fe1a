/** The methods of secrets: lock, passphrase, backup, restore, pairing (docs/ipc.md, section 3). */
import * as z from '../../schema/zod.ts'
import type { SealMode } from '../../crypto/seal.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { MethodSpec } from './method.ts'
import * as backup from '../shapes/backup.ts'
import type { TableDevice } from '../shapes/contact.ts'
import { rotationWishes } from '../shapes/rotation.ts'
import { keyHex } from '../shapes/scalars.ts'
import * as pairing from '../shapes/pairing.ts'
import { passphrase, recoveryWords, nickname, noParams, firstDevice, method, type Empty } from './params.ts'

const sealed = z.strictObject({ sealing: z.enum(['unsealed', 'passphrase', 'key']) })

export interface JoinParams {
  /** The twelve words of the code, or its URI. */
  code: string
  carrier: pairing.Carrier
  /** The device that the table should list. */
  device?: TableDevice
  passphrase?: string
}

const joinParams: z.ZodType<JoinParams> = z.strictObject({
  code: z.string().max(1024), // sanity: a URI with its addresses; pairing/code.ts reads no more
  carrier: pairing.carrier,
  device: z.strictObject({ name: nickname.min(1), key: keyHex }).exactOptional(),
  passphrase: passphrase.exactOptional(),
})

export interface CustodyMethods {
  'persona.unlock': MethodSpec<{ passphrase: string }, { locked: boolean }>
  'persona.lock': MethodSpec<Empty, { locked: boolean }>
  'passphrase.check': MethodSpec<{ present: string }, { locked: boolean }>
  'passphrase.set': MethodSpec<{ passphrase: string }, { sealing: SealMode }>
  'passphrase.change': MethodSpec<{ present: string; passphrase: string }, { sealing: SealMode }>
  'passphrase.remove': MethodSpec<{ present: string }, { sealing: SealMode }>
  'backup.begin': MethodSpec<{ passphrase: string }, { backup: number; header: string }>
  'backup.next': MethodSpec<{ backup: number }, backup.BackupChunk>
  'restore.begin': MethodSpec<{ header: string; passphrase: string }, { restore: number }>
  'restore.put': MethodSpec<{ restore: number; box: string; isLast: boolean }, backup.RestoreResult>
  'persona.recover': MethodSpec<backup.RecoverParams, backup.RecoverResult>
  'persona.reconcile': MethodSpec<{ copies?: string[]; force?: boolean }, backup.ReconcileResult>
  'pairing.offer': MethodSpec<{ carrier: pairing.Carrier }, pairing.PairingOffer>
  'pairing.join': MethodSpec<JoinParams, { seconds: number }>
  'pairing.carry': MethodSpec<{ message?: string }, pairing.PairingStep>
  'pairing.confirm': MethodSpec<Empty, pairing.PairingStep>
  'pairing.cancel': MethodSpec<Empty, Empty>
}

export const CUSTODY_METHODS: CustodyMethods = {
  'persona.unlock': method(
    'admin',
    'Unlock the signing key with the passphrase',
    z.strictObject({ passphrase }),
    z.strictObject({ locked: z.boolean() }),
  ),
  'persona.lock': method(
    'admin',
    'Lock: wipe the signing key from memory until the next unlock',
    noParams,
    z.strictObject({ locked: z.boolean() }),
  ),
  'passphrase.check': method(
    'admin',
    'Check the passphrase, also while the signing key is open; a guess like any other',
    z.strictObject({ present: passphrase }),
    z.strictObject({ locked: z.boolean() }),
  ),
  'passphrase.set': method(
    'admin',
    'Seal the secrets with a passphrase, if none seals them yet',
    z.strictObject({ passphrase }),
    sealed,
  ),
  'passphrase.change': method(
    'admin',
    'Seal the secrets with another passphrase',
    z.strictObject({ present: passphrase, passphrase }),
    sealed,
  ),
  'passphrase.remove': method(
    'admin',
    'Stop sealing the secrets with a passphrase',
    z.strictObject({ present: passphrase }),
    sealed,
  ),
  'backup.begin': method(
    'admin',
    'Begin a backup of everything, sealed with this passphrase; this ends a running backup',
    z.strictObject({ passphrase }),
    z.strictObject({ backup: z.int(), header: backup.base64url }),
  ),
  'backup.next': method(
    'admin',
    'Get the next part of the backup',
    z.strictObject({ backup: z.int() }),
    backup.backupChunk,
  ),
  'restore.begin': method(
    'admin',
    'Begin to restore a backup, if there is no persona here; this ends a running restore',
    z.strictObject({ header: backup.base64url, passphrase }),
    z.strictObject({ restore: z.int() }),
  ),
  'restore.put': method(
    'admin',
    'Put the next part of the backup; the last one brings the persona',
    z.strictObject({ restore: z.int(), box: backup.base64url, isLast: z.boolean() }),
    backup.restoreResult,
  ),
  'persona.recover': method(
    'admin',
    'Bring the persona back from the recovery words, if there is no persona here',
    z.strictObject({
      words: recoveryWords,
      copies: z.array(z.string().max(backup.MAX_COPY_CHARS)).max(backup.MAX_COPIES).exactOptional(),
      device: firstDevice.exactOptional(),
      passphrase: passphrase.exactOptional(),
      unnamed: z.boolean().exactOptional(),
      epoch: z.int().min(1).max(MAX_EPOCH).exactOptional(),
      keep: rotationWishes.keep,
    }),
    backup.recoverResult,
  ),
  'persona.reconcile': method(
    'admin',
    'Read copies of the own status message after a restore, or go on without one',
    z.strictObject({
      copies: z.array(z.string().max(backup.MAX_COPY_CHARS)).max(backup.MAX_COPIES).exactOptional(),
      force: z.boolean().exactOptional(),
    }),
    backup.reconcileResult,
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
    'Give a message of the other side, or go on without one; the answer holds the message to bring back',
    z.strictObject({ message: pairing.pairingMessage.exactOptional() }),
    pairing.pairingStep,
  ),
  'pairing.confirm': method(
    'admin',
    'Confirm that the person compared the words on both screens and they match',
    noParams,
    pairing.pairingStep,
  ),
  'pairing.cancel': method('admin', 'End the pairing and keep nothing of it', noParams, noParams),
}
