/** A status that did not change: what was verified when it became the head is not verified again, and nothing else is spared. */
import { describe, expect, it } from 'vitest'
import { formatToken } from '../../../../src/core/token.ts'
import type { CryptoEngine } from '../../../../src/crypto/engine.ts'
import { observe } from '../../../../src/daemon/contacts/observe.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { engine as sodium, person } from '../../../support/person.ts'

const bob = person('bob')
const PHONE = bob.key('phone')
const LAPTOP = bob.key('laptop')

/** A keeper whose engine counts the signatures that it checks. */
async function counted(): Promise<{ test: TestKeeper; verifications: () => number }> {
  let count = 0
  const verify: CryptoEngine['verify'] = (...input) => {
    count++
    return sodium.verify(...input)
  }
  const test = await TestKeeper.open({ engine: { ...sodium, verify } })
  // The count of whatever was checked since the last question.
  const verifications = (): number => {
    const since = count
    count = 0
    return since
  }
  return { test, verifications }
}

describe('a status that is the head', () => {
  it('is verified once, however often and with whatever words devices show it', async () => {
    const { test, verifications } = await counted()
    const table = bob.table(['phone', 'laptop'])
    expect(await test.sees(PHONE, table)).toMatchObject({ verdict: 'new' })
    expect(verifications()).toBe(1)
    expect(await test.sees(PHONE, table)).toMatchObject({ verdict: 'refresh', state: 'confirmed' })
    expect(await test.sees(PHONE, table.text('in the garden'))).toMatchObject({ verdict: 'refresh' })
    expect(await test.sees(LAPTOP, table)).toMatchObject({ verdict: 'refresh', state: 'confirmed' })
    expect(verifications()).toBe(0)
  })

  it('is not verified by a later process either, since the record keeps what was verified', async () => {
    const { test, verifications } = await counted()
    const table = bob.table(['phone'])
    await test.sees(PHONE, table)
    const again = await test.reopened()
    verifications()
    expect(await again.sees(PHONE, table)).toMatchObject({ verdict: 'refresh' })
    expect(verifications()).toBe(0)
  })
})

describe('another status of the same persona', () => {
  it('is verified, if any one byte differs, and refused where the signature does not hold', async () => {
    const { test } = await counted()
    const table = bob.table(['phone'])
    await test.sees(PHONE, table)
    let tried = 0
    for (const at of [...table.blob.keys()].filter((at) => at % 7 === 0)) {
      const forged = Uint8Array.from(table.blob)
      forged[at]! ^= 1
      const { shown, verdict } = await test.sees(PHONE, formatToken(forged))
      expect({ at, isTaken: shown === 'valid', verdict }).toEqual({ at, isTaken: false, verdict: null })
      tried++
    }
    expect(tried).toBeGreaterThan(20)
  })

  it('is damaged, and no head, if its last character has bits after the last byte', async () => {
    const { test } = await counted()
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const tables = [['phone'], ['phone', 'laptop'], ['phone', 'laptop', 'tablet']].map((devices) => bob.table(devices))
    const table = tables.find(({ blob }) => blob.length % 3 !== 0)!
    await test.sees(PHONE, table)
    const token = formatToken(table.blob)
    const altered = token.slice(0, -1) + letters[letters.indexOf(token.at(-1)!) + 1]!
    expect(await test.sees(PHONE, altered)).toMatchObject({ shown: 'damaged', verdict: null })
    expect(await test.sees(PHONE, table)).toMatchObject({ verdict: 'refresh' })
  })

  it('is verified after the head has moved, even if it was the head before', async () => {
    const { test, verifications } = await counted()
    const first = bob.table(['phone'])
    const second = bob.table(['phone', 'laptop'])
    await test.sees(PHONE, first)
    expect(await test.sees(PHONE, second)).toMatchObject({ verdict: 'accept' })
    expect(verifications()).toBe(2)
    expect(await test.sees(PHONE, second)).toMatchObject({ verdict: 'refresh' })
    expect(verifications()).toBe(0)
    expect(await test.sees(PHONE, first)).toMatchObject({ verdict: 'stale' })
    expect(verifications()).toBe(1)
  })

  it('is judged against the head of the record as it is now, not as it was first decoded', async () => {
    const { test } = await counted()
    const tables = [bob.table(['phone']), bob.table(['phone', 'tablet']), bob.table(['phone'])]
    for (const table of tables) await test.sees(PHONE, table)
    for (const table of tables.slice(0, 2)) expect(await test.sees(PHONE, table)).toMatchObject({ verdict: 'stale' })
    expect(await test.sees(PHONE, tables[2]!)).toMatchObject({ verdict: 'refresh' })
  })

  it('is verified if a change that made it the head was undone', async () => {
    const { test, verifications } = await counted()
    const table = bob.table(['phone'])
    const undone = test.keeper.change(() => {
      observe({ from: PHONE, text: table.text() }, 'test', test.keeper.own, test.keeper.state)
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    verifications()
    expect(await test.sees(PHONE, table)).toMatchObject({ verdict: 'new' })
    expect(verifications()).toBe(1)
  })
})
