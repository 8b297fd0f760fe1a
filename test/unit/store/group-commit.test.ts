import { expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { GroupCommit } from '../../../src/store/group-commit.ts'
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
