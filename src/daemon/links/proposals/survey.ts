/** The channels of this daemon, as a round of proposals finds them. */
import type { ChannelWays, PersonaChannel } from '../../wing/introductions.ts'
import type { StoredProposal } from './kinds.ts'

/** The channels as they are at the beginning of a round of all proposals. */
export interface Survey {
  readonly ways: ChannelWays
  readonly channels: readonly PersonaChannel[]
  /** The open ones by app, persona and device. */
  readonly open: ReadonlyMap<string, PersonaChannel>
  /** Ids of channels by app and persona. */
  readonly known: ReadonlyMap<string, readonly string[]>
  /** Ids of channels that proposals have made. */
  readonly made: Set<string>
}

export function surveyOf(ways: ChannelWays, stored: Iterable<StoredProposal>): Survey {
  const channels = ways.all()
  const known = new Map<string, string[]>()
  const open = new Map<string, PersonaChannel>()
  for (const channel of channels) {
    const { id, app, persona, device } = channel
    const key = `${app}/${persona}`
    known.set(key, [...(known.get(key) ?? []), id])
    if (channel.isOpen) open.set(`${key}/${device}`, channel)
  }
  return { ways, channels, open, known, made: new Set([...stored].flatMap(({ made }) => made ?? [])) }
}

/** Whether the target app has a channel with the persona that no proposal made. */
export function isKnown(
  { target, persona }: Pick<StoredProposal, 'target' | 'persona'>,
  { known, made }: Pick<Survey, 'known' | 'made'>,
): boolean {
  return (known.get(`${target}/${persona}`) ?? []).some((id) => !made.has(id))
}

/** Nothing is left to say or to make: the source channel is gone for good, and no channel came of it. */
export function isOver({ channel, made, proposal }: StoredProposal, { channels }: Survey): boolean {
  return made === null && proposal.own.offer === null && !channels.some(({ id }) => id === channel)
}
