/** Reads what is new in a folder, bounded in everything: the number of names, of files and of bytes. */
import { join } from 'node:path'
import type { Arrival } from '../../../channel/carriers/carrier.ts'
import type { FirstMessages } from './first-messages.ts'
import { holdDirectory, MAX_SUBDIRECTORY_NAMES, namesIn, readFileData, type HeldDirectory } from './folder-files.ts'
import { parseFirstName, parseFrameName } from './folder-names.ts'
import { formatSeen, MAX_THINGS, parseSeen } from './seen-cursor.ts'

const MAX_ARRIVALS = 64 // sanity: a window of frames, 750 KiB at most
const MAX_OPENED = 128 // sanity: files of one reading that are opened, whole or not

/** A directory where files for a line lie. */
export interface Source {
  readonly path: string
  /** The folder itself; otherwise the subdirectory of a peer. */
  readonly isFolder: boolean
  /** The names that lie there, or fewer of those that say nothing. @param inside the directory, held open */
  readonly names: (inside: string) => Promise<readonly string[]>
  /** The meaning of a name; null for the names of others. */
  readonly thingOf: (name: string) => { readonly id: string; readonly number: number } | null
}

/** First messages for the invite of a host, in the folder itself. */
export function firstMessages(folder: string, host: string, firsts: FirstMessages): Source {
  const thingOf: Source['thingOf'] = (name) => {
    const first = parseFirstName(name)
    return first?.host === host ? { id: first.guest, number: 0 } : null
  }
  const names: Source['names'] = async () => (await firsts.list(folder)).byHost.get(host) ?? []
  return { path: folder, isFolder: true, names, thingOf }
}

/** The files that a peer has left in its subdirectory. */
export function framesOf(folder: string, peer: string): Source {
  const thingOf: Source['thingOf'] = (name) => {
    const number = parseFrameName(name)
    return number === null ? null : { id: number.toString(36), number }
  }
  const names: Source['names'] = async (inside) => await namesIn(inside, MAX_SUBDIRECTORY_NAMES)
  return { path: join(folder, peer), isFolder: false, names, thingOf }
}

interface Thing {
  readonly id: string
  readonly number: number
  readonly path: string
}

/**
 * Reads files that the cursor does not name, by their numbers. One that is not whole is left for the next time.
 * @throws what the system throws
 */
export async function readNew(sources: readonly Source[], after: string): Promise<Arrival[]> {
  const held: HeldDirectory[] = []
  try {
    const things: Thing[] = []
    for (const source of sources) {
      const directory = await holdDirectory(source.path, source.isFolder)
      if (directory === null) continue
      held.push(directory)
      things.push(...(await thingsIn(directory.path, source)))
    }
    const counted = things.toSorted(inOrder).slice(0, MAX_THINGS)
    return await readThings(counted, parseSeen(after))
  } finally {
    for (const directory of held) await directory.close()
  }
}

async function thingsIn(path: string, { names, thingOf }: Source): Promise<Thing[]> {
  return (await names(path)).flatMap((name) => {
    const thing = thingOf(name)
    return thing === null ? [] : [{ ...thing, path: join(path, name) }]
  })
}

function inOrder(a: Thing, b: Thing): number {
  return a.number - b.number || (a.id < b.id ? -1 : 1)
}

/** @param things the cursor names no other ones afterwards, so it stays short */
async function readThings(things: readonly Thing[], seenBefore: ReadonlySet<string>): Promise<Arrival[]> {
  const seen = new Set(things.map(({ id }) => id).filter((id) => seenBefore.has(id)))
  const arrivals: Arrival[] = []
  let opened = 0
  for (const { id, path } of things) {
    if (seen.has(id)) continue
    if (arrivals.length === MAX_ARRIVALS || ++opened > MAX_OPENED) break
    const data = await readFileData(path)
    if (data === null) continue
    seen.add(id)
    arrivals.push({ data, cursor: formatSeen(seen) })
  }
  return arrivals
}
