/** `persona contact verify`: two people compare their safety numbers (docs/format.md, section 13). */
import { parseSafetyNumber } from '../../core/safety-number.ts'
import type { SafetyNumbers, VerifyContactParams } from '../../ipc/shapes/links.ts'
import { withDaemon } from '../io/connect.ts'
import { print, tell, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { showName } from '../io/escape.ts'
import { MAX_TEXT_BYTES, readStdin } from '../io/input.ts'
import { parseQuery } from '../io/keys.ts'
import { formatTime } from '../io/layout.ts'
import { epochNote, formatNumber } from './link.ts'
import { askLine, isInteractive } from '../io/prompt.ts'

export interface VerifyContactOptions {
  /** The number on the contact's screen, `-` for stdin. */
  readonly number?: string
  /** The contact's link, scanned from their screen, `-` for stdin. */
  readonly link?: string
}

/** Shows both numbers. A matching number or link of the contact, given or typed, marks them verified. */
export async function verify(context: Context, name: string, options: VerifyContactOptions): Promise<number> {
  const contact = parseQuery(name)
  const given = await givenProof(options)
  const { numbers, isDone } = await withDaemon(context, async (client) => {
    if (given !== null) return { numbers: await client.call('contact.verify', { contact, ...given }), isDone: true }
    const known = await client.call('contact.number', { contact })
    const typed = context.json || !isInteractive() ? null : await askNumber(known)
    if (typed === null) return { numbers: known, isDone: false }
    return { numbers: await client.call('contact.verify', { contact: known.personaId, number: typed }), isDone: true }
  })
  const who = showName(numbers.name, numbers.personaId)
  print(context, numbers, [
    ...(isDone ? [`verified ${who}`] : []),
    ...formatNumbers(numbers, context.nowSec, context.verbose),
    ...(isDone ? [] : [ADVICE]),
  ])
  return EXIT_DONE
}

type Proof = Pick<VerifyContactParams, 'number'> | Pick<VerifyContactParams, 'link'>

async function givenProof({ number, link }: VerifyContactOptions): Promise<Proof | null> {
  if (number !== undefined && link !== undefined)
    throw new CliError('USAGE', 'give either --number or --link, not both')
  if (link !== undefined) return { link: link === '-' ? await readStdin(MAX_TEXT_BYTES) : link }
  if (number === undefined) return null
  return { number: digitsOf(number === '-' ? await readStdin(MAX_TEXT_BYTES) : number) }
}

/** @throws {CliError} NUMBER_WRONG */
function digitsOf(text: string): string {
  const digits = parseSafetyNumber(text)
  if (digits !== null) return digits
  throw new CliError('NUMBER_WRONG', 'a safety number has twelve groups of five digits', { hint: 'type all 60 digits' })
}

/** Asks before it shows the number. People who see it beside the question would copy it instead of comparing. */
async function askNumber({ name, personaId, own }: SafetyNumbers): Promise<string | null> {
  const who = showName(name, personaId)
  const lines =
    own === null ? [] : [`Your safety number, for ${who} to compare:`, ...formatNumber(own.safetyNumber), '']
  tell(`${lines.join('\n')}\n`)
  const typed = await askLine(`Type the number that ${who} sees with "persona link" (Enter alone: show it only): `)
  return typed.trim() === '' ? null : digitsOf(typed)
}

export function formatNumbers(
  { name, personaId, safetyNumber, epoch, verifiedAtSec, own }: SafetyNumbers,
  nowSec: number,
  verbose = false,
): string[] {
  const verified = verifiedAtSec === null ? 'not verified' : `verified ${formatTime(verifiedAtSec, nowSec)}`
  return [
    `${showName(name, personaId)}, ${verified}${epochNote(epoch, verbose)}:`,
    ...formatNumber(safetyNumber),
    ...(own === null ? [] : [`you${epochNote(own.epoch, verbose)}:`, ...formatNumber(own.safetyNumber)]),
  ]
}

const ADVICE =
  'compare all digits with the other screen, and the epochs if one shows any: the lower epoch has missed a rotation'
