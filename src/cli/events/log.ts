/** `persona log`: what changed, when, and by whose report; and whether the history is whole. */
import type { DaemonEvent } from '../../ipc/client.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import type { LogEntry, LogPage, LogVerdict } from '../../ipc/shapes/log.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { showName } from '../io/escape.ts'
import { parseQuery } from '../io/keys.ts'
import { countOf, formatTable, formatTime } from '../io/layout.ts'
import { describeChange, describeEvent, describeSource } from './watch.ts'

const DEFAULT_ENTRIES = 50
const MAX_ENTRIES = 65_536 // sanity: as many as the daemon keeps

export interface LogOptions {
  readonly limit?: string
  readonly verify?: true
}

/** The newest entries, oldest of them first, as a log is read. */
export async function log(context: Context, about: string | undefined, options: LogOptions): Promise<number> {
  if (options.verify === true) {
    if (about === undefined && options.limit === undefined) return await verify(context)
    throw new CliError('USAGE', '--verify checks the whole history: neither a name nor --limit goes with it')
  }
  const limit = parseLimit(options.limit)
  const entries: LogEntry[] = []
  const next = await withDaemon(context, async (client) => {
    const of = about === undefined ? {} : { about: parseQuery(about) }
    for (let before: number | null | undefined; entries.length < limit && before !== null;) {
      const from = before === undefined ? {} : { before }
      const page: LogPage = await client.call('log.list', {
        ...of,
        ...from,
        limit: Math.min(limit - entries.length, 500),
      })
      entries.push(...page.entries)
      before = page.next
      if (before === null || entries.length >= limit) return before
    }
    return null
  })
  print(context, { entries, next }, formatEntries(entries.toReversed(), context.nowSec))
  if (next !== null) remark(context, `older entries are there: persona log --limit ${2 * limit}`)
  return EXIT_DONE
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_ENTRIES
  const limit = Number(text)
  if (/^\d+$/.test(text) && limit >= 1 && limit <= MAX_ENTRIES) return limit
  throw new CliError('USAGE', `--limit is a number from 1 to ${MAX_ENTRIES}, and not "${text}"`)
}

export function formatEntries(entries: readonly LogEntry[], nowSec: number): string[] {
  if (entries.length === 0) return ['nothing has happened yet']
  const rows = entries.map((entry) => [String(entry.number), formatTime(entry.atSec, nowSec), describeEntry(entry)])
  return formatTable(['NUMBER', 'TIME', 'WHAT'], rows)
}

function describeEntry(entry: LogEntry): string {
  const { event, data } = entry
  if (event !== 'contact.changed')
    return describeEvent({ event, id: entry.number, atSec: entry.atSec, data } as unknown as DaemonEvent)
  const { contact, personaId, key, changes, source } = data as {
    contact: string
    personaId: string | null
    key?: string
    changes: ContactChange[]
    source: string
  }
  return `${showName(contact, personaId ?? key ?? null)}: ${changes.map(describeChange).join('; ')}${describeSource(source)}`
}

async function verify(context: Context): Promise<number> {
  const verdict = await withDaemon(context, (client) => client.call('log.verify'))
  print(context, verdict, formatVerdict(verdict))
  return verdict.intact ? EXIT_DONE : EXIT_FAILED
}

function formatVerdict({ intact, entries, oldest, newest, tip, brokenAt }: LogVerdict): string[] {
  if (!intact) return [`the history is broken at entry ${brokenAt}: it was altered, or entries were taken out`]
  return [
    `${countOf(entries, 'entry', 'entries')}, ${oldest} to ${newest}: each follows on the one before`,
    `the newest has the hash ${tip}; noted elsewhere, it shows later whether all of it was written anew`,
  ]
}
