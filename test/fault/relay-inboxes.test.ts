/** The inboxes of a relay's store whose process is killed at any moment, and of one whose disk is full. */
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openLevelRelayStore } from '../../src/relayd/records/level-relay-store.ts'
import type { RelayStore } from '../../src/relayd/store/relay-store.ts'
import { killAfterLines } from '../support/kill-child.ts'
import { INBOX_DEVICES, INBOX_IDS, INBOX_OWNERS, inboxEntry, MANY_ENTRIES } from '../support/relay-inboxes.ts'
import { LIMITS, MINUTE, START } from '../support/relay-stores.ts'
import { mountSmallDisk, NO_SMALL_DISK, type Scarce } from '../support/small-disk.ts'
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

const REASON = NO_SMALL_DISK === '' ? '' : ` (skipped: ${NO_SMALL_DISK})`
const MAX_POSTS = 5000 // sanity: LevelDB writes to the end of the page that its log has, which takes far fewer

/** An entry that is sealed to 20 devices: a disk is full after few of them. */
function largeEntry(n: number): ReturnType<typeof inboxEntry> {
  const entry = inboxEntry(n)
  return { ...entry, encId: entry.encId.padEnd(3000, 'x') }
}

/** A store whose directory is a disk of its own. */
class SmallDisk {
  readonly disk: ReturnType<typeof mountSmallDisk>
  readonly #directory: string
  #store: RelayStore | null = null
  #count = 0

  constructor(scarce: Scarce) {
    const home = tempDir()
    this.disk = mountSmallDisk(home, scarce)
    onTestFinished(() => this.disk.unmount())
    this.#directory = join(home, 'state')
  }

  get store(): RelayStore {
    return this.#store!
  }

  async open(): Promise<void> {
    await this.#store?.close()
    const limits = { ...LIMITS, ...MANY_ENTRIES }
    this.#store = await openLevelRelayStore(this.#directory, { limits, answerUs: MINUTE, nowUs: START })
  }

  /** Leaves entries until the disk takes no more. @returns those that it took */
  async fillUp(most: number): Promise<string[]> {
    const taken: string[] = []
    for (let n = 0; n < most; n++) {
      const entry = largeEntry(this.#count++)
      const outcome = await this.store.inboxes.post(INBOX_IDS[0]!, entry, INBOX_DEVICES, START)
      if (outcome !== 'stored') {
        expect(outcome).toBe('disk')
        break
      }
      taken.push(entry.encId)
    }
    return taken
  }

  async acknowledgeAll(tag: string): Promise<boolean> {
    const device = { tag, listed: INBOX_DEVICES }
    const { entries } = await this.store.inboxes.list(INBOX_IDS[0]!, device, 0, 2 * MAX_POSTS, START)
    const numbers = entries.map(({ n }) => n)
    return await this.store.inboxes.acknowledge(INBOX_IDS[0]!, device, numbers, START)
  }
}

// Files run out in `npm run test:slow` alone: the store does the same for both.
const SCARCE: readonly Scarce[] = process.env['STORIES'] === undefined ? ['bytes'] : ['bytes', 'inodes']

test.skipIf(REASON !== '').each<Scarce>(SCARCE)(
  `a full disk takes no entry, no acknowledgement and no rule, and loses none that it took (%s)${REASON}`,
  async (scarce) => {
    const small = new SmallDisk(scarce)
    const { disk } = small
    const [laptop = '', phone = ''] = INBOX_DEVICES
    await small.open()
    const known = new Set<string>()
    const found = async (tag: string): Promise<Set<string>> => await listed(small.store, tag, START)
    for (let round = 0; round < 2; round++) {
      for (const encId of await small.fillUp(50)) known.add(encId)
      disk.fill()
      const more = await small.fillUp(MAX_POSTS)
      for (const encId of more) known.add(encId)
      expect(more.length).toBeLessThan(MAX_POSTS)
      expect(known.size).toBeGreaterThanOrEqual(50 * (round + 1))
      const rules = { allow: [INBOX_OWNERS[1]!], block: [], forget: [], strangers: null }
      const device = { tag: laptop, listed: INBOX_DEVICES }
      expect(await small.store.inboxes.setSenders(INBOX_IDS[0]!, device, rules, START)).toBe('full')
      expect(await small.acknowledgeAll(laptop)).toBe(false)
      expect(await found(laptop)).toEqual(known)
      expect(await small.store.stats()).toMatchObject({ entries: known.size, isFull: true })
      disk.free()
      expect(await small.store.expire(START, 10)).toBe(0)
      expect((await small.store.stats()).isFull).toBe(false)
    }
    for (const encId of await small.fillUp(1)) known.add(encId)
    await small.open()
    expect(await found(phone)).toEqual(known)
    expect([await small.acknowledgeAll(laptop), await small.acknowledgeAll(phone)]).toEqual([true, true])
    expect(await small.store.stats()).toMatchObject({ entries: 0, isFull: false })
    await small.store.close()
  },
  60_000,
)
