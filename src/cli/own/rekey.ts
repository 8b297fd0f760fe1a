/**
 * `persona device rekey`: gives a device a new key, in the table and in its profile together (docs/tox.md).
 *
 * Order of writes: a pending profile with the new key (`FILE.rekey`), the table, the profile itself; then the pending profile is
 * removed. Crash after any step: the files show how far it came, and the same command goes on from there. The profile keeps the old
 * key until the new one is on disk twice. After that the backup keeps it.
 */
import { realpath } from 'node:fs/promises'
import { equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import { foldNickname } from '../../core/nickname.ts'
import { removeDurably } from '../../durable/file.ts'
import type { Client } from '../../ipc/client.ts'
import type { OwnTable, StatusMessage } from '../../ipc/shapes/own.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import { NOSPAM_BYTES, SECRET_KEY_BYTES, formatToxId } from '../../tox/save/address.ts'
import { clientsOn, describeClient } from '../../tox/profile/clients.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { createProfile, readProfile, writeProfile, type ToxProfile } from '../../tox/profile/profile-file.ts'
import { withStatusMessage } from '../../tox/save/status-message.ts'
import { rekeySave, type Rekeyed, type RekeyOptions } from '../../tox/save/rekey.ts'
import { encodeSave, readKeys } from '../../tox/save/savefile.ts'
import { checkUnlocked, hasCode, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, isEndOf, keyTail, showName } from '../io/escape.ts'
import { tableNumbers } from '../io/layout.ts'
import { profileOpener, type OpenProfile } from '../tox/open.ts'
import { sectionName } from '../tox/sections.ts'
import { fitWords, formatLeftOut, keptWords, shownWords } from '../tox/words.ts'

export interface DeviceRekeyOptions {
  /** The profile of the device, with the old key. */
  readonly toxProfile: string
  /** File for the profile with the new key. Without it the old profile is replaced. */
  readonly out?: string
  readonly nospam?: string
  readonly dropRelays?: true
  readonly force?: true
  readonly profilePassphraseFile?: string
}

/** Printed by `--json`. */
export interface DeviceRekeyReport {
  device: string
  /** null if this run finished an earlier one after its old key was gone. */
  oldKey: string | null
  key: string
  toxId: string
  file: string
  /** Holds the old key; null if the new profile went to another file, because then the old profile still holds it. */
  backup: string | null
  /** Names of the sections that were left out. */
  dropped: string[]
  wordsDropped: boolean
  /** The words that did not fit, kept for the next publish; empty if all did. */
  leftOut: string
  bytesOver: number
  /** This run finished an interrupted one. */
  resumed: boolean
  status: StatusMessage
}

export async function rekeyDevice(context: Context, name: string, options: DeviceRekeyOptions): Promise<number> {
  const { nospam } = options
  if (nospam !== undefined && nospam !== 'keep' && nospam !== 'new')
    throw new CliError('USAGE', '--nospam must be keep or new')
  const opened = await profileOpener({
    file: options.profilePassphraseFile,
    option: '--profile-passphrase-file',
  })(options.toxProfile)
  const target = await targetOf(opened, options)
  const report = await withDaemon(context, async (client) => {
    // Before anything is written.
    await checkUnlocked(client)
    const device = deviceOf(await client.call('device.list'), name)
    return await new DeviceRekey(context, client, opened, target, options).run(device)
  })
  print(context, report, formatReport(report, context.verbose))
  return EXIT_DONE
}

/** Returns the file for the new key. */
async function targetOf({ profile }: OpenProfile, { out, toxProfile }: DeviceRekeyOptions): Promise<string> {
  if (out === undefined) return profile.path
  const path = await realpath(out).catch(() => out)
  if (path === profile.path)
    throw new ToxError('TOX_SAME_FILE', `${out} is the same file as ${toxProfile}; to replace its key, omit --out`)
  return path
}

function deviceOf({ devices }: OwnTable, name: string): TableDevice {
  const folded = foldNickname(name)
  const device = devices.find(
    (device) => foldNickname(device.name) === folded || device.key === name.toUpperCase() || isEndOf(device.key, name),
  )
  if (device !== undefined) return device
  throw new CliError('DEVICE_NOT_LISTED', `your table lists no device ${name}`, {
    hint: 'list your devices: persona device list',
  })
}

class DeviceRekey {
  readonly #context: Context
  readonly #client: Client
  /** The profile with the old key; with the new key if only the end of an interrupted run is left. */
  readonly #opened: OpenProfile
  readonly #target: string
  readonly #pendingFile: string
  readonly #options: DeviceRekeyOptions

  constructor(context: Context, client: Client, opened: OpenProfile, target: string, options: DeviceRekeyOptions) {
    this.#context = context
    this.#client = client
    this.#opened = opened
    this.#target = target
    // Must not end in .tox: qTox would list it as a profile.
    this.#pendingFile = `${target}.rekey`
    this.#options = options
  }

  async run(device: TableDevice): Promise<DeviceRekeyReport> {
    const pending = await this.#read(this.#pendingFile)
    const rekeyed = pending === null ? await this.#begin(device) : this.#resume(pending)
    const key = formatHex(rekeyed.publicKey)
    if (device.key !== key) {
      if (device.key !== this.#opened.key) throw this.#foreign(device)
      await this.#client.call('device.rekey', { device: device.key, key })
    }
    const published = await this.#publish(rekeyed, key)
    if (pending !== null || device.key !== key) await removeDurably(this.#pendingFile)
    return {
      device: device.name,
      oldKey: this.#opened.key === key ? null : this.#opened.key,
      key,
      toxId: formatToxId(readKeys(rekeyed.save, this.#opened.access.engine)),
      file: this.#target,
      dropped: rekeyed.dropped.map(sectionName),
      resumed: pending !== null || device.key === key,
      ...published,
    }
  }

  /** Writes the new key to disk before it goes anywhere else. */
  async #begin(device: TableDevice): Promise<Rekeyed> {
    const { engine } = this.#opened.access
    const there = await this.#presentTarget()
    // Crash after everything was done and before it was reported.
    if (there !== null && there !== this.#opened.profile) {
      if (this.#keyOf(there) === device.key) return this.#unchanged(there)
      throw new ToxError('TOX_FILE_EXISTS', `${this.#target} already exists: choose another name`)
    }
    if (device.key !== this.#opened.key) throw this.#foreign(device)
    await this.#checkClient()
    const secretKey = engine.randomBytes(SECRET_KEY_BYTES)
    const nospam = this.#options.nospam === 'keep' ? null : engine.randomBytes(NOSPAM_BYTES)
    const rekeyed = this.#rekey(secretKey, nospam)
    await createProfile(this.#pendingFile, rekeyed.save, { ...this.#writing, passphrase: this.#passphrase })
    return rekeyed
  }

  /** Puts the key of the pending profile into the profile as it is now: a client may have run since. */
  #resume(pending: ToxProfile): Rekeyed {
    const { secretKey, nospam, publicKey } = readKeys(pending.save, this.#opened.access.engine)
    const isReplaced = formatHex(publicKey) === this.#opened.key
    return isReplaced ? this.#unchanged(this.#opened.profile) : this.#rekey(secretKey, nospam)
  }

  #unchanged({ save }: ToxProfile): Rekeyed {
    const { publicKey } = readKeys(save, this.#opened.access.engine)
    return { save, publicKey, dropped: [], requests: 0 }
  }

  #keyOf({ save }: ToxProfile): string {
    return formatHex(readKeys(save, this.#opened.access.engine).publicKey)
  }

  /** The profile that is now in the target file. */
  async #presentTarget(): Promise<ToxProfile | null> {
    const { profile } = this.#opened
    return this.#target === profile.path ? profile : await this.#read(this.#target)
  }

  #rekey(secretKey: Uint8Array, nospam: Uint8Array | null): Rekeyed {
    const dropRelays = this.#options.dropRelays === true
    const options: RekeyOptions = { secretKey, nospam, dropRelays, replacesOld: true }
    return rekeySave(this.#opened.profile.save, options, this.#opened.access.engine)
  }

  /** Writes the profile with the new key and the new table to the target file. */
  async #publish(
    { save }: Rekeyed,
    key: string,
  ): Promise<Pick<DeviceRekeyReport, 'status' | 'wordsDropped' | 'leftOut' | 'bytesOver' | 'backup'>> {
    // Words that an earlier publish left out go with the device to its new key.
    const words = shownWords(save) || (await keptWords(this.#client, this.#opened.key))
    const { status, leftOut, bytesOver } = await fitWords(this.#client, words)
    const shown = withStatusMessage(save, status.text)
    const backup = await this.#write(shown, key)
    const wrote = { path: await realpath(this.#target), key, text: status.text, backup, repaired: false, leftOut }
    // This may fail: the daemon reads the profile the next time it looks.
    await this.#client.call('profile.wrote', wrote).catch(() => undefined)
    return { status, wordsDropped: leftOut !== '', leftOut, bytesOver, backup }
  }

  async #write(save: ToxProfile['save'], key: string): Promise<string | null> {
    const there = await this.#presentTarget()
    if (there === null) {
      return (await createProfile(this.#target, save, { ...this.#writing, passphrase: this.#passphrase })).backup
    }
    if (there !== this.#opened.profile && this.#keyOf(there) !== key)
      throw new ToxError('TOX_FILE_EXISTS', `${this.#target} already exists: choose another name`)
    if (equalBytes(encodeSave(save), encodeSave(there.save))) return null
    return await writeProfile(there, save, { ...this.#opened.access, ...this.#writing })
  }

  async #read(file: string): Promise<ToxProfile | null> {
    try {
      return await readProfile(file, this.#opened.access)
    } catch (error) {
      if (hasCode(error, 'TOX_FILE_MISSING')) return null
      throw error
    }
  }

  get #writing(): { nowSec: number; force: boolean; engine: OpenProfile['access']['engine'] } {
    const { engine } = this.#opened.access
    return { engine, nowSec: this.#context.nowSec, force: this.#options.force === true }
  }

  get #passphrase(): string | null {
    const { profile, access } = this.#opened
    return profile.isEncrypted ? (access.passphrase ?? null) : null
  }

  /** A running client overwrites the profile when it exits, and the new key would be lost. */
  async #checkClient(): Promise<void> {
    if (this.#options.force === true || this.#target !== this.#opened.profile.path) return
    const [client] = await clientsOn(this.#target)
    if (client === undefined) return
    const message = `${describeClient(client)} has ${this.#target} open and would overwrite it at exit; close it first`
    throw new ToxError('TOX_CLIENT_RUNNING', message)
  }

  #foreign(device: TableDevice): CliError {
    const { file, key } = this.#opened
    const message = `${file} is the profile of device ${keyTail(key)}, not of ${device.name} (${keyTail(device.key)})`
    return new CliError('DEVICE_NOT_LISTED', message, { hint: 'list your devices: persona device list' })
  }
}

function formatReport(report: DeviceRekeyReport, verbose: boolean): string[] {
  const { device, oldKey, key, toxId, file, backup, dropped, resumed, status } = report
  const old = backup === null ? [] : [`backup:   ${escapeText(backup)} (has the old key)`]
  return [
    ...(resumed ? ['finished an interrupted rekey'] : []),
    `${showName(device, key)} has a new key, in your table and in ${escapeText(file)}${tableNumbers(verbose, status.table)}`,
    ...(oldKey === null ? [] : [`old key:  ${keyTail(oldKey)}`]),
    `Tox ID:   ${toxId}`,
    ...old,
    ...(dropped.length === 0 ? [] : [`left out: ${dropped.join(' and ')}; join your groups again`]),
    ...formatLeftOut(report),
    'now show the table on your other devices: persona publish',
    'friends who use persona then learn the new key; give all other friends the new Tox ID',
  ]
}
