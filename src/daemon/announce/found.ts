/** Takes the values that nodes gave: their blobs go through the judgement of any blob, and a proof of theft raises an alarm. */
import type { ChainPlace } from '../../core/announce/judge.ts'
import type { JudgedItem } from '../../core/announce/walk.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import { seeAnnounced } from '../contacts/announced.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { alarm } from '../personas/alarms.ts'
import { PROOFS, recordOf } from './items.ts'

/** @returns whether the head of a persona moved */
export async function takeFound(items: readonly JudgedItem[], keeper: Keeper): Promise<boolean> {
  const blobs = items.flatMap(({ verdict }) => (verdict.verdict === 'refused' ? [] : [verdict.blob]))
  const proof = items.find(({ verdict }) => verdict.provesTheft)
  if (blobs.length === 0 && proof === undefined) return false
  return await keeper.change(() => {
    const moved = unique(blobs).map((blob) => seeAnnounced(blob, keeper.own, keeper.state))
    if (proof !== undefined) noteProof(proof, keeper)
    return moved.includes(true)
  })
}

/** Nodes give one item many times, and at two places. */
function unique(blobs: readonly VerifiedBlob[]): VerifiedBlob[] {
  return [...new Map(blobs.map((blob) => [formatHex(blob.bytes), blob])).values()]
}

/** The first proof is kept; the alarm counts the others. */
function noteProof({ signed, place }: JudgedItem, { state, own, nowSec }: Keeper): void {
  const personaId = formatHex(place.personaId)
  const persona = state.persona(personaId)
  if (persona === undefined || (persona.entry === null && personaId !== own.personaId)) return
  if (state.of(PROOFS).get(personaId) === undefined) {
    const item = recordOf(signed, false)
    state.stage(state.of(PROOFS).put(personaId, { personaId, epoch: place.epoch, item, seenSec: nowSec }))
  }
  alarm(state, 'ANNOUNCEMENT_JAMMED', personaId, null, messageOf(place, persona.epoch, persona.entry?.name ?? null))
}

function messageOf({ epoch }: ChainPlace, headEpoch: number, name: string | null): string {
  const isOver = epoch < headEpoch
  const proves = 'an announcement proves that somebody else has'
  if (name === null)
    return isOver
      ? `${proves} an earlier signing key of yours; friends who are behind may not find your table by announcements`
      : `${proves} your signing key: rotate it`
  return isOver
    ? `${proves} an earlier signing key of ${name}`
    : `${proves} the signing key of ${name}: ask them to rotate it`
}
