/**
 * `persona device rekey`: a device gets another key, in the table and in its profile together (docs/tox.md).
 *
 * The order of the writes: a pending profile that holds the new key (`FILE.rekey`), then the table, then the profile itself, then the
 * pending one is removed. Crash after any of them: what is on disk says how far it came, and the same command goes on from there. The old
 * key is in the profile until the new one is on disk twice, and in the backup after that.
 */
import { realpath } from 'node:fs/promises'
import { equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import { foldNickname } from '../../core/nickname.ts'
import { ownWords } from '../../core/token.ts'
import { removeDurably } from '../../durable/file.ts'
import type { Client } from '../../ipc/client.ts'
import type { OwnTable, StatusMessage } from '../../ipc/shapes/own.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import { NOSPAM_BYTES, SECRET_KEY_BYTES, formatToxId } from '../../tox/save/address.ts'
import { clientsOn, describeClient } from '../../tox/profile/clients.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { createProfile, readProfile, writeProfile, type ToxProfile } from '../../tox/profile/profile-file.ts'
import { statusWith, withStatusMessage } from '../../tox/save/publish.ts'
import { rekeySave, type Rekeyed, type RekeyOptions } from '../../tox/save/rekey.ts'
import { encodeSave, readKeys, readStatusMessage } from '../../tox/save/savefile.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { profileOpener, type OpenProfile } from '../tox/open.ts'
import { sectionName } from '../tox/sections.ts'

export interface DeviceRekeyOptions {
  /** The profile of the device, which holds the key that is given up. */
  readonly toxProfile: string
  /** Where the profile with the new key goes; in the place of the old one when left out. */
  readonly out?: string
  readonly nospam?: string
  readonly dropRelays?: true
  readonly force?: true
  readonly profilePassphraseFile?: string
}

/** What `--json` prints. */
export interface DeviceRekeyReport {
  device: string
  /** null when all that was left of an interrupted run came after the old key was gone. */
  oldKey: string | null
  key: string
  toxId: string
  file: string
  /** Holds the old key; null when the profile went to another file, and the old one still does. */
  backup: string | null
  /** Sections that were left out, by name. */
  dropped: string[]
  wordsDropped: boolean
  /** An interrupted run was gone on with. */
  resumed: boolean
  status: StatusMessage
}

export async function rekeyDevice(context: Context, name: string, options: DeviceRekeyOptions): Promise<number> {
  const { nospam } = options
  if (nospam !== undefined && nospam !== 'keep' && nospam !== 'new')
    throw new CliError('USAGE', '--nospam is keep or new')
  const opened = await profileOpener({
    file: options.profilePassphraseFile,
    option: '--profile-passphrase-file',
  })(options.toxProfile)
  const target = await targetOf(opened, options)
  const report = await withDaemon(context, async (client) => {
    const status = await client.call('status')
    // Said before anything is written.
    if (status.locked)
      throw new CliError('LOCKED', 'the signing key is locked', { hint: 'open it with: persona unlock' })
    const device = deviceOf(await client.call('device.list'), name)
    return await new DeviceRekey(context, client, opened, target, options).run(device)
  })
  print(context, report, formatReport(report))
  return EXIT_DONE
}

/** The file that is to hold the new key. */
async function targetOf({ profile }: OpenProfile, { out, toxProfile }: DeviceRekeyOptions): Promise<string> {
  if (out === undefined) return profile.path
  const path = await realpath(out).catch(() => out)
  if (path === profile.path)
    throw new ToxError('TOX_SAME_FILE', `${out} is ${toxProfile} itself: leave --out out to replace its key`)
  return path
}

function deviceOf({ devices }: OwnTable, name: string): TableDevice {
  const folded = foldNickname(name)
  const device = devices.find((device) => foldNickname(device.name) === folded || device.key === name.toUpperCase())
  if (device !== undefined) return device
  throw new CliError('DEVICE_NOT_LISTED', `your table lists no device ${name}`, { hint: 'see: persona device list' })
}

class DeviceRekey {
  readonly #context: Context
  readonly #client: Client
  /** The profile with the key that is given up; with the new one when only the end of a run is left to do. */
  readonly #opened: OpenProfile
  readonly #target: string
  readonly #pendingFile: string
  readonly #options: DeviceRekeyOptions

  constructor(context: Context, client: Client, opened: OpenProfile, target: string, options: DeviceRekeyOptions) {
    this.#context = context
    this.#client = client
    this.#opened = opened
    this.#target = target
    // Not ending in .tox: qTox would list it as a profile.
    this.#pendingFile = `${target}.rekey`
    this.#options = options
  }

  async run(device: TableDevice): Promise<DeviceRekeyReport> {
    const pending = await this.#read(this.#pendingFile)
    const rekeyed = pending === null ? await this.#begin(device) : this.#again(pending)
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

  /** The new key is on disk before anybody hears of it. */
  async #begin(device: TableDevice): Promise<Rekeyed> {
    const { engine } = this.#opened.access
    const there = await this.#standing()
    // Crash after all was done but saying so.
    if (there !== null && there !== this.#opened.profile) {
      if (this.#keyOf(there) === device.key) return this.#asItIs(there)
      throw new ToxError('TOX_FILE_EXISTS', `${this.#target} is there already: give another name`)
    }
    if (device.key !== this.#opened.key) throw this.#foreign(device)
    await this.#checkClient()
    const secretKey = engine.randomBytes(SECRET_KEY_BYTES)
    const nospam = this.#options.nospam === 'keep' ? null : engine.randomBytes(NOSPAM_BYTES)
    const rekeyed = this.#rekey(secretKey, nospam)
    await createProfile(this.#pendingFile, rekeyed.save, { ...this.#writing, passphrase: this.#passphrase })
    return rekeyed
  }

  /** The friends and words of today under the key of the pending profile: a client may have run since. */
  #again(pending: ToxProfile): Rekeyed {
    const { secretKey, nospam, publicKey } = readKeys(pending.save, this.#opened.access.engine)
    const isReplaced = formatHex(publicKey) === this.#opened.key
    return isReplaced ? this.#asItIs(this.#opened.profile) : this.#rekey(secretKey, nospam)
  }

  #asItIs({ save }: ToxProfile): Rekeyed {
    const { publicKey } = readKeys(save, this.#opened.access.engine)
    return { save, publicKey, dropped: [], requests: 0 }
  }

  #keyOf({ save }: ToxProfile): string {
    return formatHex(readKeys(save, this.#opened.access.engine).publicKey)
  }

  /** The profile under the name of the target. */
  async #standing(): Promise<ToxProfile | null> {
    const { profile } = this.#opened
    return this.#target === profile.path ? profile : await this.#read(this.#target)
  }

  #rekey(secretKey: Uint8Array, nospam: Uint8Array | null): Rekeyed {
    const dropRelays = this.#options.dropRelays === true
    const options: RekeyOptions = { secretKey, nospam, dropRelays, replacesOld: true }
    return rekeySave(this.#opened.profile.save, options, this.#opened.access.engine)
  }

  /** Puts the new key, showing the new table, in its place. */
  async #publish(
    { save }: Rekeyed,
    key: string,
  ): Promise<Pick<DeviceRekeyReport, 'status' | 'wordsDropped' | 'backup'>> {
    // A NUL, at which clients cut, would be refused when it is written again.
    const words = ownWords(readStatusMessage(save).text).replaceAll('\0', '')
    const { status, wordsDropped } = await statusWith(words, (kept) => this.#client.call('blob.get', { words: kept }))
    const shown = withStatusMessage(save, status.text)
    const backup = await this.#write(shown, key)
    const wrote = { path: await realpath(this.#target), key, text: status.text, backup, repaired: false }
    // The daemon need not hear of it: it reads the profile when it next looks.
    await this.#client.call('profile.wrote', wrote).catch(() => undefined)
    return { status, wordsDropped, backup }
  }

  async #write(save: ToxProfile['save'], key: string): Promise<string | null> {
    const there = await this.#standing()
    if (there === null) {
      return (await createProfile(this.#target, save, { ...this.#writing, passphrase: this.#passphrase })).backup
    }
    if (there !== this.#opened.profile && this.#keyOf(there) !== key)
      throw new ToxError('TOX_FILE_EXISTS', `${this.#target} is there already: give another name`)
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

  /** A client writes over the profile when it ends, and the new key would be gone from it. */
  async #checkClient(): Promise<void> {
    if (this.#options.force === true || this.#target !== this.#opened.profile.path) return
    const [client] = await clientsOn(this.#target)
    if (client === undefined) return
    const message = `${describeClient(client)} has ${this.#target} open, and would write over it at exit: close it first`
    throw new ToxError('TOX_CLIENT_RUNNING', message)
  }

  #foreign(device: TableDevice): CliError {
    const { file, key } = this.#opened
    const message = `${file} is the profile of ${keyTail(key)}, and not that of ${device.name}, which is ${keyTail(device.key)}`
    return new CliError('DEVICE_NOT_LISTED', message, { hint: 'see: persona device list' })
  }
}

function formatReport(report: DeviceRekeyReport): string[] {
  const { device, oldKey, key, toxId, file, backup, dropped, wordsDropped, resumed, status } = report
  const old = backup === null ? [] : [`backup, with the old key: ${escapeText(backup)}`]
  return [
    ...(resumed ? ['went on with what was interrupted before'] : []),
    `${showName(device, key)} has another key now, in table ${status.table.seq} and in ${escapeText(file)}`,
    ...(oldKey === null ? [] : [`old key: ${keyTail(oldKey)}`]),
    `Tox ID:  ${toxId}`,
    ...old,
    ...(dropped.length === 0 ? [] : [`left out: ${dropped.join(' and ')}; join again`]),
    ...(wordsDropped ? ['your own words were left out: they do not fit beside the token'] : []),
    'friends who use persona learn of the new key once another device of yours shows the table; give the others the Tox ID',
    'publish it into the profiles of your other devices too: persona tox publish FILE',
  ]
}
