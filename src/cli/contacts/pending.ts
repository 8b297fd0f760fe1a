/** `persona pending|accept|reject` and `persona contact policy`: what waits for the owner's answer, with exactly what it would change. */
import type { Client } from '../../ipc/client.ts'
import type { Policy } from '../../ipc/shapes/contact.ts'
import { PENDING_KINDS, type PendingKind, type PendingUpdate } from '../../ipc/shapes/pending.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { parseQuery } from '../io/keys.ts'
import { formatTime } from '../io/layout.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
import { describeChange } from '../events/watch.ts'

export interface AnswerOptions {
  readonly kind?: string
  /** First digits of the hash of the table that was looked at. */
  readonly table?: string
}

const SHOWN_DIGITS = 8 // sanity: nobody finds another table with the same ones while the owner reads; so as many are asked back
const TABLE_DIGITS = new RegExp(`^[0-9A-F]{${SHOWN_DIGITS},64}$`, 'i')
const NO_TABLE = '0'.repeat(64)

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
  const waiting = await withDaemon(context, allPending)
  const lines = waiting.flatMap((update) => [...formatUpdate(update, context.nowSec), ''])
  print(context, { pending: waiting }, waiting.length === 0 ? ['nothing waits for your answer'] : lines.slice(0, -1))
  return EXIT_DONE
}

const TITLES: Readonly<Record<PendingKind, string>> = {
  update: 'has a newer table',
  upgrade: 'shows a persona now',
  held: 'has a table that is far ahead of the one before: a thief of the signing key could have made it',
}

/** What it would change, and how to answer. */
export function formatUpdate(update: PendingUpdate, nowSec: number): string[] {
  const { contact, personaId, key, kind, policy, epoch, seq, timeSec, tableHash, changes, devices } = update
  const name = showName(contact, key ?? personaId)
  const changed = changes.filter((change) => change.kind !== 'upgraded').map((change) => `  ${describeChange(change)}`)
  const listed = devices.map((device) => showName(device.name, device.key)).join(', ')
  const option = kind === 'held' ? ' --kind held' : ''
  const table = ` --table ${tableHash.slice(0, SHOWN_DIGITS)}`
  return [
    `${name} ${TITLES[kind]} (policy ${policy})`,
    `  table ${seq} of epoch ${epoch} of persona ${keyTail(personaId)}, written ${formatTime(timeSec, nowSec)}`,
    ...changed,
    `  devices then: ${listed === '' ? 'none' : listed}`,
    `  persona accept ${quoted(contact)}${option}${table}, or persona reject ${quoted(contact)}${option}`,
  ]
}

function quoted(name: string): string {
  return /^[\w.#-]+$/.test(name) ? name : `'${escapeText(name).replaceAll("'", String.raw`'\''`)}'`
}

export async function accept(context: Context, contact: string, options: AnswerOptions): Promise<number> {
  return await answer(context, 'pending.accept', 'accepted', contact, options)
}

export async function reject(context: Context, contact: string, options: AnswerOptions): Promise<number> {
  return await answer(context, 'pending.reject', 'left as it was until there is a newer table', contact, options)
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
    if (method === 'pending.reject') return await client.call(method, params)
    // The contact could show another table between the look and the answer.
    return await client.call(method, { ...params, tableHash: await agreedTable(client, params, digits) })
  })
  const changed = update.changes.map((change) => `  ${describeChange(change)}`)
  print(context, update, [`${showName(update.contact, update.key ?? update.personaId)}: ${done}`, ...changed])
  return EXIT_DONE
}

/** The whole hash of the table that the owner means: named by its first digits, or shown now and agreed to. */
async function agreedTable(
  client: Client,
  { contact, kind }: { readonly contact: string; readonly kind?: PendingKind },
  digits: string | null,
): Promise<string> {
  const { name, personaId } = await client.call('contact.show', { contact })
  const [update, ...more] = (await allPending(client)).filter(
    (each) => (each.personaId === personaId || each.contact === name) && (kind === undefined || each.kind === kind),
  )
  // What is wrong then is said by the daemon, which decides.
  if (update === undefined || more.length > 0) return NO_TABLE
  if (digits !== null) return update.tableHash.startsWith(digits) ? update.tableHash : NO_TABLE
  if (!isInteractive()) {
    throw new CliError('USAGE', 'which table is to be taken?', {
      hint: 'as "persona pending" says: --table and its first digits',
    })
  }
  process.stderr.write(
    `${formatUpdate(update, Math.floor(Date.now() / 1000))
      .slice(0, -1)
      .join('\n')}\n`,
  )
  const answer = await askLine('take it? [y/N] ')
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('CANCELLED', 'not taken: it waits on')
  return update.tableHash
}

function parseKind(text: string | undefined): PendingKind | null {
  if (text === undefined) return null
  const kind = PENDING_KINDS.find((known) => known === text)
  if (kind !== undefined) return kind
  throw new CliError('USAGE', `--kind is one of ${PENDING_KINDS.join(', ')}, and not "${text}"`)
}

/** Fewer digits, or none because a script's variable was empty, would take a table that nobody has looked at. */
function parseTable(text: string | undefined): string | null {
  if (text === undefined) return null
  if (TABLE_DIGITS.test(text)) return text.toUpperCase()
  throw new CliError('USAGE', `--table is the first ${SHOWN_DIGITS} digits of a table or more, and not "${text}"`, {
    hint: 'as "persona pending" says',
  })
}

export async function policy(context: Context, contact: string, wanted: string): Promise<number> {
  if (!POLICIES.includes(wanted))
    throw new CliError('USAGE', `a policy is one of ${POLICIES.join(', ')}, and not "${wanted}"`)
  const changed = await withDaemon(context, (client) =>
    client.call('contact.policy', { contact: parseQuery(contact), policy: wanted as Policy }),
  )
  print(context, changed, [
    `${showName(changed.name, changed.personaId ?? changed.active)}: ${MEANINGS[changed.policy]}`,
  ])
  return EXIT_DONE
}

const MEANINGS: Readonly<Record<Policy, string>> = {
  auto: 'newer tables are taken by themselves; you are told of each new device',
  ask: 'newer tables wait for your answer; what a newer one no longer lists ends at once',
  pin: 'newer tables wait for your answer; only a rotation ends at once what it no longer lists',
}
