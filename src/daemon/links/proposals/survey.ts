/** The channels of this daemon, as a round of proposals finds them. */
import type { ChannelWays, PersonaChannel } from '../../wing/introductions.ts'
import type { Announced } from './announced.ts'
import type { StoredProposal } from './kinds.ts'

/** The channels as they are at the beginning of a round of all proposals. */
export interface Survey {
  readonly ways: ChannelWays
  readonly channels: readonly PersonaChannel[]
  /** Their ids. */
  readonly ids: ReadonlySet<string>
  /** Those of other devices of the owner whose links stand. */
  readonly announced: readonly Announced[]
  /** Source channels that are open, by {@link sourceKey}. */
  readonly open: ReadonlyMap<string, PersonaChannel | Announced>
  /** Ids of channels by app and persona. */
  readonly known: ReadonlyMap<string, readonly string[]>
  /** Ids of channels that proposals have made. */
  readonly made: Set<string>
}

/** Where a source channel leads, and at which device of the owner it ends. */
export function sourceKey({
  source,
  persona,
  device,
  over = '',
}: Pick<StoredProposal, 'source' | 'persona' | 'device' | 'over'>): string {
  return `${source}/${persona}/${device}/${over}`
}

export function surveyOf(ways: ChannelWays, stored: Iterable<StoredProposal>, announced: readonly Announced[]): Survey {
  const channels = ways.all()
  const known = new Map<string, string[]>()
  const open = new Map<string, PersonaChannel | Announced>()
  for (const channel of channels) {
    const { id, app, persona, device } = channel
    const key = `${app}/${persona}`
    known.set(key, [...(known.get(key) ?? []), id])
    if (channel.isOpen) open.set(sourceKey({ source: app, persona, device }), channel)
  }
  for (const each of announced) open.set(sourceKey({ ...each, source: each.app }), each)
  const ids = new Set(channels.map(({ id }) => id))
  const made = new Set([...stored].flatMap((each) => each.made ?? []))
  return { ways, channels, ids, announced, open, known, made }
}

export function isAnnounced(source: PersonaChannel | Announced | null): source is Announced {
  return source !== null && 'over' in source
}

/** Whether the target app has a channel with the persona that no proposal made. */
export function isKnown(
  { target, persona }: Pick<StoredProposal, 'target' | 'persona'>,
  { known, made }: Pick<Survey, 'known' | 'made'>,
): boolean {
  return (known.get(`${target}/${persona}`) ?? []).some((id) => !made.has(id))
}
