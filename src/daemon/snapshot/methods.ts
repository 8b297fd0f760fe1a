/** The methods of backup and restore (docs/ipc.md, section 3; docs/backup.md). */
import { SnapshotError } from './errors.ts'
import { formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import type { BackupChunk, RestoreResult } from '../../ipc/shapes/backup.ts'
import { BackupWriter } from './backup.ts'
import { BackupReader } from './restore.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { NO_MORE_SECRETS, type MoreSecrets } from './more-secrets.ts'
import { Serial } from '../../process/serial.ts'

export type BackupMethods = Pick<Methods, 'backup.begin' | 'backup.next' | 'restore.begin' | 'restore.put'>

/** @param more secrets that a backup has beside the signing keys */
export function backupHandlers(keeper: Keeper, more: MoreSecrets = NO_MORE_SECRETS): Handlers<BackupMethods> {
  const transfers = new Transfers(keeper, more)
  return {
    'backup.begin': ({ passphrase }) => transfers.beginBackup(passphrase),
    'backup.next': ({ backup }) => transfers.nextOfBackup(backup),
    'restore.begin': ({ header, passphrase }) => transfers.beginRestore(bytesOf(header), passphrase),
    'restore.put': ({ restore, box, isLast }) => transfers.putIntoRestore(restore, bytesOf(box), isLast),
  }
}

/** One backup and one restore at a time. A new one ends the one before. Calls run one after the other. */
class Transfers {
  readonly #keeper: Keeper
  readonly #more: MoreSecrets
  #last = 0
  #backup: { readonly id: number; readonly writer: BackupWriter } | null = null
  #restore: { readonly id: number; readonly reader: BackupReader } | null = null
  readonly #serial = new Serial()

  constructor(keeper: Keeper, more: MoreSecrets) {
    this.#keeper = keeper
    this.#more = more
  }

  beginBackup(passphrase: string): Promise<{ backup: number; header: string }> {
    return this.#serial.run(async () => {
      await this.#endBackup()
      const writer = await BackupWriter.begin(this.#keeper, passphrase, this.#more)
      this.#backup = { id: ++this.#last, writer }
      return { backup: this.#last, header: formatBase64url(writer.header) }
    })
  }

  nextOfBackup(id: number): Promise<BackupChunk> {
    return this.#serial.run(async () => {
      if (this.#backup?.id !== id) throw transferEnded('backup')
      const next = await this.#backup.writer.next()
      if (next === null) throw transferEnded('backup')
      if (next.isLast) await this.#endBackup()
      return { box: formatBase64url(next.box), isLast: next.isLast }
    })
  }

  beginRestore(header: Uint8Array, passphrase: string): Promise<{ restore: number }> {
    return this.#serial.run(async () => {
      await this.#endRestore()
      const reader = await BackupReader.begin(this.#keeper, header, passphrase, this.#more)
      this.#restore = { id: ++this.#last, reader }
      return { restore: this.#last }
    })
  }

  putIntoRestore(id: number, box: Uint8Array, isLast: boolean): Promise<RestoreResult> {
    return this.#serial.run(async () => {
      if (this.#restore?.id !== id) throw transferEnded('restore')
      try {
        const imported = await this.#restore.reader.put(box, isLast)
        if (imported === null) return { table: null, contacts: 0, devices: 0 }
        await this.#endRestore()
        return { table: this.#keeper.table(), contacts: imported.contacts, devices: imported.devices }
      } catch (error) {
        await this.#endRestore()
        throw error
      }
    })
  }

  async #endBackup(): Promise<void> {
    const ended = this.#backup
    this.#backup = null
    await ended?.writer.close()
  }

  async #endRestore(): Promise<void> {
    const ended = this.#restore
    this.#restore = null
    await ended?.reader.close()
  }
}

/** @param text base64url: the shape of the call has checked it */
function bytesOf(text: string): Uint8Array {
  return parseBase64url(text) ?? new Uint8Array(0)
}

function transferEnded(transfer: 'backup' | 'restore'): SnapshotError {
  const message = `this ${transfer} has ended, or another one has replaced it`
  return new SnapshotError('TRANSFER_ENDED', message, 'start again')
}
