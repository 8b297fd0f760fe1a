/** The contacts that are provided now to apps of this device, by its own apps and by those of other devices of the owner. */
import type { StoredProposal } from './kinds.ts'
import type { ProposalMeans } from './means.ts'
import type { Survey } from './survey.ts'
import type { IsMeant } from './woken.ts'

export type Provided = Pick<StoredProposal, 'source' | 'target' | 'persona' | 'device' | 'channel' | 'name' | 'over'>

/** Those that are meant. */
export function* provided(
  { channels, announced }: Pick<Survey, 'channels' | 'announced'>,
  { keeper, links }: Pick<ProposalMeans, 'keeper' | 'links'>,
  isMeant: IsMeant,
): Generator<Provided> {
  const own = keeper.table().personaId
  for (const { id: channel, app: source, persona, device, name, isOpen } of channels) {
    if (!isOpen || persona === own || !isMeant({ channels: [channel], persona })) continue
    for (const { app: target } of links.targetsOf(source, persona))
      yield { source, target, persona, device, channel, name }
  }
  for (const { id: channel, app: source, target, persona, device, name, over, isProvided } of announced)
    if (isProvided && persona !== own && isMeant({ channels: [channel], persona }))
      yield { source, target, persona, device, channel, name, over }
}
