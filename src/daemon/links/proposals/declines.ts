/** The declines of the owner. One holds for the persona of a contact, and for those that the contact goes on with. */
import type { Keeper } from '../../keeper/keeper.ts'
import { idsOf } from '../../state/view.ts'
import { DECLINE } from './kinds.ts'

export function isDeclined(persona: string, target: string, keeper: Pick<Keeper, 'onDisk'>): boolean {
  return declineIds(persona, target, keeper).some((id) => keeper.onDisk.of(DECLINE).get(id) !== undefined)
}

/** Notes a decline, or takes all of them back. */
export async function noteAnswer(
  persona: string,
  target: string,
  answer: 'accepted' | 'declined',
  keeper: Keeper,
): Promise<void> {
  const ids = declineIds(persona, target, keeper)
  await keeper.change(() => {
    const declines = keeper.state.of(DECLINE)
    if (answer === 'declined') keeper.state.stage(declines.put(ids[0]!, { atSec: keeper.nowSec }))
    else for (const id of ids) keeper.state.stage(declines.remove(id))
  })
}

/** The newest persona comes first. */
function declineIds(persona: string, target: string, { onDisk }: Pick<Keeper, 'onDisk'>): readonly string[] {
  return idsOf(persona, onDisk).map((id) => `${id}/${target}`)
}
