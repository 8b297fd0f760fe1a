/** `persona tox publish`: writes the owner's blob into a profile of the owner as its status message. */
import { equalBytes } from '../../core/encoding/bytes.ts'
import { ownWords } from '../../core/token.ts'
import type { Client } from '../../ipc/client.ts'
import type { StatusMessage } from '../../ipc/shapes/own.ts'
import { writeProfile } from '../../tox/profile/profile-file.ts'
import { encodeToxText, statusWith, withStatusMessage } from '../../tox/save/publish.ts'
import { readStatusMessage } from '../../tox/save/savefile.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, describeFailure, EXIT_DONE } from '../io/errors.ts'
import { escapeText, keyTail } from '../io/escape.ts'
import { tableNumbers } from '../io/layout.ts'
import { profileOpener, type OpenProfile } from './open.ts'

export interface PublishOptions {
  readonly text?: string
  /** Write even if a Tox client has the profile open. */
  readonly force?: true
  /** Write even if the profile's device is not in the owner's table. */
  readonly unlisted?: true
  readonly passphraseFile?: string
}

/** Printed by `--json`. */
export interface PublishReport {
  file: string
  /** ToxPk of the profile. */
  key: string
  /** False if the profile already showed this. */
  written: boolean
  backup: string | null
  /** The own words did not fit beside the blob. */
  wordsDropped: boolean
  status: StatusMessage
}

export async function publish(context: Context, file: string, options: PublishOptions): Promise<number> {
  const open = profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })
  const opened = await open(file)
  const present = readStatusMessage(opened.profile.save)
  // Clients cut at a NUL, and writing one is refused.
  const words = options.text ?? ownWords(present.text).replaceAll('\0', '')
  const report = await withDaemon(context, async (client): Promise<PublishReport> => {
    if (options.unlisted !== true) await checkListed(client, opened)
    const { status, wordsDropped } = await statusWith(words, (kept) => client.call('blob.get', { words: kept }))
    const isChanged = !equalBytes(encodeToxText(status.text), present.bytes)
    const backup = isChanged ? await write(context, opened, status.text, options) : null
    await reportWritten(context, client, opened, status.text, backup)
    return { file, key: opened.key, written: isChanged, backup, wordsDropped, status }
  })
  print(context, report, formatPublished(report, context.verbose))
  return EXIT_DONE
}

/** Tells the daemon before a client can overwrite the profile: the daemon misses only a blob that it knew of. */
async function reportWritten(
  context: Context,
  client: Client,
  { profile, key }: OpenProfile,
  text: string,
  backup: string | null,
): Promise<void> {
  try {
    await client.call('profile.wrote', { path: profile.path, key, text, backup, repaired: false })
  } catch (error) {
    // The profile is written all the same.
    remark(context, `the daemon could not record this: ${escapeText(describeFailure(error).message)}`)
  }
}

/** A table confirms only devices that it lists. On any other device friends would take it for a stolen copy. */
async function checkListed(client: Client, { file, key }: OpenProfile): Promise<void> {
  const table = await client.call('device.list')
  if (table.devices.some((device) => device.key === key)) return
  const message = `${file} belongs to device ${keyTail(key)}, which is not in your table`
  throw new CliError('DEVICE_NOT_LISTED', message, {
    hint: 'add the device with persona device add NAME --tox-profile FILE, or publish anyway with --unlisted',
  })
}

async function write(context: Context, opened: OpenProfile, text: string, options: PublishOptions): Promise<string> {
  const { profile, access } = opened
  const force = options.force === undefined ? {} : { force: true }
  return await writeProfile(profile, withStatusMessage(profile.save, text), {
    ...access,
    ...force,
    nowSec: context.nowSec,
  })
}

function formatPublished(report: PublishReport, verbose: boolean): string[] {
  const { status } = report
  const file = escapeText(report.file)
  const table = `your current table${tableNumbers(verbose, status.table)}`
  const dropped = report.wordsDropped ? ['your own words did not fit beside the blob and were left out'] : []
  if (!report.written) return [`${file} already shows ${table}; it was not changed`, ...dropped]
  return [
    `wrote ${table} to ${file} as its status message (${status.bytes} bytes)`,
    `your words:  ${status.words === '' ? 'none' : escapeText(status.words)}`,
    ...dropped,
    `backup:      ${escapeText(report.backup ?? 'none')}`,
    'your friends see it the next time your Tox client opens this profile',
  ]
}
