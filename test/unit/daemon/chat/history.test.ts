import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ChatHistory } from '../../../../src/daemon/chat/history.ts'
import { LINES, SEALED_KINDS } from '../../../../src/daemon/chat/kinds.ts'
import { Sealed } from '../../../../src/daemon/sealed/sealed.ts'
import type { KeepParams } from '../../../../src/ipc/methods/chat.ts'
import { codeOf } from '../../../support/code-of.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { silentLog } from '../../../support/silent-log.ts'

const BOB = 'name:bob'
const MANY = 450 // more than two slices of a change

interface Story {
  readonly history: ChatHistory
  readonly sealed: Sealed
}

async function begin(): Promise<Story> {
  const { keeper, stateDir } = await TestKeeper.open()
  const paths = { apps: join(stateDir, 'apps') }
  const sealed = await Sealed.open({ keeper, paths, setting: null, log: silentLog, kinds: SEALED_KINDS })
  return { history: new ChatHistory(keeper, sealed.records), sealed }
}

function line(id: string, wishes: Partial<KeepParams> = {}): KeepParams {
  return { chat: BOB, id, mine: true, text: `text of ${id}`, sentSec: 5, state: 'kept', ...wishes }
}

describe('the lines of a chat', () => {
  test('are kept once for each id, and read in their order from either end', async () => {
    const { history } = await begin()
    for (const id of ['a', 'b', 'c']) await history.keep(line(id))
    expect(await history.keep(line('b', { text: 'another' }))).toEqual({ number: 2, isNew: false })
    expect(await history.keep(line('b', { chat: 'name:carol' }))).toEqual({ number: 1, isNew: true })
    const ids = (page: ReturnType<ChatHistory['lines']>): [string, number | null] => [
      page.lines.map(({ id }) => id).join(''),
      page.next,
    ]
    expect(ids(history.lines({ chat: BOB }))).toEqual(['abc', null])
    expect(ids(history.lines({ chat: BOB, limit: 2 }))).toEqual(['bc', 2])
    expect(ids(history.lines({ chat: BOB, before: 2 }))).toEqual(['a', null])
    expect(ids(history.lines({ chat: BOB, after: 0, limit: 2 }))).toEqual(['ab', 2])
    expect(ids(history.lines({ chat: BOB, after: 2 }))).toEqual(['c', null])
    expect(history.lines({ chat: BOB }).lines[1]?.text).toBe('text of b')
  })

  test('fill a page by their bytes, and one that is larger than a page still comes', async () => {
    const { history } = await begin()
    for (const id of ['a', 'b']) await history.keep(line(id, { text: '\u20AC'.repeat(65_536) }))
    expect(history.lines({ chat: BOB })).toMatchObject({ lines: [{ id: 'b' }], next: 2 })
    expect(history.lines({ chat: BOB, before: 2 })).toMatchObject({ lines: [{ id: 'a' }], next: null })
  })

  test('go on and never back, and are counted while they are unsent or unread', async () => {
    const { history } = await begin()
    await history.keep(line('mine'))
    await history.keep(line('theirs', { mine: false, state: 'there' }))
    expect(await history.list()).toMatchObject([{ chat: BOB, lines: 2, unread: 1, unsent: 1 }])
    const ways = [{ by: 'message', number: 7 }]
    expect(await history.mark({ chat: BOB, ids: ['mine'], state: 'there', ways })).toBe(1)
    expect(await history.mark({ chat: BOB, ids: ['mine'], state: 'sent', ways })).toBe(0)
    await history.mark({ chat: BOB, ids: ['theirs'], state: 'read' })
    expect(history.lines({ chat: BOB }).lines).toMatchObject([{ state: 'there', ways }, { state: 'read' }])
    expect(await history.list()).toMatchObject([{ unread: 0, unsent: 0 }])
    expect(await codeOf(history.mark({ chat: BOB, ids: ['other'], state: 'read' }))).toBe('CHAT_LINE_UNKNOWN')
  })

  test(`are marked with ${MANY} lines of the same side before them, and forgotten without a rest`, async () => {
    const { history, sealed } = await begin()
    for (let i = 1; i <= MANY; i++) await history.keep(line(`l${i}`, { mine: i % 2 === 0 }))
    expect(await history.mark({ chat: BOB, ids: [`l${MANY}`], state: 'read', earlier: true })).toBe(MANY / 2)
    expect(await history.mark({ chat: BOB, ids: [`l${MANY}`], state: 'read', earlier: true })).toBe(0)
    expect(history.lines({ chat: BOB, limit: 2 }).lines.map(({ state }) => state)).toEqual(['kept', 'read'])
    expect(await history.forget(BOB)).toBe(MANY)
    expect(await history.list()).toEqual([])
    expect(await Array.fromAsync(sealed.records.onDisk(LINES).ids())).toEqual([])
  })
})
