/** Writes an outcome of personas/decide.ts: claims, alarms, record. Nothing else writes how a blob changes a persona. Inside of a change. */
import { MAX_CLAIMANTS } from '../state/device-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { State } from '../state/state.ts'
import { alarmDisputed, clearFork, noteFork } from './alarms.ts'
import type { Claim, HeadAlarm, Outcome } from './outcome.ts'

export function apply({ before, record, claims, alarms }: Outcome, state: State): void {
  for (const claim of claims) applyClaim(record.personaId, claim, state)
  // Before the record is written: the block of the contact that we had silences an alarm, not one that arrives with this record.
  for (const alarm of alarms) applyAlarm(alarm, before, state)
  if (record !== before) state.putPersona(record)
}

function applyClaim(personaId: string, { key, endedBy }: Claim, state: State): void {
  const device = state.device(key)
  const isBound = device.bound === personaId
  if (endedBy === null) {
    const claimedBy = device.claimedBy.includes(personaId) ? device.claimedBy : [personaId, ...device.claimedBy]
    const left = isBound ? null : device.left
    state.putDevice(key, { ...device, left, claimedBy: claimedBy.slice(0, MAX_CLAIMANTS) })
    return
  }
  const { epoch, seq } = endedBy
  const left = isBound ? { atSec: state.nowSec, epoch, seq } : device.left
  state.putDevice(key, { ...device, left, claimedBy: device.claimedBy.filter((id) => id !== personaId) })
}

function applyAlarm(alarm: HeadAlarm, persona: PersonaRecord, state: State): void {
  switch (alarm) {
    case 'forked':
      return noteFork(persona, state)
    case 'head raised':
      return clearFork(persona.personaId, state)
    case 'disputed':
      return alarmDisputed(persona, state)
  }
}
