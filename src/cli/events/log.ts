/** `persona log`: shows the history of changes with their sources, or checks that it is whole. */
import type { DaemonEvent } from '../../ipc/client.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import type { LogEntry, LogPage, LogVerdict } from '../../ipc/shapes/log.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { showName } from '../io/escape.ts'
import { parseQuery } from '../io/keys.ts'
import { countOf, formatTable, formatTime } from '../io/layout.ts'
import { describeChanges, describeEvent, describeSource } from './watch.ts'

const DEFAULT_ENTRIES = 50
const MAX_ENTRIES = 65_536 // sanity: the daemon keeps no more

export interface LogOptions {
  readonly limit?: string
  readonly verify?: true
}

/** Prints the newest entries, in the order of time. */
export async function log(context: Context, about: string | undefined, options: LogOptions): Promise<number> {
  if (options.verify === true) {
    if (about === undefined && options.limit === undefined) return await verify(context)
    throw new CliError('USAGE', '--verify checks the whole history; it takes no name and no --limit')
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
  print(context, { entries, next }, formatEntries(entries.toReversed(), context.nowSec, context.verbose))
  if (next !== null) remark(context, `show older entries with: persona log --limit ${2 * limit}`)
  return EXIT_DONE
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_ENTRIES
  const limit = Number(text)
  if (/^\d+$/.test(text) && limit >= 1 && limit <= MAX_ENTRIES) return limit
  throw new CliError('USAGE', `--limit needs a number from 1 to ${MAX_ENTRIES}, not "${text}"`)
}

export function formatEntries(entries: readonly LogEntry[], nowSec: number, verbose = false): string[] {
  if (entries.length === 0) return ['no entries yet']
  const rows = entries.map((entry) => [
    String(entry.number),
    formatTime(entry.atSec, nowSec),
    describeEntry(entry, verbose),
  ])
  return formatTable(['NUMBER', 'TIME', 'CHANGE'], rows)
}

function describeEntry(entry: LogEntry, verbose: boolean): string {
  const { event, data } = entry
  if (event !== 'contact.changed')
    return describeEvent({ event, id: entry.number, atSec: entry.atSec, data } as unknown as DaemonEvent, verbose)
  const { contact, personaId, key, changes, source } = data as {
    contact: string
    personaId: string | null
    key?: string
    changes: ContactChange[]
    source: string
  }
  return `${showName(contact, personaId ?? key ?? null)}: ${describeChanges(changes)}${describeSource(source)}`
}

async function verify(context: Context): Promise<number> {
  const verdict = await withDaemon(context, (client) => client.call('log.verify'))
  print(context, verdict, formatVerdict(verdict))
  return verdict.intact ? EXIT_DONE : EXIT_FAILED
}

function formatVerdict({ intact, entries, kept, oldest, newest, tip, brokenAt }: LogVerdict): string[] {
  if (!intact) return [`the history is broken at entry ${brokenAt}: it was changed, or entries were removed`]
  return [
    `the history is whole: ${countOf(entries, 'entry', 'entries')}, numbers ${oldest} to ${newest}`,
    ...(kept === 0
      ? []
      : [`${countOf(kept, 'older entry', 'older entries')} about your own acts and alarms: none was changed`]),
    `the hash of the newest entry is ${tip}`,
    'note it elsewhere: it shows later whether somebody wrote the whole history anew',
  ]
}
