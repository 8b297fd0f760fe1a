/** `persona tox publish`: writes the owner's blob into a profile of the owner as its status message. */
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { Client } from '../../ipc/client.ts'
import { MAX_WORDS_CHARS } from '../../ipc/shapes/due.ts'
import type { StatusMessage } from '../../ipc/shapes/own.ts'
import { writeProfile } from '../../tox/profile/profile-file.ts'
import { encodeToxText, withStatusMessage } from '../../tox/save/status-message.ts'
import { readStatusMessage } from '../../tox/save/savefile.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, describeFailure, EXIT_DONE } from '../io/errors.ts'
import { escapeText, keyTail } from '../io/escape.ts'
import { countOf, tableNumbers } from '../io/layout.ts'
import { profileOpener, type OpenProfile } from './open.ts'
import { fitWords, formatLeftOut, keptWords, shownWords, type Fitted } from './words.ts'

export interface PublishOptions {
  readonly text?: string
  /** Write a short status, which leads to the announced table. Absent: write the table. */
  readonly short?: boolean
  /** Publish without the own words if they do not fit. */
  readonly dropWords?: true
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
  /** It shows a short status in place of the table. */
  short: boolean
  /** False if the profile already showed this. */
  written: boolean
  backup: string | null
  /** The own words did not fit beside the blob. */
  wordsDropped: boolean
  /** The words that did not fit, kept for the next publish; empty if all did. */
  leftOut: string
  /** How many bytes they were too long. */
  bytesOver: number
  status: StatusMessage
}

export async function publish(context: Context, file: string, options: PublishOptions): Promise<number> {
  const open = profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })
  const opened = await open(file)
  const report = await withDaemon(context, (client) => publishInto(context, client, opened, options))
  const later = report.written ? [SEEN_LATER] : []
  print(context, report, [...formatPublished(report, context.verbose), ...later, ...(report.short ? ABOUT_SHORT : [])])
  return EXIT_DONE
}

const ABOUT_SHORT = [
  'friends find your table by it on the DHT, as long as your announcements are on',
  'friends with personad 0.1 see a damaged table instead, and nothing newer from this device',
]

export const SEEN_LATER = 'your friends see it the next time your Tox client opens the profile'

/**
 * Writes the current status message into an open profile, unless it shows it already, and reports that to the daemon.
 * @throws {CliError} DEVICE_NOT_LISTED | WORDS_TOO_LONG | NOT_ANNOUNCED {ToxError} as writeProfile does
 */
export async function publishInto(
  context: Context,
  client: Client,
  opened: OpenProfile,
  options: PublishOptions,
): Promise<PublishReport> {
  if (options.unlisted !== true) await checkListed(client, opened)
  const present = readStatusMessage(opened.profile.save)
  const fitted = await fittedWords(client, opened, options)
  const { status, leftOut, bytesOver } = fitted
  const isChanged = !equalBytes(encodeToxText(status.text), present.bytes)
  const backup = isChanged ? await write(context, opened, status.text, options) : null
  await reportWritten(context, client, opened, fitted, backup)
  const { file, key } = opened
  const short = options.short === true
  return { file, key, short, written: isChanged, backup, wordsDropped: leftOut !== '', leftOut, bytesOver, status }
}

/**
 * The status message to write. Words that the owner gave now, or that the profile shows now, are left out only if the owner says so.
 * @throws {CliError} WORDS_TOO_LONG
 */
async function fittedWords(client: Client, { profile, key }: OpenProfile, options: PublishOptions): Promise<Fitted> {
  const present = options.text ?? shownWords(profile.save)
  const isKept = options.text === undefined && present === ''
  const form = options.short === true ? 'short' : 'table'
  const fitted = await fitWords(client, isKept ? await keptWords(client, key) : present, form)
  if (fitted.leftOut === '' || isKept || options.dropWords === true) return fitted
  const message = `your own words are ${countOf(fitted.bytesOver, 'byte')} too long beside the table; nothing was written`
  throw new CliError('WORDS_TOO_LONG', message, {
    hint: 'give shorter ones with --text WORDS, or publish without them for now with --drop-words',
  })
}

/** Tells the daemon before a client can overwrite the profile: the daemon misses only a blob that it knew of. */
async function reportWritten(
  context: Context,
  client: Client,
  { profile, key }: OpenProfile,
  { status, leftOut }: Fitted,
  backup: string | null,
): Promise<void> {
  const { text } = status
  const kept = leftOut.slice(0, MAX_WORDS_CHARS).toWellFormed()
  try {
    await client.call('profile.wrote', { path: profile.path, key, text, backup, repaired: false, leftOut: kept })
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

/** Describes the writing of one profile. */
export function formatPublished(report: PublishReport, verbose: boolean): string[] {
  const { status } = report
  const file = escapeText(report.file)
  const table = report.short ? 'your short status' : `your current table${tableNumbers(verbose, status.table)}`
  const dropped = formatLeftOut(report)
  if (!report.written) return [`${file} already shows ${table}; it was not changed`, ...dropped]
  return [
    `wrote ${table} to ${file} as its status message (${status.bytes} bytes)`,
    `your words:  ${status.words === '' ? 'none' : escapeText(status.words)}`,
    ...dropped,
    `backup:      ${escapeText(report.backup ?? 'none')}`,
  ]
}
