/** The looks at an inbox that nobody asks for: for entries that are over or wait for no device any more, and for its end. */
import type { Write } from '../../store/store.ts'
import { InboxChange } from './inbox-change.ts'
import type { InboxId } from '../store/inbox-store.ts'
import type { RecordAccess } from './record-access.ts'
import { entryId, numberOf, parseDueId } from './records.ts'

const SLICE = 256 // sanity: entries of one commit, which is 1.5 MiB at most; some milliseconds of one core

interface Slice {
  /** The number after which it begins. */
  readonly afterN: number
  readonly numbers: readonly number[]
  /** Whether there is nothing after it. */
  readonly isLast: boolean
}

/** Looks at an inbox whose moment has come, a slice of its entries at a time. @param dueKey id of the record of that moment */
export async function lookAtInbox(access: RecordAccess, dueKey: string, nowUs: number): Promise<void> {
  const { coming, limits, write } = access
  const { id, dueUs } = parseDueId(dueKey)
  const slice = await sliceOf(access, id)
  const change = new InboxChange(coming, limits, id, nowUs)
  // Another change may have moved it since the iteration began.
  if (change.isNew || change.inbox.dueUs !== dueUs) return void (await write([coming.inboxDue.remove(dueKey)]))
  change.noteSilent()
  look(change, slice, (n) => n + limits.entryUs, nowUs)
  if (change.isOver) await emptyInbox(access, id, write)
  else await write(change.writes())
}

/** The entries to look at: those that a sweep has not seen, or the first ones. */
async function sliceOf({ present }: RecordAccess, id: InboxId): Promise<Slice> {
  const afterN = present.inboxes.get(id)?.sweep?.afterN ?? 0
  const numbers: number[] = []
  for await (const [key] of present.entries.iterate({ prefix: `${id}/`, limit: SLICE, after: entryId(id, afterN) }))
    numbers.push(numberOf(key))
  return { afterN, numbers, isLast: numbers.length < SLICE }
}

function look(
  change: InboxChange,
  { afterN, numbers, isLast }: Slice,
  endOf: (n: number) => number,
  nowUs: number,
): void {
  const { sweep } = change.inbox
  // A sweep that began anew takes another slice.
  if (sweep !== null && sweep.afterN !== afterN) return
  let endsUs: number | null = null
  for (const n of numbers) {
    const entry = change.entryOf(n)
    if (entry === null) continue
    const isSwept = sweep !== null && n <= sweep.lastN && change.isSettled(n, entry)
    if (isSwept || endOf(n) <= nowUs) change.remove(n, entry)
    else endsUs ??= endOf(n)
  }
  const seenN = numbers.at(-1) ?? 0
  const isSweepOver = sweep === null || isLast || seenN >= sweep.lastN
  // An entry that came since the slice was read has not been seen: the next look finds it.
  change.noteLook(isSweepOver ? null : { ...sweep, afterN: seenN }, afterN === 0 ? (endsUs ?? nowUs) : null)
}

/**
 * Forgets all senders by name, a slice at a time, and what the owner wishes of strangers. After a crash the rest is as of any inbox.
 * @returns false if the disk is full, so that a part is left
 */
export async function endRules(
  { coming, present, limits, write }: RecordAccess,
  id: InboxId,
  nowUs: number,
): Promise<boolean> {
  const prefix = `${id}/`
  for (let after: string | null = ''; after !== null;) {
    const keys: string[] = []
    for await (const [key] of present.senders.iterate({ prefix, limit: SLICE, ...(after === '' ? {} : { after }) }))
      keys.push(key)
    const change = new InboxChange(coming, limits, id, nowUs)
    if (change.isNew) return true
    for (const key of keys) change.rule(key.slice(prefix.length), null)
    change.limitStrangers(null)
    if (change.isChanged && !(await write(change.writes()))) return false
    after = keys.length < SLICE ? null : keys.at(-1)!
  }
  return true
}

/**
 * Deletes an inbox and all in it, a slice at a time. After a crash the rest is as of any inbox.
 * @param commit may give false, if the disk is full: then the rest stays
 */
export async function emptyInbox(
  access: RecordAccess,
  id: InboxId,
  commit: (writes: readonly Write[]) => Promise<boolean>,
): Promise<void> {
  const { coming, present, limits } = access
  const range = { prefix: `${id}/`, limit: SLICE }
  for (;;) {
    const { numbers } = await sliceOf(access, id)
    const senders: string[] = []
    for await (const [key] of present.senders.iterate(range)) senders.push(key.slice(range.prefix.length))
    const marks: string[] = []
    for await (const [key] of present.marks.iterate(range)) marks.push(key)
    const change = new InboxChange(coming, limits, id, 0)
    if (change.isNew) return
    for (const n of numbers) {
      const entry = change.entryOf(n)
      if (entry !== null) change.remove(n, entry)
    }
    // An entry without its mark could come twice, so the marks go after the last of them.
    const isEmpty = change.inbox.entries === 0 && numbers.length === 0
    if (isEmpty) {
      for (const from of senders) change.rule(from, null)
      for (const mark of marks) change.removeMark(mark)
    }
    const isOver = isEmpty && senders.length < SLICE && marks.length < SLICE && change.inbox.named === 0
    const isDone = await commit(isOver ? change.removal() : change.writes())
    if (isOver || !isDone) return
  }
}
