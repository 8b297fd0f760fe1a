/** `persona tox rekey`: makes a second device from a profile, adds it to the table and publishes the table in it. */
import { realpath } from 'node:fs/promises'
import { formatHex } from '../../core/encoding/bytes.ts'
import { checkNickname } from '../../core/nickname.ts'
import { removeDurably } from '../../durable/file.ts'
import type { Client } from '../../ipc/client.ts'
import type { EditResult, OwnTable } from '../../ipc/shapes/own.ts'
import { NOSPAM_BYTES, SECRET_KEY_BYTES, formatToxId } from '../../tox/save/address.ts'
import { clientsOn } from '../../tox/profile/clients.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { readFriends } from '../../tox/save/friends.ts'
import { createProfile, readProfile, writeProfile, type ProfileAccess } from '../../tox/profile/profile-file.ts'
import { withStatusMessage } from '../../tox/save/status-message.ts'
import { rekeySave, type Rekeyed } from '../../tox/save/rekey.ts'
import { readKeys } from '../../tox/save/savefile.ts'
import { isUnreachable, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, describeFailure, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { askNewPassphrase } from '../io/passphrase.ts'
import { openProfile, type EditOptions } from './edit.ts'
import type { OpenProfile } from './open.ts'
import { formatRekeyed, type RekeyReport } from './rekey-report.ts'
import { sectionName } from './sections.ts'
import { fitWords, keptWords, shownWords } from './words.ts'

export interface RekeyCommandOptions extends EditOptions {
  readonly device: string
  readonly nospam?: string
  readonly dropRelays?: true
  /** File with another passphrase for OUT */
  readonly newPassphraseFile?: string
  /** Do not encrypt OUT, even if IN is encrypted */
  readonly plain?: true
}

/**
 * Makes the new profile durable before it changes the table. A crash in between leaves a profile that needs `device add`, never a
 * device in the table whose key is lost.
 */
export async function rekey(
  context: Context,
  from: string,
  file: string,
  options: RekeyCommandOptions,
): Promise<number> {
  const device = checkNickname(options.device)
  checkOptions(options)
  const opened = await openProfile(from, options)
  await checkOther(opened, file)
  const before = await tableNow(context)
  const { engine } = opened.access
  const rekeyed = rekeySave(
    opened.profile.save,
    {
      secretKey: engine.randomBytes(SECRET_KEY_BYTES),
      nospam: options.nospam === 'keep' ? null : engine.randomBytes(NOSPAM_BYTES),
      dropRelays: options.dropRelays === true,
    },
    engine,
  )
  const passphrase = await passphraseFor(opened, options)
  // Whatever the daemon would refuse, it refuses before a profile is written.
  if (typeof before === 'object') await withDaemon(context, (daemon) => checkAdd(daemon, device, rekeyed))
  const [client] = await clientsOn(opened.profile.path)
  const force = options.force === true
  const { backup } = await createProfile(file, rekeyed.save, { engine, passphrase, force, nowSec: context.nowSec })
  const access = passphrase === null ? { engine } : { engine, passphrase }
  const outcome = typeof before === 'object' ? await enlist(context, opened, file, device, rekeyed, access) : before
  const report: RekeyReport = {
    ...described(opened, file, device, rekeyed),
    encrypted: passphrase !== null,
    backup,
    running: client?.program ?? null,
    fromListed: typeof before === 'object' && before.devices.some(({ key }) => key === opened.key),
    ...(typeof outcome === 'object' ? outcome : { ...NOT_ENLISTED, persona: outcome }),
  }
  print(context, report, formatRekeyed(report, context.verbose))
  return report.error === null ? EXIT_DONE : EXIT_FAILED
}

function checkOptions({ nospam, plain, newPassphraseFile }: RekeyCommandOptions): void {
  if (nospam !== undefined && nospam !== 'keep' && nospam !== 'new')
    throw new CliError('USAGE', '--nospam must be keep or new')
  if (plain === true && newPassphraseFile !== undefined)
    throw new CliError('USAGE', 'give either --plain or --new-passphrase-file, not both')
}

async function checkOther({ file, profile }: OpenProfile, out: string): Promise<void> {
  if ((await realpath(out).catch(() => null)) !== profile.path) return
  throw new ToxError('TOX_SAME_FILE', `${out} is the same file as ${file}: choose another name`)
}

/** Returns the owner's present table, or why there is no table. */
async function tableNow(context: Context): Promise<OwnTable | 'no-daemon' | 'no-persona'> {
  try {
    return (await withDaemon(context, (client) => client.call('status'))).persona ?? 'no-persona'
  } catch (error) {
    if (isUnreachable(error)) return 'no-daemon'
    throw error
  }
}

async function checkAdd(client: Client, name: string, { publicKey }: Rekeyed): Promise<void> {
  await client.call('device.add', { name, key: formatHex(publicKey), check: true })
}

async function passphraseFor({ profile, access }: OpenProfile, options: RekeyCommandOptions): Promise<string | null> {
  const { newPassphraseFile, plain } = options
  if (newPassphraseFile !== undefined)
    return await askNewPassphrase({ file: newPassphraseFile, option: '--new-passphrase-file' })
  return profile.isEncrypted && plain !== true ? (access.passphrase ?? null) : null
}

type Enlisted = Pick<RekeyReport, 'persona' | 'table' | 'status' | 'wordsDropped' | 'leftOut' | 'bytesOver' | 'error'>
const NOT_ENLISTED = { table: null, status: null, wordsDropped: false, leftOut: '', bytesOver: 0, error: null }

/** Adds the device to the table, and publishes the table in its profile. */
async function enlist(
  context: Context,
  from: OpenProfile,
  file: string,
  device: string,
  rekeyed: Rekeyed,
  access: ProfileAccess,
): Promise<Enlisted> {
  let table: OwnTable | null = null
  try {
    return await withDaemon(context, async (client: Client) => {
      const added: EditResult = await client.call('device.add', { name: device, key: formatHex(rekeyed.publicKey) })
      table = added.table
      // Its friends learn of the new device from it. This may fail: the owner can name it later.
      await client.call('profile.remember', { path: from.profile.path, key: from.key }).catch(() => undefined)
      const words = shownWords(rekeyed.save) || (await keptWords(client, from.key))
      const { status, leftOut, bytesOver } = await fitWords(client, words)
      const written = await readProfile(file, access)
      const save = withStatusMessage(written.save, status.text)
      const backup = await writeProfile(written, save, { ...access, nowSec: context.nowSec })
      // This backup of a file made a moment ago is useless, and holds the new secret key.
      await removeDurably(backup).catch(() => undefined)
      const key = formatHex(rekeyed.publicKey)
      const wrote = { path: await realpath(file), key, text: status.text, backup: null, repaired: false, leftOut }
      // This may fail: the profile is written all the same.
      await client.call('profile.wrote', wrote).catch(() => undefined)
      return { persona: 'published', table, status, wordsDropped: leftOut !== '', leftOut, bytesOver, error: null }
    })
  } catch (error) {
    return { ...NOT_ENLISTED, persona: 'failed', table, error: describeFailure(error) }
  }
}

function described(
  { file: from, access }: OpenProfile,
  file: string,
  device: string,
  { save, publicKey, dropped, requests }: Rekeyed,
): Pick<RekeyReport, 'from' | 'file' | 'device' | 'key' | 'toxId' | 'friends' | 'requests' | 'dropped'> {
  const toxId = formatToxId(readKeys(save, access.engine))
  const friends = readFriends(save).friends.length
  return { from, file, device, key: formatHex(publicKey), toxId, friends, requests, dropped: dropped.map(sectionName) }
}
