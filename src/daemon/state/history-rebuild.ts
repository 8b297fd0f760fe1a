/** Begins the history anew where salvage has lost entries: the newest entries that follow each other stay. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { checkEntry } from '../../core/history.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { Write } from '../../store/store.ts'
import { readEntry, tipOf, verifyHistory } from './history.ts'
import { storedBytes, type Records } from './records.ts'
import { TIP, type HistoryTip } from './local-records.ts'

/**
 * The writes after which the history verifies again; none if it is whole. An entry whose predecessor is lost cannot be verified. So it goes
 * too, and its hash is the base of those after it.
 */
export async function rebuiltHistory(records: Records, engine: CryptoEngine): Promise<Write[]> {
  if ((await verifyHistory(records, engine)).intact) return []
  const known = tipOf(records)
  let run: HistoryTip = { number: known.oldest - 1, hash: known.base, oldest: known.oldest, base: known.base }
  const ids: (readonly [id: string, number: number])[] = []
  for await (const [id, entry] of records.history.iterate()) {
    const { number } = readEntry(entry)
    ids.push([id, number])
    const next = number === run.number + 1 ? checkEntry(storedBytes(run.hash), entry, engine) : null
    run =
      next === null
        ? { number, hash: entry.hash, oldest: number + 1, base: entry.hash }
        : { ...run, number, hash: formatHex(next) }
  }
  // Numbers after the newest entry are used again: their entries are lost, and a subscriber who has seen them is warned (CURSOR_AHEAD).
  const spent = ids.filter(([, number]) => number < run.oldest).map(([id]) => records.history.remove(id))
  return [...spent, records.tip.put(TIP, run)]
}
