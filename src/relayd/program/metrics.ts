/** The figures of a running relay: for `stats`, and for /metrics in the text format of Prometheus. */
import type { RelayServer } from '../http/relay-server.ts'
import type { Objects } from '../objects/objects.ts'
import type { RelayStore } from '../store/relay-store.ts'

const PREFIX = 'persona_relay_'

export interface Figures {
  readonly version: string
  readonly uptimeSec: number
  readonly boxes: number
  readonly messages: number
  readonly cards: number
  readonly inboxes: number
  readonly entries: number
  readonly objects: number
  readonly bytes: number
  readonly maxBytes: number
  /** Nothing new is stored. */
  readonly isFull: boolean
  /** The data directory, or a database, whose other processes have the same figures down to here. */
  readonly keptIn: 'directory' | 'database'
  /** Objects that are sent or fetched at this moment. */
  readonly transfers: number
  readonly streams: number
  readonly connections: number
  /** Bytes of answers that their readers have not taken. */
  readonly unreadBytes: number
  readonly memoryBytes: number
}

export interface FiguresInput {
  readonly store: RelayStore
  readonly server: RelayServer
  readonly objects: Pick<Objects, 'transfers'>
  readonly version: string
  readonly startedAtMs: number
  readonly nowMs: number
  readonly maxBytes: number
  readonly keptIn: Figures['keptIn']
}

/** @throws {StoreError} if the store has stopped */
export async function figuresOf(input: FiguresInput): Promise<Figures> {
  const { store, server, objects, version, startedAtMs, nowMs, maxBytes, keptIn } = input
  const stored = await store.stats()
  return {
    version,
    uptimeSec: Math.floor((nowMs - startedAtMs) / 1000),
    ...stored,
    maxBytes,
    keptIn,
    transfers: objects.transfers,
    streams: server.openStreams.size,
    connections: server.connections.size,
    unreadBytes: server.connections.unreadBytes,
    memoryBytes: process.memoryUsage.rss(),
  }
}

const GAUGES: readonly (readonly [name: string, help: string, of: (figures: Figures) => number])[] = [
  ['boxes', 'Boxes in the store.', ({ boxes }) => boxes],
  ['messages', 'Messages in the store.', ({ messages }) => messages],
  ['cards', 'Cards in the store.', ({ cards }) => cards],
  ['inboxes', 'Inboxes in the store.', ({ inboxes }) => inboxes],
  ['entries', 'Entries of inboxes in the store.', ({ entries }) => entries],
  ['objects', 'Objects in the store.', ({ objects }) => objects],
  ['transfers', 'Objects that are sent or fetched at this moment.', ({ transfers }) => transfers],
  ['stored_bytes', 'Bytes that boxes, messages, cards, inboxes and objects take.', ({ bytes }) => bytes],
  ['stored_bytes_max', 'Bytes that they may take.', ({ maxBytes }) => maxBytes],
  ['full', '1 if nothing new is stored.', ({ isFull }) => Number(isFull)],
  ['streams', 'Open streams of /wait and of inboxes.', ({ streams }) => streams],
  ['connections', 'Open connections.', ({ connections }) => connections],
  ['unread_bytes', 'Bytes of answers that their readers have not taken.', ({ unreadBytes }) => unreadBytes],
  ['memory_bytes', 'Resident memory of the process.', ({ memoryBytes }) => memoryBytes],
  ['uptime_seconds', 'Seconds since the start.', ({ uptimeSec }) => uptimeSec],
]

/** @param counts names with their labels, as the server counts */
export function formatMetrics(figures: Figures, counts: readonly (readonly [name: string, count: number])[]): string {
  const gauges = GAUGES.map(
    ([name, help, of]) =>
      `# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} gauge\n${PREFIX}${name} ${of(figures)}\n`,
  )
  const families = Map.groupBy(counts, ([name]) => name.replace(/\{.*/, ''))
  const counters = [...families].map(([family, members]) => {
    const lines = members.map(([name, count]) => `${PREFIX}${name} ${count}\n`)
    return `# TYPE ${PREFIX}${family} counter\n${lines.join('')}`
  })
  return [...gauges, ...counters].join('')
}
