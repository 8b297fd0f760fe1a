/** The parts of a relay's store over one snapshot: the same rules as over the records of one machine. */
import { RecordBoxes } from '../records/record-boxes.ts'
import type { RecordAccess } from '../records/record-access.ts'
import { RecordCards } from '../records/record-cards.ts'
import { RecordInboxes } from '../records/record-inboxes.ts'
import { RecordObjects } from '../records/record-objects.ts'
import type { StoreLimits } from '../store/rules.ts'
import type { Snapshot } from './snapshot.ts'

export interface Parts {
  readonly snapshot: Snapshot
  readonly boxes: RecordBoxes
  readonly cards: RecordCards
  readonly inboxes: RecordInboxes
  readonly objects: RecordObjects
}

/** @param tell gets `box/ID` or `inbox/ID` for each message and each entry that a turn stores */
export function partsOf(snapshot: Snapshot, limits: StoreLimits, tell: (id: string) => void): Parts {
  const access: RecordAccess = {
    coming: snapshot.records,
    present: snapshot.records,
    limits,
    write: async (writes) => {
      await snapshot.commit(writes)
      return true
    },
    commit: (writes) => snapshot.commit(writes),
    ready: () => null,
    // A turn reads what it and those before it wrote.
    isComing: () => false,
  }
  const parts: Parts = {
    snapshot,
    boxes: new RecordBoxes(access),
    cards: new RecordCards(access),
    inboxes: new RecordInboxes(access),
    objects: new RecordObjects(access),
  }
  // A turn that is made again gives its messages and entries other moments, so none is told before its commit.
  parts.boxes.watch((id, coming) => {
    if (coming === null) tell(`box/${id}`)
  })
  parts.inboxes.watch((id, coming) => {
    if (coming === null) tell(`inbox/${id}`)
  })
  return parts
}
