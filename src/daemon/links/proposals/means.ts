/** The services that proposals share. */
import type { Log } from '../../../process/log.ts'
import type { Clock } from '../../../process/pulse.ts'
import type { Keeper } from '../../keeper/keeper.ts'
import type { SealedRecords } from '../../sealed/records.ts'
import type { Introductions } from '../../wing/introductions.ts'
import type { Word } from '../../../link/word.ts'
import type { Receive } from '../../../ipc/methods/links.ts'

/** An app to which a contact may be provided now. */
export interface LinkTarget {
  readonly linkId: string
  readonly app: string
}

/** A link with another device that stands. */
export interface StandingElsewhere {
  /** The app of this device. */
  readonly own: string
  readonly other: string
  /** How the app of this device takes contacts. */
  readonly receive: Readonly<Receive>
  /** The key of the other device on the line, in upper-case hex. */
  readonly device: string
}

/** The links between the apps of the owner. */
export interface LinksHere {
  readonly all: readonly { readonly id: string }[]
  /** Whether it is known how each link stands. */
  readonly isReady: boolean
  /** The apps to which an app may provide a contact now. */
  targetsOf(app: string, persona: string): readonly Pick<LinkTarget, 'app'>[]
  /** How an app takes contacts of another one; null without a link. */
  receiving(source: string, target: string): Readonly<Receive> | null
  /** Those on other devices of the owner, each reached by a link. */
  targetsElsewhere(app: string, persona: string): readonly LinkTarget[]
  /** Whether a link joins an app of this device with another one, whether it stands or not. */
  isLinked(app: string, other: string): boolean
  /** The app of this device in a link with another one, and the other app, whether the link stands or not. */
  appsOf(id: string): Pick<StandingElsewhere, 'own' | 'other'> | null
  /** A link with another device; null if it does not stand now. */
  elsewhere(id: string): StandingElsewhere | null
  onChange(listener: () => void): () => void
}

/** The daemons on other devices of the owner. */
export interface OtherDevices {
  /** @param note inside of the change that sends it @returns false if the link is not open */
  send(linkId: string, word: Word, note: () => void): Promise<boolean>
  onWords: ((linkId: string, words: readonly Word[]) => Promise<void>) | null
}

export interface ProposalMeans {
  readonly keeper: Keeper
  readonly sealed: SealedRecords
  readonly introductions: Introductions
  readonly links: LinksHere
  readonly devices: OtherDevices
  readonly clock: Clock
  readonly log: Log
}
