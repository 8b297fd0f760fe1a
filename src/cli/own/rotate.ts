/** `persona rotate` and `persona device remove NAME --lost`: shows the new table, and signs it by the next key once the owner agrees and gives the recovery words (docs/format.md, section 4). */
import { describeFinding, SHOW_FRIENDS } from '../io/next-steps.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { Client } from '../../ipc/client.ts'
import { RpcError } from '../../ipc/wire/rpc.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import type { EditResult } from '../../ipc/shapes/own.ts'
import type { LeftOut, RotationPlan, RotationWishes } from '../../ipc/shapes/rotation.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, remark, tell, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { formatTable, formatTime, tableNumbers } from '../io/layout.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
import { checkPersona } from './checks.ts'
import { obtainWords } from './recovery-words.ts'

export interface RotateOptions {
  readonly epoch?: string
  readonly since?: string
  readonly keep?: readonly string[]
  readonly without?: readonly string[]
  readonly wordsFile?: string
  /** Sign the table without asking. */
  readonly yes?: true
  /** Show the table only. */
  readonly dryRun?: true
}

const WHY: Readonly<Record<LeftOut['why'], string>> = {
  named: 'as you asked',
  unapproved: 'another device added it, and you never approved it here',
  since: 'added after the date that you gave',
  gone: 'another device removed it earlier',
}

/** @param lost the lost device, if there is one */
export async function rotate(context: Context, options: RotateOptions, lost: string | null = null): Promise<number> {
  await withDaemon(context, async (client) => {
    const result = await signPlanned(context, client, options, lost, null)
    if (result !== null) print(context, result, formatRotated(result, context.verbose))
  })
  return EXIT_DONE
}

/**
 * Shows the table, asks the owner to confirm, and signs it.
 * @param given the recovery words, if the owner has already typed them
 * @returns null for a dry run
 */
export async function signPlanned(
  context: Context,
  client: Client,
  options: RotateOptions,
  lost: string | null,
  given: string | null,
): Promise<EditResult | null> {
  const { plan, wishes } = await planWith(client, wishesOf(options, lost))
  if (options.dryRun === true) {
    print(context, plan, formatPlan(plan, context.nowSec, context.verbose))
    return null
  }
  for (const line of formatPlan(plan, context.nowSec, context.verbose)) remark(context, line)
  await agree(context, options, 'rotate')
  const isHere = plan.hasSeed && options.wordsFile === undefined
  const words = given ?? (isHere ? null : await obtainWords(options.wordsFile))
  return await client.call('rotation.apply', { ...wishes, plan: plan.plan, ...(words === null ? {} : { words }) })
}

/** `persona rotate --follow`: another device has rotated, and this one derives the new key from the recovery words. */
export async function follow(context: Context, options: RotateOptions): Promise<number> {
  checkNoRotation(options, '--follow', ROTATING)
  await withDaemon(context, async (client) => {
    await checkPersona(client)
    const words = await obtainWords(options.wordsFile)
    const result = await client.call('rotation.follow', { words })
    print(context, result, [
      `this device now has the new key, and can edit the table again${tableNumbers(context.verbose, result.table)}`,
      SHOW_FRIENDS,
    ])
  })
  return EXIT_DONE
}

/** If the epoch is unsure, asks the owner at the terminal. */
async function planWith(
  client: Client,
  wishes: RotationWishes,
): Promise<{ plan: RotationPlan; wishes: RotationWishes }> {
  try {
    return { plan: await client.call('rotation.plan', wishes), wishes }
  } catch (error) {
    if (!(error instanceof RpcError) || !hasCode(error, 'EPOCH_UNSURE') || !isInteractive()) throw error
    const next = Number(error.details['epoch'])
    tell(
      `${escapeText(error.message)}.\nIf you have not rotated elsewhere, type ${next}. If you are not sure, type a higher number up to ${MAX_EPOCH}: skipping is safe.\n`,
    )
    const epoch = await askLine('Number of the next key (Enter alone cancels): ')
    if (epoch.trim() === '') throw new CliError('CANCELLED', 'cancelled')
    const agreed = { ...wishes, epoch: epochOf(epoch.trim()) }
    return { plan: await client.call('rotation.plan', agreed), wishes: agreed }
  }
}

/** Asks the owner to agree to the table. @param command that asks */
export async function agree(
  context: Context,
  options: Pick<RotateOptions, 'yes'>,
  command: 'rotate' | 'succeed',
): Promise<void> {
  if (options.yes === true) return
  if (context.json || !isInteractive()) {
    throw new CliError('USAGE', `${command} needs a terminal to show you the table before it signs`, {
      hint: 'look at the table with --dry-run, then give --yes',
    })
  }
  const answer = await askLine('Sign this table? You cannot undo this. Type "yes" to confirm: ')
  if (answer.trim().toLowerCase() !== 'yes') throw new CliError('CANCELLED', 'cancelled')
}

export function wishesOf(options: RotateOptions, lost: string | null): RotationWishes {
  const without = [...(lost === null ? [] : [lost]), ...(options.without ?? [])]
  return {
    ...(without.length > 0 ? { without } : {}),
    ...(options.keep === undefined ? {} : { keep: [...options.keep] }),
    ...(options.since === undefined ? {} : { sinceSec: parseDate(options.since) }),
    ...(options.epoch === undefined ? {} : { epoch: epochOf(options.epoch) }),
  }
}

const ROTATING = ['since', 'keep', 'without', 'epoch', 'dryRun'] as const

/** @param instead the option that does not rotate @throws {CliError} USAGE if an option for rotations was given too */
export function checkNoRotation(
  options: RotateOptions,
  instead: string,
  names: readonly (keyof RotateOptions)[] = [...ROTATING, 'wordsFile'],
): void {
  const unfit = names.find((name) => options[name] !== undefined)
  if (unfit === undefined) return
  const option = unfit.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new CliError('USAGE', `--${option} is only for a rotation, and ${instead} does not rotate`)
}

export function epochOf(text: string): number {
  const epoch = /^\d{1,2}$/.test(text) ? Number(text) : 0
  if (epoch >= 1 && epoch <= MAX_EPOCH) return epoch
  throw new CliError('USAGE', `"${escapeText(text)}" is not an epoch`, { hint: `give a number from 1 to ${MAX_EPOCH}` })
}

/**
 * Parses a day or a time as people write it, in the time zone of this machine.
 * @returns unix seconds
 * @throws {CliError} USAGE
 */
export function parseDate(text: string): number {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text)
  const isTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?$/.test(text)
  const ms = isDay ? Date.parse(`${text}T00:00:00`) : isTime ? Date.parse(text.replace(' ', 'T')) : NaN
  if (Number.isFinite(ms) && ms >= 0) return Math.floor(ms / 1000)
  throw new CliError('USAGE', `"${escapeText(text)}" is not a date`, {
    hint: 'write it like 2026-11-20 or 2026-11-20T18:30',
  })
}

export function formatPlan(plan: RotationPlan, nowSec: number, verbose = false): string[] {
  return [
    `Your next key will sign this table${verbose ? ` (epoch ${plan.epoch}, now ${plan.fromEpoch})` : ''}:`,
    ...formatDevices(plan.devices),
    ...formatLeftOut(plan.leftOut),
    ...(plan.gaveUp.includes('names') ? ['nicknames do not fit, so the table is published without them'] : []),
    ...(plan.epoch === MAX_EPOCH ? LAST_KEY : []),
    ...(plan.gaveUp.includes('keys')
      ? ['your table has entries that this version does not understand; they are left out too']
      : []),
    plan.copySec === null
      ? 'no friend and no other device of yours has ever shown a copy of your table here'
      : `the freshest copy of your table that a friend or another of your devices showed here was signed ${formatTime(plan.copySec, nowSec)}`,
    ...(plan.hasSeed
      ? [
          'you have not confirmed the recovery words, so theft protection is off; this uses the words stored on this device',
        ]
      : []),
  ]
}

/** The price of the last key. */
const LAST_KEY = [
  `this is your last key (epoch ${MAX_EPOCH}): no rotation can follow, so nothing shuts out a thief who gets this key`,
  'to go on under a new persona instead, which your contacts follow without being asked: persona succeed',
]

/** The devices of a planned table in their order. */
export function formatDevices(planned: readonly TableDevice[]): string[] {
  const devices = planned.map(({ name, key, companion }, i) => [
    `${i + 1}`,
    `${showName(name, key)}${companion ? ' (companion, does not chat)' : ''}`,
    key,
  ])
  return devices.length === 0 ? ['  no devices'] : formatTable(['', 'DEVICE', 'TOX PUBLIC KEY'], devices)
}

export function formatLeftOut(leftOut: readonly LeftOut[]): string[] {
  const out = leftOut.filter(({ why }) => why !== 'gone')
  const gone = leftOut.filter(({ why }) => why === 'gone')
  return [
    ...out.map(({ name, key, why }) => `left out: ${showName(name, key)} (${WHY[why]})`),
    ...gone.map(({ name, key, why }) => `left out: ${showName(name, key)} (${WHY[why]}; put it back with --keep)`),
  ]
}

function formatRotated({ table, findings }: EditResult, verbose: boolean): string[] {
  return [
    `rotated: your new key now signs, and the old key is erased on this device${tableNumbers(verbose, table)}`,
    ...findings.map((finding) => escapeText(describeFinding(finding))),
    'every friend who sees the new table shuts out the old key, so show it now: persona publish',
  ]
}
