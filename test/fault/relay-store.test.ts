/** A relay's store whose process is killed at any moment, and one whose disk is full. */
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLevelRelayStore } from '../../src/relayd/records/level-relay-store.ts'
import type { RelayStore } from '../../src/relayd/store/relay-store.ts'
import { killAfterLines } from '../support/kill-child.ts'
import { BOXES, freshAnswer, HOUR, LIMITS, MINUTE, SEC, START } from '../support/relay-stores.ts'
import { mountSmallDisk, NO_SMALL_DISK, type Scarce } from '../support/small-disk.ts'
import { tempDir } from '../support/temp-dir.ts'

const CHILD = join(import.meta.dirname, '../support/relay-store-child.ts')
const KILLS = Number(process.env.KILLS ?? 5)
const REASON = NO_SMALL_DISK === '' ? '' : ` (skipped: ${NO_SMALL_DISK})`

/** All that children printed. */
class Known {
  /** The data and moments of messages that were acknowledged, by box. */
  readonly sent = new Map<string, Map<number, string>>()
  /** The moments that were named as processed: at least the one took effect, at most the other. */
  readonly named = new Map<string, number>()
  readonly naming = new Map<string, number>()
  readonly retired: string[] = []

  note(line: string): void {
    const [what, id = '', first = '', second = ''] = line.split(' ')
    if (what === 'sent') {
      if (!this.sent.has(id)) this.sent.set(id, new Map())
      this.sent.get(id)!.set(Number(second), first)
    } else if (what === 'retired') this.retired.push(id)
    else if (what === 'naming') this.naming.set(id, Math.max(Number(first), this.naming.get(id) ?? 0))
    else if (what === 'named') this.named.set(id, Math.max(Number(first), this.named.get(id) ?? 0))
  }
}

/** The faults after a kill, as sentences. */
async function lossesIn(store: RelayStore, known: Known, nowUs: number): Promise<string[]> {
  const losses: string[] = []
  let held = 0
  for (let n = 0; n < BOXES; n++) {
    const id = `box-${n}`
    const sent = known.sent.get(id) ?? new Map<number, string>()
    const messages = await store.receive(id, freshAnswer(nowUs), 0, 1000, nowUs)
    const found = new Map(messages!.map(({ atUs, data }) => [atUs, data.split('-')[0]]))
    held += found.size
    for (const [atUs, text] of sent)
      if (atUs > (known.naming.get(id) ?? 0) && found.get(atUs) !== text) losses.push(`${text} of ${id} is lost`)
    for (const atUs of found.keys())
      if (atUs <= (known.named.get(id) ?? 0)) losses.push(`${atUs} of ${id} is there, and was processed`)
    const last = Math.max(0, ...sent.keys(), ...found.keys())
    // A clock that went back by an hour meanwhile.
    const next = await store.send(id, `after ${last}`, 'sender', nowUs - HOUR + MINUTE)
    if (next.outcome === 'stored' && next.atUs <= last) losses.push(`the moment of ${id} went back to ${next.atUs}`)
    if (next.outcome === 'stored') held++
  }
  for (const id of known.retired) {
    const { outcome } = await store.send(id, 'late', 'sender', nowUs)
    if (outcome === 'used') held++
    else losses.push(`${id} is not retired`)
  }
  const stats = await store.stats()
  // One more of those that were retired may have taken effect, or may have been checked only.
  const boxes = BOXES + new Set(known.retired).size
  if (stats.boxes < boxes || stats.boxes > boxes + KILLS) losses.push(`${stats.boxes} boxes are there, not ${boxes}`)
  if (stats.messages !== held) losses.push(`${stats.messages} messages are counted, and ${held} are there`)
  return losses
}

describe('a process that is killed while it works', () => {
  it(
    `has lost nothing that it acknowledged, and no moment of a box goes back (${KILLS} times)`,
    async () => {
      const directory = join(tempDir(), 'relay')
      const known = new Known()
      for (let kill = 1; kill <= KILLS; kill++) {
        const args = [directory, String(kill * 1_000_000)]
        await killAfterLines(CHILD, args, randomInt(50, 800), (line) => known.note(line))
        const nowUs = Date.now() * 1000
        const limits = { ...LIMITS, maxMessages: 1000, maxBytes: 1 << 20, maxUncheckedBoxes: 100_000 }
        const store = await openLevelRelayStore(directory, { limits, answerUs: MINUTE, nowUs: nowUs - 2 * MINUTE })
        expect(await lossesIn(store, known, nowUs)).toEqual([])
        await store.close()
      }
      expect(known.sent.size).toBe(BOXES)
      expect(known.retired.length).toBeGreaterThan(KILLS)
      expect([...known.named.values()].filter((atUs) => atUs > 0).length).toBeGreaterThan(0)
    },
    KILLS * 30_000,
  )
})

describe('a disk that is full', () => {
  it.skipIf(REASON !== '').each<Scarce>(['bytes', 'inodes'])(
    `is outlasted: sends are refused, reads go on, and nothing acknowledged is lost (%s)${REASON}`,
    async (scarce) => {
      const home = tempDir()
      const disk = mountSmallDisk(home, scarce)
      onTestFinished(() => disk.unmount())
      const directory = join(home, 'state')
      const limits = { ...LIMITS, maxMessages: 1e9, maxBytes: 1e9, maxUncheckedBoxes: 1e9 }
      const open = (): Promise<RelayStore> =>
        openLevelRelayStore(directory, { limits, answerUs: MINUTE, nowUs: START - 2 * MINUTE })
      let store = await open()
      let nowUs = START
      const sent: string[] = []
      const send = (data: string): Promise<string> =>
        store.send('box', data.padEnd(3000, 'x'), 'sender', nowUs++).then(({ outcome }) => outcome)
      const read = async (): Promise<string[]> => {
        const messages = await store.receive('box', freshAnswer(nowUs), 0, 1e9, nowUs)
        return messages!.map(({ data }) => data.replace(/x+$/, ''))
      }
      await store.check('box', 0, 'owner', nowUs)
      for (let round = 0; round < 2; round++) {
        for (let n = 0; n < 50; n++) {
          expect(await send(`${round}:${n}`)).toBe('stored')
          sent.push(`${round}:${n}`)
        }
        disk.fill()
        let more = 0
        for (;;) {
          const data = `${round} while full ${more++}`
          const outcome = await send(data)
          if (outcome === 'full') break
          expect(outcome).toBe('stored')
          sent.push(data)
          expect(more).toBeLessThan(5000)
        }
        expect(await Promise.all(['a', 'b', 'c'].map(send))).toEqual(['full', 'full', 'full'])
        expect(await store.send('new', 'x', 'sender', nowUs)).toEqual({ outcome: 'full', atUs: 0 })
        expect(await store.check('new', 0, 'owner', nowUs)).toBeNull()
        expect(await store.retire('box', freshAnswer(nowUs), nowUs)).toBe('full')
        expect(await store.check('box', 0, 'owner', nowUs)).toEqual({ found: true })
        expect(await read()).toEqual(sent)
        expect(await store.stats()).toMatchObject({ boxes: 1, messages: sent.length, isFull: true })
        expect(await store.expire(nowUs, 10)).toBe(0)
        const answer = freshAnswer(nowUs)
        expect(await store.receive('box', answer, 0, 1, nowUs)).toHaveLength(1)
        expect(await store.receive('box', answer, 0, 1, nowUs)).toBeNull()
        disk.free()
        expect(await store.expire(nowUs, 10)).toBe(0)
        expect((await store.stats()).isFull).toBe(false)
      }
      expect(await send('last')).toBe('stored')
      sent.push('last')
      await store.close()
      store = await open()
      expect(await read()).toEqual(sent)
      await store.expire(nowUs + HOUR + SEC, 10)
      expect((await store.stats()).messages).toBe(0)
      await store.close()
    },
    60_000,
  )
})
