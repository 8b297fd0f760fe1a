/** The owner's part of a snapshot: where there was no persona it is founded, where it is the same one it is joined (docs/backup.md). */
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { Intent } from '../../core/intents.ts'
import { headOf, judgeAgainst, offeredDevices } from '../personas/heads.ts'
import type { State } from '../state/state.ts'
import type { OwnPersona } from '../own/persona.ts'
import {
  MAX_TOMBSTONES,
  type ImportRecord,
  type OwnRecord,
  type PastTable,
  type PersonaRecord,
} from '../state/records.ts'
import { mergeKnown, mergePersona } from './merge.ts'

type Taking = ImportRecord & { state: 'taking' }

/** What comes with the owner's records, each in the order of its ids. */
export interface OwnPast {
  readonly intents: readonly Intent[]
  readonly past: readonly PastTable[]
}

/** The persona comes to this device. A sibling's intents and their numbers are its own. */
export function installOwn(
  incoming: OwnRecord,
  persona: PersonaRecord,
  { intents, past }: OwnPast,
  origin: Taking,
  own: OwnPersona,
  state: State,
): void {
  const { nowSec } = state
  // A backup may be older than what this persona signed last: somebody else must say how far it came.
  const changed = origin.source === null ? { restoredSec: nowSec, soleEpoch: null } : notOfASibling(incoming, nowSec)
  state.putOwn({ ...incoming, ...changed })
  const after = mergePersona(persona, origin, state)
  own.import(origin.source === null ? intents : [], past)
  const [head, later] = [headOf(persona, state), headOf(after, state)]
  if (head === null || later === null || equalBytes(head.tableHash, later.tableHash)) return
  // The persona was known here as a contact's, by a later table, whose devices nobody has approved: a thief's may be among them.
  own.foundBehind({ ...persona, devices: offeredDevices(persona, head) }, after)
}

/** What a sibling's record says of its own daemon alone; and the table that it sends is a copy, read now. */
function notOfASibling({ epoch }: OwnRecord, nowSec: number): Partial<OwnRecord> {
  // No higher one than its position in the chain proves: by a mere number a thief would use up all rotations.
  const proven = { copySec: nowSec, highestEpoch: epoch }
  return {
    replayDue: false,
    nextIntent: 1,
    localDevices: [],
    companion: null,
    rotation: null,
    soleEpoch: null,
    ...proven,
  }
}

/** What a sibling knows of the persona that is here too. */
export function joinOwn(
  incoming: OwnRecord,
  persona: PersonaRecord,
  { past }: OwnPast,
  origin: Taking,
  own: OwnPersona,
  state: State,
): void {
  const before = state.own()!
  const isLater = origin.withKeys && incoming.epoch > before.epoch
  const { epoch, signingKey, links, next, inception } = isLater ? incoming : before
  own.addPast(past)
  state.putOwn({
    ...before,
    epoch,
    signingKey,
    links,
    next,
    inception,
    // No more than its position in the chain proves: by a mere number a thief would use up all rotations.
    highestEpoch: Math.max(before.highestEpoch, incoming.epoch),
    // Where the seed is, only its owner has it erased: a thief's word must not leave him without the words.
    recoveryConfirmed: before.recoveryConfirmed || (incoming.recoveryConfirmed && !own.mayHaveSeed),
  })
  const known = state.persona(before.personaId)!
  const head = headOf(persona, state)
  if (head === null) throw new Error('the snapshot has the owner without the own table')
  const copySec = origin.source === null ? null : state.nowSec
  own.adopt(head, judgeAgainst(known, head, state), { from: '', mayNote: true, copySec })
  state.putPersona(mergeKnown(state.persona(before.personaId)!, persona))
  // What is listed was added again since, here or there.
  const listed = new Set(state.persona(before.personaId)!.devices.map(({ key }) => key))
  const removed = incoming.tombstones.filter((key) => !listed.has(key))
  const tombstones = [...new Set([...state.own()!.tombstones, ...removed])].slice(0, MAX_TOMBSTONES)
  state.putOwn({ ...state.own()!, tombstones })
}
