import { describe, expect, it } from 'vitest'
import { State } from '../../../../src/daemon/state/state.ts'
import { NEW_DEVICE } from '../../../../src/daemon/state/device-record.ts'
import { Writer } from '../../../../src/daemon/state/writer.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import { MAX_COMMIT_BYTES, MAX_VALUE_BYTES } from '../../../../src/store/store.ts'
import { deviceKey, engine, START_SEC } from '../../../support/person.ts'

function newState(): State {
  return new State(new Writer(openMemoryStore()), engine, () => START_SEC)
}

const KEY = deviceKey('laptop')

describe('a record put inside a change', () => {
  it('is read by the next change before it is on disk', async () => {
    const state = newState()
    const first = state.change(() => state.putDevice(KEY, { ...NEW_DEVICE, seenAtSec: 7 }))
    const { result } = await state.change(() => state.device(KEY).seenAtSec)
    expect(result).toBe(7)
    await first
  })

  it('is dropped if the change throws, also for a change called at the same moment', async () => {
    const state = newState()
    await state.change(() => state.putDevice(KEY, { ...NEW_DEVICE, seenAtSec: 7 }))
    const givenUp = state.change(() => {
      state.putDevice(KEY, { ...NEW_DEVICE, seenAtSec: 8 })
      throw new Error('no')
    })
    const tooLarge = state.change(() => {
      state.putDevice(KEY, { ...NEW_DEVICE, seenAtSec: 9 })
      const value = new Uint8Array(MAX_VALUE_BYTES)
      for (let i = 0; i * MAX_VALUE_BYTES <= MAX_COMMIT_BYTES; i++) state.stage({ key: `x/${i}`, value })
    })
    const next = state.change(() => state.device(KEY).seenAtSec)
    await expect(givenUp).rejects.toThrow('no')
    await expect(tooLarge).rejects.toMatchObject({ code: 'STORE_TOO_LARGE' })
    expect((await next).result).toBe(7)
    expect(state.device(KEY).seenAtSec).toBe(7)
  })

  it('is decoded again if it was staged as bytes', async () => {
    const state = newState()
    await state.change(() => state.putDevice(KEY, { ...NEW_DEVICE, seenAtSec: 7 }))
    const { result } = await state.change(() => {
      state.stage(state.records.devices.put(KEY, { ...NEW_DEVICE, seenAtSec: 8 }))
      return state.device(KEY).seenAtSec
    })
    expect(result).toBe(8)
  })
})
