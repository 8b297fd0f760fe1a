/** The inboxes of a relay's store whose process is killed at any moment. */
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLevelRelayStore } from '../../src/relayd/records/level-relay-store.ts'
import type { RelayStore } from '../../src/relayd/store/relay-store.ts'
import { killAfterLines } from '../support/kill-child.ts'
import { INBOX_DEVICES, INBOX_IDS, INBOX_OWNERS, MANY_ENTRIES } from '../support/relay-inboxes.ts'
import { LIMITS, MINUTE } from '../support/relay-stores.ts'
import { tempDir } from '../support/temp-dir.ts'

const CHILD = join(import.meta.dirname, '../support/relay-inbox-child.ts')
const KILLS = Number(process.env.KILLS ?? 2)

/** All that children printed: the entries that were acknowledged to their sender, and what the devices named. */
class Known {
  readonly posted = new Set<string>()
  /** By device and entry: at least these took effect, at most the others. */
  readonly named = new Set<string>()
  readonly naming = new Set<string>()

  note(line: string): void {
    const [what, first = '', encId = ''] = line.split(' ')
    if (what === 'posted') this.posted.add(encId)
    else if (what === 'named') this.named.add(`${first} ${encId}`)
    else this.naming.add(`${first} ${encId}`)
  }
}

/** The entries that a device is given, page by page. */
async function listed({ inboxes }: RelayStore, tag: string, nowUs: number): Promise<Set<string>> {
  const found = new Set<string>()
  for (const id of INBOX_IDS)
    for (let after: number | null = 0; after !== null;) {
      const page = await inboxes.list(id, { tag, listed: INBOX_DEVICES }, after, 500, nowUs)
      for (const { encId } of page.entries) found.add(encId)
      after = page.next
    }
  return found
}

/** The faults after a kill, as sentences. */
async function lossesIn(store: RelayStore, known: Known, nowUs: number): Promise<string[]> {
  const losses: string[] = []
  const there = new Set<string>()
  for (const tag of INBOX_DEVICES) {
    const found = await listed(store, tag, nowUs)
    for (const encId of known.posted)
      if (!known.naming.has(`${tag} ${encId}`) && !found.has(encId)) losses.push(`the ${tag} lost ${encId}`)
    for (const encId of found) {
      there.add(encId)
      if (known.named.has(`${tag} ${encId}`)) losses.push(`the ${tag} is given ${encId}, which it acknowledged`)
    }
  }
  const { entries } = await store.stats()
  if (entries !== there.size) losses.push(`${entries} entries are counted, and ${there.size} are there`)
  return losses
}

test(
  `inboxes whose process is killed while it works have lost nothing that was acknowledged (${KILLS} times)`,
  async () => {
    const directory = join(tempDir(), 'relay')
    const known = new Known()
    for (let kill = 1; kill <= KILLS; kill++) {
      await killAfterLines(CHILD, [directory, String(kill * 1_000_000)], randomInt(100, 1500), (line) =>
        known.note(line),
      )
      const nowUs = Date.now() * 1000
      const limits = { ...LIMITS, ...MANY_ENTRIES }
      const store = await openLevelRelayStore(directory, { limits, answerUs: MINUTE, nowUs })
      expect(await lossesIn(store, known, nowUs)).toEqual([])
      if (kill === KILLS) {
        // All that was counted was there.
        for (const owner of INBOX_OWNERS) await store.inboxes.forget(owner)
        expect(await store.stats()).toMatchObject({ inboxes: 0, entries: 0, bytes: 0 })
      }
      await store.close()
    }
    expect(known.posted.size).toBeGreaterThan(KILLS)
    expect(known.named.size).toBeGreaterThan(KILLS)
  },
  KILLS * 30_000,
)
