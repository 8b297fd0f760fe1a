/** Takes the values that nodes gave: their blobs go through the judgement of any blob, and a proof of theft raises an alarm. */
import type { JudgedItem } from '../../core/announce/walk.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import { seeAnnounced } from '../contacts/announced.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { noteTheft } from '../personas/thefts.ts'
import { textsOf } from './items.ts'

/** @returns whether the head of a persona moved */
export async function takeFound(items: readonly JudgedItem[], keeper: Keeper): Promise<boolean> {
  const blobs = items.flatMap(({ verdict }) => (verdict.verdict === 'refused' ? [] : [verdict.blob]))
  const proofs = items.filter(({ verdict }) => verdict.provesTheft)
  if (blobs.length === 0 && proofs.length === 0) return false
  return await keeper.change(() => {
    const moved = unique(blobs).map((blob) => seeAnnounced(blob, keeper.own, keeper.state))
    for (const proof of proofs) noteProof(proof, keeper)
    return moved.includes(true)
  })
}

/** Nodes give one item many times, and at two places. */
function unique(blobs: readonly VerifiedBlob[]): VerifiedBlob[] {
  return [...new Map(blobs.map((blob) => [formatHex(blob.bytes), blob])).values()]
}

function noteProof({ signed, place }: JudgedItem, { own, state }: Keeper): void {
  const { epoch, readingKey } = place
  const reading = readingKey === null ? {} : { readingKey: formatHex(readingKey) }
  noteTheft({ personaId: formatHex(place.personaId), epoch, item: textsOf(signed), ...reading }, own.personaId, state)
}
