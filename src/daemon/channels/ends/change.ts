/**
 * The changes of a turn, by value. A change that a crash may take back without harm waits for the next commit of its end: the peer repeats what
 * this end forgets, and this end repeats what the peer has (decision 35).
 */
import type { Channel } from '../../../channel/exchange/channel.ts'
import type { EndState } from './end-state.ts'

/** `now`: it must be on disk before anything of its turn leaves. `later`: it goes to disk with the next commit. */
export type Change = 'none' | 'later' | 'now'

/**
 * How a field counts. `count`: its times of posting are not on disk, so it differs by how many it has. `beside`: it goes to disk with other changes
 * and asks for no commit.
 */
type When = Exclude<Change, 'none'> | 'count' | 'beside'

const CHANNEL_FIELDS = {
  role: 'now',
  phase: 'now',
  brokenBecause: 'now',
  keys: 'now',
  headerKeys: 'now',
  promise: 'now',
  words: 'now',
  m2Hash: 'now',
  // Its bytes never change, and the guest's first frame, which ends it, is taken `now`.
  greeting: 'beside',
  peerAt: 'now',
  ownAt: 'now',
  isHeld: 'now',
  sent: 'now',
  sentBefore: 'now',
  // A frame that is new changes `sent`, and a content that is new changes `outNumber`: an ack alone only takes some away. They are posted again.
  window: 'count',
  outbox: 'count',
  outNumber: 'now',
  cut: 'now',
  controls: 'now',
  received: 'now',
  receivedBefore: 'now',
  tags: 'now',
  early: 'now',
  inNumber: 'now',
  begun: 'now',
  unreadBytes: 'now',
  // The peer repeats what it has no ack of.
  owesAck: 'later',
  stuck: 'later',
  refused: 'later',
  saidAtMs: 'now',
} as const satisfies { readonly [Field in keyof Channel]: When }

const END_FIELDS = {
  store: 'now',
  places: 'now',
  left: 'now',
  // A frame that was read twice is known by its counter.
  cursors: 'later',
  ackedIn: 'now',
  lastReceivedSec: 'now',
  lastDeliveredSec: 'later',
  heldBecause: 'now',
  heldSinceSec: 'now',
  isGone: 'now',
  showsPersona: 'now',
  isDirect: 'now',
  sentKeys: 'now',
  // The pieces of an upload must stay while a content on disk names them.
  uploads: 'now',
} as const satisfies { readonly [Field in Exclude<keyof EndState, 'channel'>]: Exclude<Change, 'none'> }

const CHANNEL_NOW = fieldsOf(CHANNEL_FIELDS, 'now')
const CHANNEL_LATER = fieldsOf(CHANNEL_FIELDS, 'later')
const CHANNEL_COUNT = fieldsOf(CHANNEL_FIELDS, 'count')
const END_NOW = fieldsOf(END_FIELDS, 'now')
const END_LATER = fieldsOf(END_FIELDS, 'later')

type FieldsOf<Fields, W extends When> = { [Name in keyof Fields]: Fields[Name] extends W ? Name : never }[keyof Fields]

function fieldsOf<Fields extends Readonly<Record<string, When>>, W extends When>(
  fields: Fields,
  when: W,
): FieldsOf<Fields, W>[] {
  return Object.keys(fields).filter((field) => fields[field] === when) as FieldsOf<Fields, W>[]
}

/** @param before as the turn found it */
export function changeOf(before: EndState, after: EndState): Change {
  if (before === after) return 'none'
  const [had, has] = [before.channel, after.channel]
  if (END_NOW.some((field) => before[field] !== after[field])) return 'now'
  if (had === has) return END_LATER.some((field) => before[field] !== after[field]) ? 'later' : 'none'
  if (CHANNEL_NOW.some((field) => had[field] !== has[field])) return 'now'
  return END_LATER.some((field) => before[field] !== after[field]) || differsLater(had, has) ? 'later' : 'none'
}

function differsLater(had: Channel, has: Channel): boolean {
  return (
    CHANNEL_COUNT.some((field) => had[field].length !== has[field].length) ||
    CHANNEL_LATER.some((field) => had[field] !== has[field])
  )
}
