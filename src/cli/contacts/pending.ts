/** `persona pending|accept|reject` and `persona contact policy`: pending changes of contacts, and the owner's decisions. */
import type { Client } from '../../ipc/client.ts'
import type { ElsewhereReport, Policy } from '../../ipc/shapes/contact.ts'
import { PENDING_KINDS, type PendingKind, type PendingUpdate } from '../../ipc/shapes/pending.ts'
import { withDaemon } from '../io/connect.ts'
import { print, tell, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, hasCode } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { parseQuery } from '../io/keys.ts'
import { formatTime, tableNumbers } from '../io/layout.ts'
import { formatPlaces, formatRequest, placesOf, requestsOf } from '../io/requests.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
import { describeChange } from '../events/watch.ts'
import { acceptPlaces, rejectPlaces } from './places.ts'
import { answerProposal, formatProposal, proposalsOf, proposedIn } from './proposals.ts'

export interface AnswerOptions {
  readonly kind?: string
  /** First digits of the hash of the table that the owner looked at. */
  readonly table?: string
  /** The app in which a contact is proposed. */
  readonly app?: string
}

const SHOWN_DIGITS = 8 // sanity: nobody can sign another table with the same digits while the owner reads this one
const TABLE_DIGITS = new RegExp(`^[0-9A-F]{${SHOWN_DIGITS},64}$`, 'i')
const NO_TABLE = '0'.repeat(64)
/** The kind of a contact of one app who is proposed in another. It has no table. */
const PROPOSAL = 'proposal'
/** The kind of relays that an app proposes for itself. */
const PLACES = 'places'

const POLICIES: readonly string[] = ['auto', 'ask', 'pin'] satisfies Policy[]

async function allPending(client: Client): Promise<PendingUpdate[]> {
  const all: PendingUpdate[] = []
  for (let after: string | null | undefined; after !== null;) {
    const page: { pending: PendingUpdate[]; next: string | null } = await client.call(
      'pending.list',
      after === undefined ? {} : { after },
    )
    all.push(...page.pending)
    after = page.next
  }
  return all
}

export async function pending(context: Context): Promise<number> {
  const { waiting, requests, proposals, places } = await withDaemon(context, async (client) => {
    const [waiting, requests] = [await allPending(client), await requestsOf(client)]
    return { waiting, requests, proposals: await proposalsOf(client), places: await placesOf(client) }
  })
  const lines = [
    ...waiting.flatMap((update) => [...formatUpdate(update, context.nowSec, context.verbose), '']),
    ...requests.flatMap((request) => [...formatRequest(request, context.nowSec), '']),
    ...proposals.flatMap((proposal) => [...formatProposal(proposal, context.nowSec), '']),
    ...places.flatMap((box) => [...formatPlaces(box), '']),
  ]
  print(
    context,
    { pending: waiting, requests, proposals, places: places.map(({ app, proposed }) => ({ app, ...proposed })) },
    lines.length === 0 ? ['nothing needs your decision'] : lines.slice(0, -1),
  )
  return EXIT_DONE
}

const TITLES: Readonly<Record<PendingKind, string>> = {
  update: 'has a newer table',
  upgrade: 'now shows a persona',
  successor: 'has a successor: another persona says that it follows this one, and the last key of this one signed that',
  held: 'has a table far ahead of the last one; a thief of the signing key could have made it',
  elsewhere: 'was looked at on another of your devices',
}

/** The contact does not exist, or has no pending change. */
const NOTHING = ['NOT_FOUND', 'NOTHING_PENDING'] as const

/** Changes by which two entries become one. */
const JOINING: ReadonlySet<string> = new Set(['upgraded', 'succeeded'])

/** Shows what the pending change would do and how to answer it. */
export function formatUpdate(update: PendingUpdate, nowSec: number, verbose = false): string[] {
  const { contact, personaId, key, kind, policy, epoch, seq, timeSec, tableHash, changes, devices, signedBy } = update
  const name = showName(contact, key ?? personaId)
  const joins = changes.find((change) => JOINING.has(change.kind))?.name ?? null
  const changed = changes.filter((change) => !JOINING.has(change.kind)).map((change) => `  ${describeChange(change)}`)
  const listed = devices.map((device) => showName(device.name, device.key)).join(', ')
  const option = kind === 'update' || kind === 'upgrade' ? '' : ` --kind ${kind}`
  const table = ` --table ${tableHash.slice(0, SHOWN_DIGITS)}`
  const answers = [
    `  to accept: persona accept ${quoted(contact)}${option}${table}`,
    `  to reject: persona reject ${quoted(contact)}${option}`,
  ]
  if (update.elsewhere !== undefined)
    return [`${name} ${TITLES[kind]}`, ...formatReport(update.elsewhere, nowSec).map((line) => `  ${line}`), ...answers]
  return [
    `${name} ${TITLES[kind]} (policy ${policy})`,
    `  of persona ${keyTail(personaId)}, written ${formatTime(timeSec, nowSec)}${tableNumbers(verbose, { epoch, seq })}`,
    ...(joins === null
      ? []
      : [
          `  it becomes ${kind === 'successor' ? 'one contact with' : 'a device of'} ${escapeText(joins)}, who is a contact already`,
        ]),
    ...(signedBy === 'words-or-thief'
      ? ['  a thief of one of their devices could have signed it too: ask them first']
      : []),
    ...changed,
    `  devices after the change: ${listed === '' ? 'none' : listed}`,
    ...answers,
  ]
}

/** The report of another device, and the meaning of a yes. */
export function formatReport({ device, verifiedAtSec, minEpoch }: ElsewhereReport, nowSec: number): string[] {
  const by = `your device ${escapeText(device)}`
  return [
    ...(verifiedAtSec === null ? [] : [`${by} reports: safety number compared ${formatTime(verifiedAtSec, nowSec)}`]),
    ...(minEpoch === null ? [] : [`${by} reports: a contact link refuses tables below epoch ${minEpoch}`]),
    'accept it only if you did that there yourself: a thief of that device could report it too',
  ]
}

function quoted(name: string): string {
  return /^[\w.#-]+$/.test(name) ? name : `'${escapeText(name).replaceAll("'", String.raw`'\''`)}'`
}

export async function accept(context: Context, contact: string, options: AnswerOptions): Promise<number> {
  if (options.kind === PLACES) return await acceptPlaces(context, contact)
  if (options.kind === PROPOSAL) return await answerProposal(context, contact, options.app, 'accept')
  return await answer(context, 'pending.accept', 'accepted', contact, options)
}

export async function reject(context: Context, contact: string, options: AnswerOptions): Promise<number> {
  if (options.kind === PLACES) return await rejectPlaces(context, contact)
  if (options.kind === PROPOSAL) return await answerProposal(context, contact, options.app, 'decline')
  return await answer(context, 'pending.reject', 'rejected', contact, options)
}

async function answer(
  context: Context,
  method: 'pending.accept' | 'pending.reject',
  done: string,
  contact: string,
  options: AnswerOptions,
): Promise<number> {
  const [kind, digits] = [parseKind(options.kind), parseTable(options.table)]
  const update = await withDaemon(context, async (client) => {
    const params = { contact: parseQuery(contact), ...(kind === null ? {} : { kind }) }
    try {
      if (method === 'pending.reject') return await client.call(method, params)
      // The contact could show another table after the owner looked and before the owner answers.
      return await client.call(method, { ...params, tableHash: await agreedTable(context, client, params, digits) })
    } catch (error) {
      if (kind === null && NOTHING.some((code) => hasCode(error, code))) await refuseProposed(client, contact, method)
      throw error
    }
  })
  const changed = update.changes.map((change) => `  ${describeChange(change)}`)
  const again =
    update.kind === 'elsewhere' ? '; you are not asked again' : '; you are asked again when a newer table comes'
  const outcome = done === 'rejected' ? done + again : done
  print(context, update, [`${showName(update.contact, update.key ?? update.personaId)}: ${outcome}`, ...changed])
  return EXIT_DONE
}

/** The owner means somebody who is proposed in an app, perhaps. @throws {CliError} USAGE, which names the command for that */
async function refuseProposed(
  client: Client,
  contact: string,
  method: 'pending.accept' | 'pending.reject',
): Promise<void> {
  const app = await proposedIn(client, contact)
  if (app === null) return
  const command = `persona ${method === 'pending.accept' ? 'accept' : 'reject'} ${quoted(contact)}`
  throw new CliError('USAGE', `${escapeText(contact)} is proposed in ${escapeText(app)}`, {
    hint: `to answer that: ${command} --kind ${PROPOSAL} --app ${quoted(app)}`,
  })
}

/** Returns the whole hash of the table that the owner named by its first digits, or agrees to now. */
async function agreedTable(
  context: Context,
  client: Client,
  { contact, kind }: { readonly contact: string; readonly kind?: PendingKind },
  digits: string | null,
): Promise<string> {
  const { name, personaId } = await client.call('contact.show', { contact })
  const [update, ...more] = (await allPending(client)).filter(
    (each) => (each.personaId === personaId || each.contact === name) && (kind === undefined || each.kind === kind),
  )
  // The daemon decides, and names the error.
  if (update === undefined || more.length > 0) return NO_TABLE
  if (digits !== null) return update.tableHash.startsWith(digits) ? update.tableHash : NO_TABLE
  if (!isInteractive()) {
    throw new CliError('USAGE', 'accept needs the table that you looked at', {
      hint: 'add --table DIGITS, as shown by: persona pending',
    })
  }
  tell(
    `${formatUpdate(update, Math.floor(Date.now() / 1000), context.verbose)
      .slice(0, -2)
      .join('\n')}\n`,
  )
  const answer = await askLine('Accept it? [y/N] ')
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('CANCELLED', 'not accepted: the change is still pending')
  return update.tableHash
}

function parseKind(text: string | undefined): PendingKind | null {
  if (text === undefined) return null
  const kind = PENDING_KINDS.find((known) => known === text)
  if (kind !== undefined) return kind
  throw new CliError('USAGE', `--kind must be one of ${[...PENDING_KINDS, PROPOSAL, PLACES].join(', ')}, not "${text}"`)
}

/** Too few digits would accept a table that nobody looked at. A script with an empty variable gives none at all. */
function parseTable(text: string | undefined): string | null {
  if (text === undefined) return null
  if (TABLE_DIGITS.test(text)) return text.toUpperCase()
  throw new CliError('USAGE', `--table needs the first ${SHOWN_DIGITS} digits of a table or more, not "${text}"`, {
    hint: 'copy them from: persona pending',
  })
}

export async function policy(context: Context, contact: string, wanted: string): Promise<number> {
  if (!POLICIES.includes(wanted))
    throw new CliError('USAGE', `the policy must be one of ${POLICIES.join(', ')}, not "${wanted}"`)
  const changed = await withDaemon(context, (client) =>
    client.call('contact.policy', { contact: parseQuery(contact), policy: wanted as Policy }),
  )
  print(context, changed, [
    `${showName(changed.name, changed.personaId ?? changed.active)} has policy ${changed.policy}: ${MEANINGS[changed.policy]}`,
  ])
  return EXIT_DONE
}

const MEANINGS: Readonly<Record<Policy, string>> = {
  auto: 'newer tables are accepted automatically; you get an event for each new device',
  ask: 'newer tables need your decision, but a device that they no longer list is removed at once',
  pin: 'newer tables need your decision; only a rotation removes devices at once',
}
