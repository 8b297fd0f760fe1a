/** Erases an end with all its records: a candidate that lost, or a channel that the owner is done with. */
import type { Means } from '../ends/means.ts'
import { numbered } from '../../sealed/numbered.ts'
import { CHANNEL } from '../records/channel-record.ts'
import { EARLY, END, FRAME, IN, JOIN, OUT, PIECE } from '../records/kinds.ts'
import type { SealedKind } from '../../sealed/sealed-kind.ts'

const MOST_AT_ONCE = 1000 // sanity: a change stays small

/** Removes the keys of an end. Inside of a change. The records beside them go by {@link eraseRemains}. */
export function eraseKeys(id: string, { keeper, sealed }: Means): void {
  sealed.inChange(END).delete(id)
  sealed.inChange(JOIN).delete(id)
  keeper.state.stage(keeper.state.of(CHANNEL).remove(id))
}

const REMAINS: readonly SealedKind<unknown>[] = [FRAME, EARLY, OUT, PIECE, IN]

/** Removes the frames and contents of an end, in changes of their own. @param kinds those that nobody needs any more */
export async function eraseRemains(
  id: string,
  { keeper, sealed }: Means,
  kinds: readonly SealedKind<unknown>[] = REMAINS,
): Promise<void> {
  for (const kind of kinds) {
    const ids: string[] = []
    for await (const each of sealed.onDisk<unknown>(kind).ids(`${numbered(id)}/`)) ids.push(each)
    for (let at = 0; at < ids.length; at += MOST_AT_ONCE)
      await keeper.change(() => {
        for (const each of ids.slice(at, at + MOST_AT_ONCE)) sealed.inChange<unknown>(kind).delete(each)
      })
  }
}
