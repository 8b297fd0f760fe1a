/** `persona tox publish`: the owner's status message, written into a profile of the owner. */
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
import { profileOpener, type OpenProfile } from './open.ts'

export interface PublishOptions {
  readonly text?: string
  /** Although a Tox client runs on it. */
  readonly force?: true
  /** Although it is the profile of no device of the owner. */
  readonly unlisted?: true
  readonly passphraseFile?: string
}

/** What `--json` prints. */
export interface PublishReport {
  file: string
  /** ToxPk of the profile. */
  key: string
  /** False when the profile showed this already. */
  written: boolean
  backup: string | null
  /** The own words did not fit beside the token. */
  wordsDropped: boolean
  status: StatusMessage
}

export async function publish(context: Context, file: string, options: PublishOptions): Promise<number> {
  const open = profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })
  const opened = await open(file)
  const present = readStatusMessage(opened.profile.save)
  // A NUL, at which clients cut, would be refused when it is written again.
  const words = options.text ?? ownWords(present.text).replaceAll('\0', '')
  const report = await withDaemon(context, async (client): Promise<PublishReport> => {
    if (options.unlisted !== true) await checkListed(client, opened)
    const { status, wordsDropped } = await statusWith(words, (kept) => client.call('blob.get', { words: kept }))
    const isChanged = !equalBytes(encodeToxText(status.text), present.bytes)
    const backup = isChanged ? await write(context, opened, status.text, options) : null
    await reportWritten(context, client, opened, status.text, backup)
    return { file, key: opened.key, written: isChanged, backup, wordsDropped, status }
  })
  print(context, report, formatPublished(report))
  return EXIT_DONE
}

/** Before a client can write over it: only what was seen there can be missed. */
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
    // Published it is all the same.
    remark(context, `the daemon was not told of it: ${escapeText(describeFailure(error).message)}`)
  }
}

/** A table that does not list the device which shows it binds nothing, and looks to friends like a copy of somebody else's. */
async function checkListed(client: Client, { file, key }: OpenProfile): Promise<void> {
  const table = await client.call('device.list')
  if (table.devices.some((device) => device.key === key)) return
  const message = `${file} is the profile of ${keyTail(key)}, which is no device of your table`
  throw new CliError('DEVICE_NOT_LISTED', message, {
    hint: `persona device add NAME --tox-profile FILE; --unlisted publishes there all the same`,
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

function formatPublished(report: PublishReport): string[] {
  const { status } = report
  const file = escapeText(report.file)
  const dropped = report.wordsDropped ? ['your own words were left out: they do not fit beside the token'] : []
  if (!report.written) return [`${file} shows table ${status.table.seq} already: nothing was written`, ...dropped]
  return [
    `wrote table ${status.table.seq} into ${file} as its status message, ${status.bytes} bytes`,
    `your words:  ${status.words === '' ? 'none' : escapeText(status.words)}`,
    ...dropped,
    `backup:      ${escapeText(report.backup ?? 'none')}`,
    'friends see it when the Tox client next starts with this profile',
  ]
}
