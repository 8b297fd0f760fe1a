/** Merges the owner's part of a snapshot: installs the persona if there is none here, or joins it with the one here (docs/backup.md). */
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { Intent } from '../../core/intents.ts'
import { replaceFormerOwn } from '../contacts/successor.ts'
import { judgeAgainst } from '../personas/decide.ts'
import { headOf, offeredDevices } from '../personas/heads.ts'
import type { State } from '../state/state.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { OwnPersona } from '../own/persona.ts'
import { freshUntilSec } from '../own/siblings.ts'
import { MAX_TOMBSTONES, type OwnRecord, type PastTable } from '../state/own-record.ts'
import type { ImportRecord } from '../state/local-records.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { isTrusted, mergeKnown, mergePersona } from './merge.ts'

type OwnerOrigin = ImportRecord & { state: 'taking' }

/** The records beside the owner's, each kind in the order of its ids. */
export interface OwnPast {
  readonly intents: readonly Intent[]
  readonly past: readonly PastTable[]
}

/** Installs the persona on this device. A sibling's intents and their numbers stay with the sibling. */
export function installOwn(
  incoming: OwnRecord,
  persona: PersonaRecord,
  { intents, past }: OwnPast,
  origin: OwnerOrigin,
  own: OwnPersona,
  state: State,
): void {
  const { nowSec } = state
  // A backup may be older than the last table that this persona signed, so we need a copy from elsewhere before we sign.
  const changed =
    origin.source === null
      ? { restoredSec: nowSec, soleEpoch: null, hadSeed: false }
      : notOfASibling(incoming, headOf(persona, state), nowSec)
  state.putOwn({ ...incoming, ...changed })
  const after = mergePersona(persona, origin, own, state)
  replaceFormerOwn(after, incoming.predecessor ?? null, state)
  own.import(origin.source === null ? intents : [], past)
  const [head, later] = [headOf(persona, state), headOf(after, state)]
  if (head === null || later === null || equalBytes(head.tableHash, later.tableHash)) return
  // We knew the persona as a contact, with a later table. Nobody approved its devices, and one may be a thief's.
  own.foundBehind({ ...persona, devices: offeredDevices(persona, head) }, after)
}

/** Resets the fields of a sibling's record that concern its own daemon only. Its table counts as a copy. */
function notOfASibling({ epoch }: OwnRecord, head: VerifiedBlob | null, nowSec: number): Partial<OwnRecord> {
  // Only its position in the chain proves an epoch. A thief could use up all rotations with a mere number.
  const proven = { copySec: head === null ? null : freshUntilSec(head, nowSec), highestEpoch: epoch }
  return {
    replayDue: false,
    nextIntent: 1,
    localDevices: [],
    companion: null,
    rotation: null,
    soleEpoch: null,
    hadSeed: false,
    ...proven,
  }
}

/** Joins the records of a sibling with those of the same persona here. */
export function joinOwn(
  incoming: OwnRecord,
  persona: PersonaRecord,
  { past }: OwnPast,
  origin: OwnerOrigin,
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
    // Only its position in the chain proves an epoch. A thief could use up all rotations with a mere number.
    highestEpoch: Math.max(before.highestEpoch, incoming.epoch),
    // Only the old persona can have signed it, and an owner who ended it here has null.
    ...(incoming.predecessor == null || before.predecessor !== undefined ? {} : { predecessor: incoming.predecessor }),
    // Only the owner may erase a seed that is here. A thief's record must not leave the owner without recovery words.
    recoveryConfirmed: before.recoveryConfirmed || (incoming.recoveryConfirmed && !own.mayHaveSeed),
  })
  const known = state.persona(before.personaId)!
  const head = headOf(persona, state)
  if (head === null) throw new Error('the snapshot has the owner without the own table')
  const copySec = origin.source === null ? null : state.nowSec
  own.seeOwnBlob(head, judgeAgainst(known, head, state), { from: '', mayNote: true, copySec })
  state.putPersona(mergeKnown(state.persona(before.personaId)!, persona, isTrusted(origin, state)))
  // A listed device was added again since, here or there.
  const listed = new Set(state.persona(before.personaId)!.devices.map(({ key }) => key))
  const removed = incoming.tombstones.filter((key) => !listed.has(key))
  const tombstones = [...new Set([...state.own()!.tombstones, ...removed])].slice(0, MAX_TOMBSTONES)
  state.putOwn({ ...state.own()!, tombstones })
}
