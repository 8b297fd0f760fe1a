/** `persona tox publish`: the owner's status message, written into a profile of the owner. */
import { equalBytes } from '../core/bytes.ts'
import { ownWords } from '../core/token.ts'
import type { Client } from '../ipc/client.ts'
import type { StatusMessage } from '../ipc/shapes.ts'
import { writeProfile } from '../tox/profile-file.ts'
import { encodeToxText, withStatusMessage } from '../tox/publish.ts'
import { readStatusMessage } from '../tox/savefile.ts'
import { isHopeless } from './blob.ts'
import { hasCode, withDaemon } from './connect.ts'
import { print, type Context } from './context.ts'
import { CliError, EXIT_DONE } from './errors.ts'
import { escapeText, keyTail } from './escape.ts'
import { profileOpener, type OpenProfile } from './profiles.ts'

export interface PublishOptions {
  readonly text?: string
  readonly force?: true
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
  const { status, wordsDropped } = await withDaemon(context, async (client) => {
    if (options.force !== true) await checkListed(client, opened)
    return await statusWith(client, words)
  })
  const isChanged = !equalBytes(encodeToxText(status.text), present.bytes)
  const backup = isChanged ? await write(context, opened, status.text, options) : null
  const report: PublishReport = { file, key: opened.key, written: isChanged, backup, wordsDropped, status }
  print(context, report, formatPublished(report))
  return EXIT_DONE
}

/** A table that does not list the device which shows it binds nothing, and looks to friends like a copy of somebody else's. */
async function checkListed(client: Client, { file, key }: OpenProfile): Promise<void> {
  const table = await client.call('device.list')
  if (table.devices.some((device) => device.key === key)) return
  const message = `${file} is the profile of ${keyTail(key)}, which is no device of your table`
  throw new CliError('DEVICE_NOT_LISTED', message, {
    hint: `persona device add NAME --tox-profile FILE; --force publishes there all the same`,
  })
}

/** The token must get out whatever the words are: a removal that waits for shorter words would not be one. */
export async function statusWith(
  client: Client,
  words: string,
): Promise<{ status: StatusMessage; wordsDropped: boolean }> {
  try {
    if (!isHopeless(words)) return { status: await client.call('blob.get', { words }), wordsDropped: false }
  } catch (error) {
    if (!hasCode(error, 'WORDS_TOO_LONG')) throw error
  }
  return { status: await client.call('blob.get', { words: '' }), wordsDropped: true }
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
