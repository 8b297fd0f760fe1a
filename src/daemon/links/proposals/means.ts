/** The services that proposals share. */
import type { Log } from '../../../process/log.ts'
import type { Clock } from '../../../process/pulse.ts'
import type { Keeper } from '../../keeper/keeper.ts'
import type { SealedRecords } from '../../sealed/records.ts'
import type { Introductions } from '../../wing/introductions.ts'
import type { Receive } from '../../../ipc/methods/links.ts'

/** The links between the apps of the owner. */
export interface LinksHere {
  readonly all: readonly unknown[]
  /** The apps to which an app may provide a contact now. */
  targetsOf(app: string, persona: string): readonly { readonly app: string }[]
  /** How an app takes contacts of another one; null without a link. */
  receiving(source: string, target: string): Readonly<Receive> | null
  onChange(listener: () => void): () => void
}

export interface ProposalMeans {
  readonly keeper: Keeper
  readonly sealed: SealedRecords
  readonly introductions: Introductions
  readonly links: LinksHere
  readonly clock: Clock
  readonly log: Log
}
