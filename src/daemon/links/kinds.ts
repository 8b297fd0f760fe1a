/** The sealed records of app links. They stay on this device, as the apps do that they join. */
import type { Provide, Receive } from '../../ipc/methods/links.ts'
import { jsonCodec } from '../sealed/json-codec.ts'
import { sealedKind, type SealedKind } from '../sealed/sealed-kind.ts'

export const DEFAULT_A_DAY = 20 // sanity: a person meets fewer people in a day; a source app gone bad brings no more than that

export interface StoredSettings {
  readonly provide: Provide
  /** PersonaIDs of those that are named. */
  readonly contacts: readonly string[]
  readonly receive: Readonly<Receive>
}

/** One app of a link, with its settings for this link. */
export interface StoredSide extends StoredSettings {
  readonly app: string
}

export interface StoredLink {
  /** PersonaID of the owner. A link ends with the persona. */
  readonly persona: string
  readonly sides: readonly [StoredSide, StoredSide]
  /** The app that asks for the link; null once the owner has answered. */
  readonly askedBy: string | null
  readonly sinceSec: number
  /** Present where the second app is on another device of the owner. */
  readonly elsewhere?: Elsewhere
}

/** How far the two daemons of a link have told each other. */
export interface Elsewhere {
  /** Counts the settings of the app here. */
  readonly told: number
  /** The count of those of the other side that are known here; 0 before it has told any. */
  readonly heard: number
  /** The key of the other device in the own table, as far as it was listed there and in the card. */
  readonly device?: string
}

/** By a random id. */
export const LINK: SealedKind<StoredLink> = sealedKind('applink', jsonCodec())

export const SEALED_KINDS: readonly SealedKind<unknown>[] = [LINK]

/** An app provides nobody before the owner says so, and asks about each contact that it is given. */
export function newSide(app: string): StoredSide {
  return { app, provide: 'none', contacts: [], receive: { how: 'ask', aDay: DEFAULT_A_DAY } }
}
