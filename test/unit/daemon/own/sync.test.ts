import { describe, expect, it } from 'vitest'
import type { OwnTable } from '../../../../src/ipc/shapes/own.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, person } from '../../../support/person.ts'

const PHONE = { name: 'phone', key: OWN_PHONE }
const TABLET = { name: 'tablet', key: deviceKey('own tablet') }
const WATCH = { name: 'watch', key: deviceKey('own watch') }

async function siblings(count: number): Promise<TestKeeper[]> {
  const first = await TestKeeper.withPersona()
  await first.call('device.add', PHONE)
  const others: TestKeeper[] = []
  for (let n = 1; n < count; n++) others.push(await first.copied())
  return [first, ...others]
}

function names({ devices }: OwnTable): string[] {
  return devices.map(({ name }) => name).sort()
}

describe('siblings that sync by hand', () => {
  it('agree on one table with the edits of both after one exchange', async () => {
    const [a, b] = (await siblings(2)) as [TestKeeper, TestKeeper]
    await a.call('device.add', TABLET)
    await b.call('device.add', WATCH)
    const first = await a.call('sibling.sync')
    expect(first.verdict).toBeNull()
    const second = await b.call('sibling.sync', { text: first.status.text })
    expect(second.verdict).toBe('fork')
    const third = await a.call('sibling.sync', { text: `as written: ${second.status.token}\n` })
    const fourth = await b.call('sibling.sync', { text: third.status.token })
    expect(names(third.status.table)).toStrictEqual(['laptop', 'phone', 'tablet', 'watch'])
    expect(fourth.status.table).toStrictEqual(third.status.table)
    expect((await a.call('sibling.sync', { text: fourth.status.token })).verdict).toBe('refresh')
  })

  it('report an older text, and lose no edit by it, even over a restart', async () => {
    const [a] = (await siblings(1)) as [TestKeeper]
    const old = await ownText(a)
    const { table } = await a.call('device.add', TABLET)
    expect(await a.later(60).call('sibling.sync', { text: old })).toMatchObject({ verdict: 'stale', status: { table } })
    expect(await (await a.reopened()).call('device.list')).toStrictEqual(table)
  })

  it.each([
    ['no text of a table', 'hello', 'SIBLING_NO_TABLE'],
    ['a cut token', 'persona:' + 'A'.repeat(300), 'BLOB_UNKNOWN_VERSION'],
    ["somebody else's table", person('bob').table(['phone']).text(), 'SIBLING_FOREIGN'],
  ])('refuse %s, and change nothing', async (_, text, code) => {
    const [a] = (await siblings(1)) as [TestKeeper]
    const commits = a.store.commits.length
    await expect(a.call('sibling.sync', { text })).rejects.toMatchObject({ code })
    expect(a.store.commits.length).toBe(commits)
  })

  it('have no table before there is a persona', async () => {
    await expect((await TestKeeper.open()).call('sibling.sync')).rejects.toMatchObject({ code: 'NO_PERSONA' })
  })

  it('count a text from elsewhere as a copy with the age of its signature, and their own text as no copy', async () => {
    const [a, b] = (await siblings(2)) as [TestKeeper, TestKeeper]
    const before = a.records.own.get('own')!.copySec
    await a.later(100_000).call('sibling.sync', { text: await ownText(a) })
    expect(a.records.own.get('own')!.copySec).toBe(before)
    const signedSec = b.later(50_000).nowSec
    await b.call('device.add', TABLET)
    await a.call('sibling.sync', { text: await ownText(b) })
    expect(a.records.own.get('own')!.copySec).toBe(signedSec)
    // The owner has just given it, so a rotation now must not rely on an older copy.
    const soon = b.later(60).nowSec
    await b.call('device.add', WATCH)
    await a.call('sibling.sync', { text: await ownText(b) })
    expect(a.records.own.get('own')!.copySec).toBe(soon)
  })
})

describe('a third sibling with more tables of its own', () => {
  async function three(): Promise<[TestKeeper, TestKeeper, TestKeeper]> {
    return (await siblings(3)) as [TestKeeper, TestKeeper, TestKeeper]
  }
  const show = async (from: TestKeeper, to: TestKeeper): Promise<unknown> =>
    await to.later(100).call('sibling.sync', { text: await ownText(from) })

  it('does not undo an add that the second sibling has seen', async () => {
    const [a, b, c] = await three()
    await a.call('device.add', TABLET)
    await show(a, b)
    await b.call('device.rename', { device: 'phone', name: 'Handy' })
    await show(b, a)
    for (const name of ['one', 'two', 'three', 'four']) {
      await c.call('device.rename', { device: OWN_LAPTOP, name })
      await show(c, a)
    }
    expect(names(await a.call('device.list'))).toContain('tablet')
    expect(a.told('own.intent-dropped')).toStrictEqual([])
  })

  it('does not bring back a removed device, even after a long time, but a deliberate add does', async () => {
    const [a, b, c] = await three()
    await a.call('device.add', TABLET)
    for (const other of [b, c]) await show(a, other)
    await a.call('device.remove', { device: 'tablet' })
    await show(a, b)
    await b.call('device.rename', { device: 'phone', name: 'Handy' })
    await show(b, a)
    for (const name of ['one', 'two', 'three', 'four']) await c.call('device.rename', { device: OWN_LAPTOP, name })
    await show(c, b)
    await show(b, a)
    await show(c, a)
    expect(names(await a.call('device.list'))).not.toContain('tablet')
    await show(a, b)
    await b.call('device.add', { ...TABLET, again: true })
    await show(b, a)
    expect(names(await a.call('device.list'))).toContain('tablet')
  })
})
