import { describe, expect, test } from 'vitest'
import { TurnQueue, type Input } from '../../../src/channel/carriers/turn-queue.ts'

/** A queue whose turns note how much work they have. */
function queue(maxBytes?: number): { readonly turns: TurnQueue<number>; readonly sizes: number[] } {
  const sizes: number[] = []
  const turn = (batch: readonly Input<number>[]): Promise<void> => {
    sizes.push(batch.length)
    for (const { work, resolve } of batch) resolve(work(sizes.length) as never)
    return Promise.resolve()
  }
  const closed = (): Error => new Error('closed')
  return { turns: new TurnQueue({ turn, closed, ...(maxBytes === undefined ? {} : { maxBytes }) }), sizes }
}

const numberOf = (turn: number): number => turn

describe('a queue of turns', () => {
  test('does what came together in one turn, in order, and 64 at most', async () => {
    const { turns, sizes } = queue()
    const done: number[] = []
    await Promise.all(Array.from({ length: 65 }, async (_, i) => await turns.run(() => done.push(i))))
    expect(sizes).toEqual([64, 1])
    expect(done).toEqual(done.toSorted((a, b) => a - b))
  })

  test('begins another turn where the next input has no room, and gives a greater one a turn of its own', async () => {
    const { turns, sizes } = queue(10)
    const found = await Promise.all([6, 4, 1, 99, 0].map(async (bytes) => await turns.run(numberOf, bytes)))
    expect(found).toEqual([1, 1, 2, 3, 4])
    expect(sizes).toEqual([2, 1, 1, 1])
  })

  test('refuses the inputs of a turn that fails, and goes on', async () => {
    let isFailing = true
    const turns = new TurnQueue<null>({
      turn: (batch) => {
        if (isFailing) return Promise.reject(new Error('no commit'))
        for (const { resolve } of batch) resolve(undefined as never)
        return Promise.resolve()
      },
      closed: () => new Error('closed'),
    })
    const both = [turns.run(() => null), turns.run(() => null)]
    for (const each of both) await expect(each).rejects.toThrow('no commit')
    isFailing = false
    await expect(turns.run(() => null)).resolves.toBeUndefined()
  })

  test('does what waits when it is closed, and refuses what comes later', async () => {
    const { turns } = queue()
    const waiting = turns.run(numberOf)
    const closed = turns.close()
    await expect(turns.run(numberOf)).rejects.toThrow('closed')
    await closed
    expect(turns.isBusy).toBe(false)
    await expect(waiting).resolves.toBe(1)
  })
})
