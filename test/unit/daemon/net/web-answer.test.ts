import { expect, test } from 'vitest'
import { WebAnswer } from '../../../../src/daemon/net/web-answer.ts'
import { WINDOW_BYTES } from '../../../../src/netnode/protocol.ts'

/** Everything that personad-net hears of an answer whose parts have these lengths, each read before the next one comes. */
async function toldOf(...lengths: readonly number[]): Promise<number[]> {
  const told: number[] = []
  const answer = new WebAnswer({ took: (bytes) => void told.push(bytes), cancel: () => {} })
  answer.begin(200, {}, null)
  const reader = (await answer.response).body.getReader()
  for (const length of lengths) {
    answer.add(new Uint8Array(length))
    expect((await reader.read()).value).toHaveLength(length)
  }
  return told
}

test('personad-net hears of what was read once it is half a window, and never of more than a window', async () => {
  const half = WINDOW_BYTES / 2
  expect(await toldOf(1, half - 2)).toEqual([])
  expect(await toldOf(1, half - 1)).toEqual([half])
  expect(await toldOf(...Array<number>(65).fill(1024))).toEqual([half, half])
  expect(await toldOf(half - 1, WINDOW_BYTES, 1)).toEqual([WINDOW_BYTES, half])
})
