import { Buffer } from 'node:buffer'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { endOfTurn, GroupCommit } from '../../../src/store/group-commit.ts'
import type { Write } from '../../../src/store/store.ts'

const put = (key: string, text: string): Write => ({ key, value: encodeUtf8(text) })

test('a record that every commit of a group changes is written once, with its last value', async () => {
  const groups: (readonly Write[])[] = []
  const commits = new GroupCommit((writes) => {
    groups.push(writes)
    return Promise.resolve()
  }, '/store')
  // The first goes alone, and the others meet while it is written.
  await Promise.all([
    commits.commit([put('total/all', '0')]),
    commits.commit([put('total/all', '1'), put('msg/1', 'one')]),
    commits.commit([put('total/all', '2'), put('msg/2', 'two')]),
    commits.commit([{ key: 'msg/1', value: null }, put('total/all', '3')]),
  ])
  expect(groups).toStrictEqual([
    [put('total/all', '0')],
    [put('total/all', '3'), { key: 'msg/1', value: null }, put('msg/2', 'two')],
  ])
})

test('commits of one turn of the event loop go together, and those that come during a write go with the next one', async () => {
  const groups: string[][] = []
  let release = (): void => {}
  const commits = new GroupCommit(
    async (writes) => {
      groups.push(writes.map(({ key }) => key))
      await new Promise<void>((resolve) => (release = resolve))
    },
    '/store',
    endOfTurn,
  )
  const some = [commits.commit([put('key/a', '1')])]
  // Work that waits for others first, as a turn of a channel does.
  await Promise.resolve()
  some.push(commits.commit([put('key/b', '1')]))
  await setImmediate()
  some.push(commits.commit([put('key/c', '1')]))
  await setImmediate()
  some.push(commits.commit([put('key/d', '1')]))
  release()
  await setImmediate()
  release()
  await Promise.all(some)
  expect(groups).toStrictEqual([
    ['key/a', 'key/b'],
    ['key/c', 'key/d'],
  ])
})

test('a value that its owner wipes after the call is written as it was, also one in a Buffer', async () => {
  const written: (readonly Write[])[] = []
  const commits = new GroupCommit((writes) => {
    written.push(writes.map(({ key, value }) => ({ key, value: value && Uint8Array.from(value) })))
    return Promise.resolve()
  }, '/store')
  const values = [encodeUtf8('first'), Buffer.from('other'), encodeUtf8('third'), Buffer.from('fourth')]
  const commit = Promise.all(values.map((value, n) => commits.commit([{ key: `key/${n}`, value }])))
  for (const value of values) value.fill(0)
  await commit
  expect(written.flat()).toStrictEqual([
    put('key/0', 'first'),
    put('key/1', 'other'),
    put('key/2', 'third'),
    put('key/3', 'fourth'),
  ])
})
