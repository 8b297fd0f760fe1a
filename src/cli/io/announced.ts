/** How the own table stands on the DHT, in words. */
import type { AnnounceKind } from '../../core/announce/settings.ts'
import type { AnnounceStatus } from '../../ipc/methods/announce.ts'
import { escapeText } from './escape.ts'
import { countOf, formatTime } from './layout.ts'

const WHO: Record<AnnounceKind, string> = {
  contacts: 'your contacts',
  devices: 'your contacts, and everybody who knows your PersonaID and one of your device keys',
  public: 'everybody who knows your PersonaID',
}

/** Tells who can read the announcements, and where they are; null while they are off. It continues "your table is". */
export function announcedWhere({ kind, items }: AnnounceStatus, nowSec: number): string | null {
  return kind === null ? null : `announced to ${WHO[kind]}: ${whereOf(items, nowSec)}`
}

function whereOf(items: AnnounceStatus['items'], nowSec: number): string {
  const table = items.find(({ forward }) => !forward)
  if (table === undefined || table.putSec === null) return 'not put yet'
  const { nodes, problem, putSec } = table
  const why = problem === null ? '' : `: ${escapeText(problem)}`
  if (nodes === null) return `not put${why}`
  if (nodes === 0) return `on no node${why}`
  return `on ${countOf(nodes, 'node')}, put ${formatTime(putSec, nowSec)}`
}
