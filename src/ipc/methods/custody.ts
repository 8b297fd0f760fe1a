/** The methods about secrets: the lock, the passphrase, backups, further devices (docs/ipc.md, section 3). */
import { z } from 'zod'
import type { SealMode } from '../../crypto/seal.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { MethodSpec } from './method.ts'
import * as backup from '../shapes/backup.ts'
import type { TableDevice } from '../shapes/contact.ts'
import { keyHex } from '../shapes/scalars.ts'
import * as pairing from '../shapes/pairing.ts'
import { passphrase, recoveryWords, nickname, noParams, firstDevice, method, type Empty } from './params.ts'

const sealed = z.strictObject({ sealing: z.enum(['unsealed', 'passphrase', 'key']) })

export interface JoinParams {
  /** Twelve words or the URI. */
  code: string
  carrier: pairing.Carrier
  /** To be listed in the table. */
  device?: TableDevice
  passphrase?: string
}

const joinParams: z.ZodType<JoinParams> = z.strictObject({
  code: z.string().max(1024), // sanity: a URI with its addresses; what pairing/code.ts reads at most
  carrier: pairing.carrier,
  device: z.strictObject({ name: nickname.min(1), key: keyHex }).exactOptional(),
  passphrase: passphrase.exactOptional(),
})

export interface CustodyMethods {
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
  'pairing.offer': MethodSpec<{ carrier: pairing.Carrier }, pairing.PairingOffer>
  'pairing.join': MethodSpec<JoinParams, { seconds: number }>
  'pairing.carry': MethodSpec<{ message?: string }, pairing.PairingStep>
  'pairing.confirm': MethodSpec<Empty, pairing.PairingStep>
  'pairing.cancel': MethodSpec<Empty, Empty>
}

export const CUSTODY_METHODS: CustodyMethods = {
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
}
