import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../../src/core/encoding/bytes.ts'
import { Writer } from '../../../../src/daemon/state/writer.ts'
import { StoreError } from '../../../../src/store/errors.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import { MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../../../../src/store/store.ts'
import { WriteGate } from '../../../support/keeper.ts'

const [one, two] = [encodeUtf8('1'), encodeUtf8('2')]

describe('a change', () => {
  it('reads the writes of earlier changes, while readers see only what is on disk', async () => {
    const gate = new WriteGate()
    const store = openMemoryStore(gate.pass)
    const writer = new Writer(store)
    gate.shut()
    const first = writer.change(() => writer.stage({ key: 'a/1', value: one }))
    await gate.arrived()
    const second = writer.change(() => {
      expect(writer.get('a/1')).toStrictEqual(one)
      writer.stage({ key: 'a/1', value: null })
      expect(writer.get('a/1')).toBeUndefined()
    })
    expect(store.get('a/1')).toBeUndefined()
    gate.passOne()
    await first
    await gate.arrived()
    expect(store.get('a/1')).toStrictEqual(one)
    expect(writer.get('a/1')).toBeUndefined()
    gate.open()
    await second
    expect(store.get('a/1')).toBeUndefined()
  })

  it('leaves nothing on disk or in memory if it throws', async () => {
    const store = openMemoryStore()
    const writer = new Writer(store)
    const memory = ['before']
    const failing = writer.change(() => {
      writer.stage({ key: 'a/1', value: one })
      memory.push('during')
      writer.onUndo(() => memory.pop())
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(memory).toStrictEqual(['before'])
    expect(writer.get('a/1')).toBeUndefined()
    await writer.change(() => writer.stage({ key: 'a/2', value: two }))
    expect(store.get('a/1')).toBeUndefined()
    expect(memory).toStrictEqual(['before'])
  })

  it.each([
    ['STORE_TOO_LARGE', 'a/1', MAX_VALUE_BYTES + 1],
    ['STORE_KEY_INVALID', `a/${'k'.repeat(MAX_KEY_BYTES)}`, 1],
  ])('leaves nothing if the store refuses it with %s', async (code, key, bytes) => {
    const writer = new Writer(openMemoryStore())
    let undone = 0
    const refused = writer.change(() => {
      writer.stage({ key: 'a/other', value: one })
      writer.stage({ key, value: new Uint8Array(bytes) })
      writer.onUndo(() => undone++)
    })
    await expect(refused).rejects.toMatchObject({ code })
    expect(undone).toBe(1)
    expect(writer.get('a/other')).toBeUndefined()
    await writer.change(() => writer.stage({ key: 'a/2', value: two }))
    await writer.change(() => {})
    expect(writer.get('a/2')).toStrictEqual(two)
  })

  it('without writes waits until the writes before it are on disk', async () => {
    const gate = new WriteGate()
    const writer = new Writer(openMemoryStore(gate.pass))
    gate.shut()
    const order: string[] = []
    const written = writer.change(() => writer.stage({ key: 'a/1', value: one })).then(() => order.push('written'))
    const read = writer.change(() => writer.get('a/1')).then(() => order.push('read'))
    await gate.arrived()
    expect(order).toStrictEqual([])
    gate.open()
    await Promise.all([written, read])
    expect(order.toSorted()).toStrictEqual(['read', 'written'])
  })

  it('is rejected if its write fails, and so are all later changes', async () => {
    const store = openMemoryStore(() => Promise.reject(new StoreError('STORE_IO', 'the disk broke')))
    const writer = new Writer(store)
    const [a, b] = await Promise.allSettled([
      writer.change(() => writer.stage({ key: 'a/1', value: one })),
      writer.change(() => writer.stage({ key: 'a/2', value: one })),
    ])
    expect([a, b].map(({ status }) => status)).toStrictEqual(['rejected', 'rejected'])
    await expect(writer.change(() => writer.get('a/3'))).rejects.toMatchObject({ code: 'STORE_STOPPED' })
  })

  it('is the only place where writes can be staged', () => {
    expect(() => new Writer(openMemoryStore()).stage({ key: 'a/1', value: one })).toThrow('outside of a change')
  })
})
