/** The slots that a writer sees between its look, its write and its look afterwards. */
import { describe, expect, it } from 'vitest'
import { MAX_DHT_SEQ } from '../../../src/core/announce/signed-value.ts'
import { JudgedRecord, type SlotNetwork } from '../../../src/record/judged-record.ts'
import type { SlotValue } from '../../../src/record/record-engine.ts'
import { codeOf } from '../../support/code-of.ts'

const one = (seq: bigint, byte: number): SlotValue => ({ seq, bytes: Uint8Array.of(byte) })

/** A record over a network that gives these values, one at each look. */
function recordThatFinds(...finds: (SlotValue | null)[]): JudgedRecord {
  const network: SlotNetwork = {
    read: async () => await Promise.resolve(finds.shift()!),
    write: async () => await Promise.resolve(),
    watch: () => {},
    close: async () => await Promise.resolve(),
  }
  const limits = { maxSlots: 1, maxValueBytes: () => 1, lastsMs: null, latency: 'instant' } as const
  return new JudgedRecord({ address: 'test:', slots: 1, limits, network })
}

describe('a writer', () => {
  it('has written nothing while the network gives no value, or the one before', async () => {
    for (const after of [null, one(4n, 1)])
      expect(await codeOf(recordThatFinds(one(4n, 1), after).set(0, Uint8Array.of(2)))).toBe('RECORD_AWAY')
  })

  it('sees whoever wrote at the same moment, and goes above them the next time', async () => {
    for (const after of [one(5n, 9), one(6n, 9)]) {
      const record = recordThatFinds(one(4n, 1), after, after, one(after.seq + 1n, 2))
      expect(await codeOf(record.set(0, Uint8Array.of(2)))).toBe('RECORD_SECOND_WRITER')
      expect(await record.set(0, Uint8Array.of(2))).toEqual(one(after.seq + 1n, 2))
    }
  })

  it('takes no value above the highest seq', async () => {
    expect(await codeOf(recordThatFinds(one(MAX_DHT_SEQ, 1)).set(0, Uint8Array.of(2)))).toBe('RECORD_SPENT')
    const last = recordThatFinds(one(MAX_DHT_SEQ - 1n, 1), one(MAX_DHT_SEQ, 2))
    expect(await last.set(0, Uint8Array.of(2))).toEqual(one(MAX_DHT_SEQ, 2))
  })
})
