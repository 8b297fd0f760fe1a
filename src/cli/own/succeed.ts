/** `persona succeed`: makes a new persona that follows the present one, once the owner agrees to its table and gives the recovery words (docs/format.md, section 14). */
import { MAX_EPOCH } from '../../core/limits.ts'
import type { EditResult } from '../../ipc/shapes/own.ts'
import type { SuccessionPlan } from '../../ipc/shapes/rotation.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { describeFinding } from '../io/next-steps.ts'
import { checkPersona } from './checks.ts'
import { printEdit } from './device.ts'
import { offerWords } from './persona.ts'
import { obtainWords } from './recovery-words.ts'
import { agree, formatDevices, formatLeftOut, wishesOf, type RotateOptions } from './rotate.ts'

export interface SucceedOptions extends Omit<RotateOptions, 'epoch'> {
  /** End the statement. */
  readonly end?: true
}

const MAKING = ['since', 'keep', 'without', 'wordsFile', 'dryRun', 'yes'] as const

export async function succeed(context: Context, options: SucceedOptions): Promise<number> {
  if (options.end === true) return await end(context, options)
  await withDaemon(context, async (client) => {
    await checkPersona(client)
    const wishes = wishesOf(options, null)
    const plan = await client.call('succession.plan', wishes)
    if (options.dryRun === true) {
      print(context, plan, formatPlan(plan))
      return
    }
    for (const line of formatPlan(plan)) remark(context, line)
    await agree(context, options, 'succeed')
    const isHere = plan.hasSeed && options.wordsFile === undefined
    if (!isHere && options.wordsFile === undefined)
      remark(context, 'This needs the recovery words of your present persona. The new one then gets words of its own.')
    const words = isHere ? {} : { words: await obtainWords(options.wordsFile) }
    const result = await client.call('succession.apply', { ...wishes, plan: plan.plan, ...words })
    print(context, result, formatMade(result, plan))
    await offerWords(context, client)
  })
  return EXIT_DONE
}

async function end(context: Context, options: SucceedOptions): Promise<number> {
  const unfit = MAKING.find((name) => options[name] !== undefined)
  if (unfit !== undefined) throw new CliError('USAGE', '--end takes no other option')
  return await withDaemon(context, async (client) =>
    printEdit(
      context,
      'your table no longer says which persona yours follows; contacts who have not moved by now do not move',
      await client.call('succession.end'),
    ),
  )
}

export function formatPlan(plan: SuccessionPlan): string[] {
  return [
    'A new persona with words of its own will follow your present one. It begins with this table:',
    ...formatDevices(plan.devices),
    ...formatLeftOut(plan.leftOut),
    ...(plan.gaveUp.includes('names') ? ['nicknames do not fit, so the table is published without them'] : []),
    ...(plan.gaveUp.includes('settings')
      ? ['settings of announcements do not fit beside the statement, and are left out; set them again afterwards']
      : []),
    ...(plan.followFrom > 0
      ? [
          `contacts who have seen no table of yours since epoch ${plan.followFrom} do not follow; with fewer devices more of them do`,
        ]
      : []),
    plan.epoch === MAX_EPOCH
      ? 'your last key is in use, and a thief of a device could sign the same: so each of your contacts is asked before they follow'
      : 'your contacts follow when they see the new table; those who verified you have to compare the new safety number',
    'the present persona ends: its key is erased here, and your other devices have to join the new one',
  ]
}

function formatMade({ table, findings }: EditResult, { personaId }: SuccessionPlan): string[] {
  return [
    `your persona is now ${table.personaId}; it follows ${personaId}`,
    ...findings.filter(({ code }) => code !== 'UNPROTECTED').map((finding) => escapeText(describeFinding(finding))),
    'contacts follow when they see the new table, so show it now: persona publish',
  ]
}
