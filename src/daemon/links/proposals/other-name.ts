/** A contact who bears the name of somebody else: the owner must look at both before they are taken. */
import type { Keeper } from '../../keeper/keeper.ts'
import { foldName } from '../../state/name-form.ts'
import { currentId } from '../../state/view.ts'
import type { PersonaChannel } from '../../wing/introductions.ts'

export type Named = Pick<PersonaChannel, 'name' | 'persona' | 'app'>

/** Whether another contact of the owner, or another one in the same app, has a name that looks the same. */
export function bearsOtherName(
  { name, persona, app }: Named,
  channels: readonly Named[],
  { onDisk }: Pick<Keeper, 'onDisk'>,
): boolean {
  const folded = foldName(name)
  const isSame = channels.some((each) => each.app === app && each.persona !== persona && foldName(each.name) === folded)
  const holder = onDisk.names.get(folded)
  if (isSame || holder === undefined) return isSame
  return holder.kind !== 'persona' || currentId(holder.id, onDisk) !== currentId(persona, onDisk)
}
