/** `persona publish`: writes the owner's blob into the profiles of all own devices that are known on this computer. */
import type { Client } from '../../ipc/client.ts'
import type { OwnProfile } from '../../ipc/shapes/profiles.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, describeFailure, EXIT_DONE, EXIT_FAILED, hasCode, type Failure } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { profileOpener, type OpenProfile, type ProfileOpener } from './open.ts'
import { showsShort } from './words.ts'
import { formatPublished, publishInto, SEEN_LATER, type PublishOptions, type PublishReport } from './publish.ts'

/** One own device. Printed by `--json` as one of `profiles`. */
export interface DeviceReport {
  readonly device: string
  readonly key: string
  /** null if its profile is not known on this computer. */
  readonly file: string | null
  readonly report: PublishReport | null
  /** Why its profile was not written; null if it was, if it was current already, or if it is not known. */
  readonly error: Failure | null
}

/** A profile that cannot be written keeps no other one back. */
export async function publishOwn(context: Context, options: PublishOptions): Promise<number> {
  const open = profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })
  const profiles = await withDaemon(context, async (client) => {
    // Without a persona the daemon returns the error.
    await client.call('device.list')
    const known = (await client.call('profile.own')).profiles
    checkSomeKnown(known)
    const reports: DeviceReport[] = []
    for (const profile of known) reports.push(await publishOne(context, client, open, profile, options))
    return reports
  })
  print(context, { profiles }, formatReports(profiles, context.verbose))
  return profiles.every(({ error }) => error === null) ? EXIT_DONE : EXIT_FAILED
}

/** @throws {CliError} NO_PROFILES */
function checkSomeKnown(known: readonly OwnProfile[]): void {
  if (known.some(({ path }) => path !== null)) return
  if (known.length === 0) {
    const hint = 'add a device: persona device add NAME --tox-profile FILE'
    throw new CliError('NO_PROFILES', 'your table lists no device that has a profile', { hint })
  }
  throw new CliError('NO_PROFILES', 'no profile of your devices is known on this computer', {
    hint: 'name each profile once: persona tox publish FILE',
  })
}

async function publishOne(
  context: Context,
  client: Client,
  open: ProfileOpener,
  { device, key, path: file }: OwnProfile,
  options: PublishOptions,
): Promise<DeviceReport> {
  if (file === null) return { device, key, file, report: null, error: null }
  try {
    const opened = await open(file)
    if (opened.key !== key) throw otherDevice(file, opened.key, device)
    const report = await publishAgain(context, client, opened, options)
    return { device, key, file, report, error: null }
  } catch (error) {
    // Ctrl-C at a question ends the whole command.
    if (hasCode(error, 'CANCELLED')) throw error
    return { device, key, file, report: null, error: describeFailure(error) }
  }
}

/** A profile keeps its short status as long as the table is announced. */
async function publishAgain(
  context: Context,
  client: Client,
  opened: OpenProfile,
  options: PublishOptions,
): Promise<PublishReport> {
  try {
    return await publishInto(context, client, opened, { ...options, short: showsShort(opened.profile.save) })
  } catch (error) {
    if (!hasCode(error, 'NOT_ANNOUNCED')) throw error
    return await publishInto(context, client, opened, options)
  }
}

/** The file was put in the place of the device's profile. Writing it would leave the device without the table, and report that it has it. */
function otherDevice(file: string, found: string, device: string): CliError {
  const message = `${file} is the profile of another device, ${keyTail(found)}, and not of ${device} any more`
  return new CliError('PROFILE_OTHER_DEVICE', message, {
    hint: `name the profile of ${device} once: persona tox publish FILE`,
  })
}

export function formatReports(profiles: readonly DeviceReport[], verbose = false): string[] {
  const isWritten = profiles.some(({ report }) => report?.written === true)
  return [...profiles.flatMap((profile) => formatReport(profile, verbose)), ...(isWritten ? [SEEN_LATER] : [])]
}

function formatReport({ device, key, file, report, error }: DeviceReport, verbose: boolean): string[] {
  const name = showName(device, key)
  if (report !== null) return [`${name}:`, ...formatPublished(report, verbose).map((line) => `  ${line}`)]
  if (error !== null) {
    const advice = error.hint === null ? [] : [`  -> ${escapeText(error.hint)}`]
    return [
      `${name}: ${escapeText(file ?? '')} was not written:`,
      `  ${escapeText(error.message)} (${error.code})`,
      ...advice,
    ]
  }
  return [
    `${name}: its profile is not known on this computer`,
    '  -> persona publish, on the computer that has it; or here: persona tox publish FILE',
  ]
}
