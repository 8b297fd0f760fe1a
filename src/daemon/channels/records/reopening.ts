/** Channels that are to take the place of another one: by the id of the invite at its maker, and by the id of the channel at its guest. */
import { kind, type Kind } from '../../state/kind.ts'

export interface ReopeningRecord {
  /** The channel that cannot go on. */
  readonly channel: string
  /** The number of its last content that the new channel has. */
  readonly sentUpTo: number
}

export const REOPENING: Kind<ReopeningRecord> = kind('channelagain', { travels: 'never' })
