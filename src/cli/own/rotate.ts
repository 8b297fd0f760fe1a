/** `persona rotate`, and `persona device remove NAME --lost`: the table is shown, and signed by the next key once the words were given (docs/format.md, section 4). */
import { describeFinding } from '../io/next-steps.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { Client } from '../../ipc/client.ts'
import { RpcError } from '../../ipc/wire/rpc.ts'
import type { EditResult } from '../../ipc/shapes/own.ts'
import type { LeftOut, RotationPlan, RotationWishes } from '../../ipc/shapes/rotation.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { formatTable, formatTime } from '../io/layout.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
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
  named: 'as you say',
  unapproved: 'added by another device, never approved here',
  since: 'came since',
  gone: 'taken out by another device before',
}

/** @param lost the device that is lost, if this is about one */
export async function rotate(context: Context, options: RotateOptions, lost: string | null = null): Promise<number> {
  await withDaemon(context, async (client) => {
    const result = await signPlanned(context, client, options, lost, null)
    if (result !== null) print(context, result, formatRotated(result))
  })
  return EXIT_DONE
}

/**
 * Shows the table, has the owner say yes, and signs it.
 * @param given the recovery words, where the owner has typed them already
 * @returns null when the table was only to be shown
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
    print(context, plan, formatPlan(plan, context.nowSec))
    return null
  }
  for (const line of formatPlan(plan, context.nowSec)) remark(context, line)
  await confirm(context, options, plan)
  const isHere = plan.hasSeed && options.wordsFile === undefined
  const words = given ?? (isHere ? null : await obtainWords(options.wordsFile))
  return await client.call('rotation.apply', { ...wishes, plan: plan.plan, ...(words === null ? {} : { words }) })
}

/** `persona rotate --follow`: another device has rotated, and this one gets the key from the words. */
export async function follow(context: Context, options: RotateOptions): Promise<number> {
  checkNoRotation(options, '--follow', ROTATING)
  await withDaemon(context, async (client) => {
    const words = await obtainWords(options.wordsFile)
    const result = await client.call('rotation.follow', { words })
    print(context, result, [`this device has the key of epoch ${result.table.epoch} now, and can edit the table again`])
  })
  return EXIT_DONE
}

/** Where the epoch is not sure, the owner at a terminal is asked for it. */
async function planWith(
  client: Client,
  wishes: RotationWishes,
): Promise<{ plan: RotationPlan; wishes: RotationWishes }> {
  try {
    return { plan: await client.call('rotation.plan', wishes), wishes }
  } catch (error) {
    if (!(error instanceof RpcError) || !hasCode(error, 'EPOCH_UNSURE') || !isInteractive()) throw error
    const next = Number(error.details['epoch'])
    process.stderr.write(
      `${escapeText(error.message)}.\nIf it was not, type ${next}; if you are not sure, a higher number up to 16: skipping costs nothing.\n`,
    )
    const epoch = await askLine('Epoch to rotate to (Enter alone: nothing is done): ')
    if (epoch.trim() === '') throw new CliError('CANCELLED', 'cancelled: nothing was done')
    const agreed = { ...wishes, epoch: epochOf(epoch.trim()) }
    return { plan: await client.call('rotation.plan', agreed), wishes: agreed }
  }
}

async function confirm(context: Context, options: RotateOptions, plan: RotationPlan): Promise<void> {
  if (options.yes === true) return
  if (context.json || !isInteractive()) {
    throw new CliError('USAGE', 'nobody is there to look at the table before it is signed', {
      hint: 'look at it with --dry-run, and then give --yes',
    })
  }
  const answer = await askLine(`Sign this table, for good? Type the epoch, ${plan.epoch}, to say yes: `)
  if (answer.trim() !== String(plan.epoch)) throw new CliError('CANCELLED', 'cancelled: nothing was done')
}

function wishesOf(options: RotateOptions, lost: string | null): RotationWishes {
  const without = [...(lost === null ? [] : [lost]), ...(options.without ?? [])]
  return {
    ...(without.length > 0 ? { without } : {}),
    ...(options.keep === undefined ? {} : { keep: [...options.keep] }),
    ...(options.since === undefined ? {} : { sinceSec: parseDate(options.since) }),
    ...(options.epoch === undefined ? {} : { epoch: epochOf(options.epoch) }),
  }
}

const ROTATING = ['since', 'keep', 'without', 'epoch', 'dryRun'] as const

/** @param instead the option that makes no rotation @throws {CliError} USAGE: what shapes one stands beside it */
export function checkNoRotation(
  options: RotateOptions,
  instead: string,
  names: readonly (keyof RotateOptions)[] = [...ROTATING, 'wordsFile'],
): void {
  const unfit = names.find((name) => options[name] !== undefined)
  if (unfit === undefined) return
  const option = unfit.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new CliError('USAGE', `--${option} is for a rotation, and ${instead} makes none`)
}

export function epochOf(text: string): number {
  const epoch = /^\d{1,2}$/.test(text) ? Number(text) : 0
  if (epoch >= 1 && epoch <= MAX_EPOCH) return epoch
  throw new CliError('USAGE', `"${escapeText(text)}" is no epoch`, { hint: `a number from 1 to ${MAX_EPOCH}` })
}

/**
 * A day or a time as people write it, by the clock of this machine.
 * @returns unix seconds
 * @throws {CliError} USAGE
 */
export function parseDate(text: string): number {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text)
  const isTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?$/.test(text)
  const ms = isDay ? Date.parse(`${text}T00:00:00`) : isTime ? Date.parse(text.replace(' ', 'T')) : NaN
  if (Number.isFinite(ms) && ms >= 0) return Math.floor(ms / 1000)
  throw new CliError('USAGE', `"${escapeText(text)}" is no date`, { hint: 'such as 2026-11-20 or 2026-11-20T18:30' })
}

export function formatPlan(plan: RotationPlan, nowSec: number): string[] {
  const devices = plan.devices.map(({ name, key }, i) => [`${i + 1}`, showName(name, key), key])
  const out = plan.leftOut.filter(({ why }) => why !== 'gone')
  const gone = plan.leftOut.filter(({ why }) => why === 'gone')
  return [
    `This table is about to be signed by the key of epoch ${plan.epoch} (now ${plan.fromEpoch}):`,
    ...(devices.length === 0 ? ['  no device at all'] : formatTable(['', 'DEVICE', 'TOX PUBLIC KEY'], devices)),
    ...out.map(({ name, key, why }) => `left out: ${showName(name, key)}, ${WHY[why]}`),
    ...gone.map(({ name, key, why }) => `not in it: ${showName(name, key)}, ${WHY[why]}; --keep puts it back`),
    ...(plan.gaveUp.length > 0 ? ['it is published without nicknames: they do not fit at this epoch'] : []),
    plan.copySec === null
      ? 'no copy of your table was ever read from a friend or another device of yours'
      : `a copy of your table was last read from a friend or another device of yours ${formatTime(plan.copySec, nowSec)}`,
    ...(plan.hasSeed
      ? ['the recovery words were never confirmed, so the seed on this device is used: theft protection is off']
      : []),
  ]
}

function formatRotated({ table, findings }: EditResult): string[] {
  return [
    `rotated: the key of epoch ${table.epoch} signs from now on, and the old one is erased here`,
    ...findings.map((finding) => escapeText(describeFinding(finding))),
    'whoever has the old key is shut out at every friend who sees the new table. Publish it now, in each of your profiles:',
    '  persona tox publish FILE',
  ]
}
