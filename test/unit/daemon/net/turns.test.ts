import { expect, test } from 'vitest'
import { MAX_CALLS_OF_HOST, MAX_WAITING_OF_HOST, Turns } from '../../../../src/daemon/net/turns.ts'
import { MAX_CALLS } from '../../../../src/netnode/protocol.ts'

/** Asks for turns, and notes those that begin. */
function ask(turns: Turns, host: string, count: number, begun: string[] = []): void {
  for (let n = 0; n < count; n++) void turns.take(host, undefined).then(() => begun.push(host))
}

const settled = async (): Promise<void> => {
  for (let n = 0; n < 5; n++) await Promise.resolve()
}

test('a host has its share, and the others theirs, until all places are taken', async () => {
  const [turns, begun] = [new Turns(), [] as string[]]
  const hosts = Array.from({ length: 10 }, (_, n) => `host ${n}`)
  for (const host of hosts) ask(turns, host, 20, begun)
  await settled()
  expect(begun).toHaveLength(MAX_CALLS)
  expect(begun.filter((host) => host === 'host 0')).toHaveLength(MAX_CALLS_OF_HOST)
})

test('a place that is given back goes to the first who may have it', async () => {
  const [turns, begun] = [new Turns(), [] as string[]]
  ask(turns, 'silent', MAX_CALLS_OF_HOST + 1, begun)
  ask(turns, 'a', MAX_CALLS_OF_HOST + 1, begun)
  await settled()
  begun.length = 0
  turns.give('a')
  await settled()
  expect(begun).toEqual(['a'])
  turns.give('silent')
  await settled()
  expect(begun).toEqual(['a', 'silent'])
})

test('one host fills half of the queue at most', async () => {
  const turns = new Turns()
  ask(turns, 'silent', MAX_CALLS_OF_HOST + MAX_WAITING_OF_HOST)
  await expect(turns.take('silent', undefined)).rejects.toMatchObject({ code: 'NET_BUSY' })
  await turns.take('other', undefined)
})
