/** `persona verify` judges a status message; `persona observe` reports one to the daemon. */
import { checkDeviceKey } from '../../core/blob.ts'
import { parseHex } from '../../core/encoding/bytes.ts'
import { activeDevice } from '../../core/table.ts'
import type { Client } from '../../ipc/client.ts'
import type { BlobView, ObserveResult, VerifyResult } from '../../ipc/shapes/judged.ts'
import { isUnreachable, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { MAX_TEXT_BYTES, readStdin } from '../io/input.ts'
import { parseDeviceKey } from '../io/keys.ts'
import { countOf, formatTime, tableNumbers } from '../io/layout.ts'
import { alarmsAfter, formatAlarms } from '../io/needs.ts'
import { isInteractive } from '../io/prompt.ts'
import { DEVICE_STATES } from './states.ts'

/** Exits 0 only if the text holds a valid blob. Without a daemon it cannot judge the order. */
export async function verify(
  context: Context,
  given: string | undefined,
  options: { readonly from?: string },
): Promise<number> {
  const from = options.from === undefined ? null : parseDeviceKey(options.from)
  const text = await readText(given)
  const result = (await askDaemon(context, text, from)) ?? (await judgeWithoutDaemon(context, text, from))
  print(context, result, formatVerify(result, context.nowSec, context.verbose))
  return result.valid ? EXIT_DONE : EXIT_FAILED
}

/** Reads stdin if the text is `-` or absent. */
async function readText(given: string | undefined): Promise<string> {
  if (given === undefined || given === '-') {
    if (isInteractive()) process.stderr.write('Paste the status message, then press Enter and Ctrl-D.\n')
    return await readStdin(MAX_TEXT_BYTES)
  }
  if (Buffer.byteLength(given) <= MAX_TEXT_BYTES) return given
  throw new CliError('INPUT_TOO_LONG', `the text is longer than ${MAX_TEXT_BYTES} bytes`)
}

async function askDaemon(context: Context, text: string, from: string | null): Promise<VerifyResult | null> {
  try {
    return await withDaemon(context, (client: Client) =>
      client.call('verify', { text, ...(from === null ? {} : { from }) }),
    )
  } catch (error) {
    if (isUnreachable(error)) return null
    throw error
  }
}

async function judgeWithoutDaemon(context: Context, text: string, from: string | null): Promise<VerifyResult> {
  const [{ loadEngine }, { judgeText }] = await Promise.all([
    import('../../crypto/load.ts'),
    import('../../ipc/shapes/judge-text.ts'),
  ])
  return judgeText(text, from, await loadEngine(), context.nowSec)
}

export function formatVerify(result: VerifyResult, nowSec: number, verbose = false): string[] {
  const lines = result.valid ? ['valid'] : [`not valid: ${escapeText(result.message)} (${result.code ?? 'INTERNAL'})`]
  if (result.blob !== null) lines.push(...formatBlob(result.blob, nowSec, verbose))
  if (result.words !== '') lines.push(`own words:  ${escapeText(result.words)}`)
  const limit = result.overLimit ? ': over the limit, so clients must not show it' : ''
  lines.push(`size:       ${countOf(result.bytes, 'byte')}${limit}`)
  if (result.listsSender !== null) {
    lines.push(
      `sender:     ${result.listsSender ? 'is in the table' : 'is not in the table, so this confirms no device'}`,
    )
  }
  if (result.valid) lines.push(`order:      ${result.verdict === null ? ORDER_UNKNOWN : ORDER[result.verdict]}`)
  return lines
}

function formatBlob(blob: BlobView, nowSec: number, verbose: boolean): string[] {
  const written = `${formatTime(blob.timeSec, nowSec)}, ${blob.clockAhead ? "the writer's clock is ahead" : blob.freshness}`
  const lines = [`persona:    ${blob.personaId}`, `table:      written ${written}${tableNumbers(verbose, blob)}`]
  const active = activeDevice(blob.devices)
  if (blob.devices.length === 0) lines.push('devices:    none; the owner has removed every device')
  for (const [i, device] of blob.devices.entries()) {
    const mark = device.companion ? ' (companion: does not chat)' : device === active ? ' (active)' : ''
    lines.push(`${i === 0 ? 'devices:   ' : '           '} ${device.key} ${showName(device.name, null)}${mark}`)
  }
  if (blob.documentCode !== null) lines.push(`names:      cannot be read (${blob.documentCode})`)
  return lines
}

const ORDER_UNKNOWN = 'not judged because no daemon runs'
const ORDER: Readonly<Record<NonNullable<VerifyResult['verdict']>, string>> = {
  new: 'the first table seen of this persona',
  accept: 'newer than the known table',
  refresh: 'the known table',
  fork: 'another table with the same number (fork)',
  stale: 'older than the known table',
  held: 'too far ahead of the known table: not accepted',
  violation: 'contradicts the known chain of keys: refused',
}

/** Reports the status message that a device shows now. */
export async function observe(
  context: Context,
  given: string,
  options: { readonly from: string; readonly name?: string },
): Promise<number> {
  const from = parseDeviceKey(options.from)
  const text = await readText(given)
  const named = options.name === undefined ? {} : { name: options.name }
  const { result, alarms } = await withDaemon(context, async (client) => {
    const result = await client.call('observe', { from, text, ...named })
    return { result, alarms: context.json ? [] : await alarmsAfter(client, [result], context.nowSec) }
  })
  print(context, result, [formatObserved(result), ...formatAlarms(alarms)])
  return result.code === null ? EXIT_DONE : EXIT_FAILED
}

const SHOWN: Readonly<Record<ObserveResult['shown'], string>> = {
  valid: 'shows a valid blob',
  none: 'shows no blob',
  empty: 'shows an empty status message, which changes nothing',
  short: 'shows a short status of a persona that is not known here yet',
  damaged: 'shows a damaged blob: a client cut or altered it',
  invalid: 'shows an invalid blob',
}

function isDeviceKey(key: string): boolean {
  try {
    checkDeviceKey(parseHex(key)!)
    return true
  } catch {
    return false
  }
}

export function formatObserved(result: ObserveResult): string {
  const who = result.contact === null ? result.from : showName(result.contact, result.from)
  const code = result.code === null ? '' : ` (${result.code})`
  if (!isDeviceKey(result.from)) return `${who} can be the key of no device, so nothing was recorded${code}`
  const order = result.verdict === null ? '' : ` (${ORDER[result.verdict]})`
  const state = result.state === null ? '' : `; the device is ${DEVICE_STATES[result.state]}`
  return `${who} ${SHOWN[result.shown]}${code}${order}${state}`
}
