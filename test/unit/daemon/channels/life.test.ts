/** The life of a channel: large contents, full outboxes, closing, moving, and states that were restored or copied. */
import { describe, expect, it } from 'vitest'
import { MAX_BODY_BYTES } from '../../../../src/channel/ratchet/frame.ts'
import { loadEnd } from '../../../../src/daemon/channels/ends/end-state.ts'
import { ChannelDaemon, openChannel, OWNER, settle, type TwoDaemons } from '../../../support/channel-daemon.ts'
import { codeOf } from '../../../support/code-of.ts'
import { MemoryCarrier, MemoryPost } from '../../../support/memory-carrier.ts'
import { sayFarewell } from '../../../../src/daemon/channels/farewell.ts'
import { eraseHandlers } from '../../../../src/daemon/erase.ts'
import { rotationHandlers } from '../../../../src/daemon/methods/rotation.ts'
import type { Unreached } from '../../../../src/ipc/shapes/rotation.ts'
import { statePaths } from '../../../../src/store/state-dir.ts'
import { withWords } from '../../../support/rotation.ts'
import { PLACE } from '../../../../src/daemon/state/local-records.ts'
import { MAX_PIECE_BYTES } from '../../../../src/ipc/methods/app-params.ts'

const DAY_MS = 86_400_000

async function opened(): Promise<TwoDaemons & { readonly post: MemoryPost }> {
  const post = new MemoryPost()
  const [host, guest] = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
  return { post, ...(await openChannel(post, host, guest)) }
}

describe('a large content', () => {
  it('goes in pieces, and is read in pieces', async () => {
    const { post, host, guest, hostId: id, guestId } = await opened()
    const bytes = Buffer.alloc(2 * MAX_PIECE_BYTES + 1000, 'personad ')
    const upload = { id, upload: 'photo', total: bytes.length }
    const piece = (i: number): string =>
      bytes.subarray(i * MAX_PIECE_BYTES, (i + 1) * MAX_PIECE_BYTES).toString('base64')
    const send = async (i: number) =>
      await host.call('channel.send', { ...upload, offset: i * MAX_PIECE_BYTES, content: piece(i) })
    expect(await codeOf(send(1))).toBe('CONTENT_FORM')
    expect([await send(0), await send(1)]).toEqual([{ number: null }, { number: null }])
    expect(await send(2)).toEqual({ number: 1 })
    // The app did not hear the answer, and asks again.
    expect(await send(2)).toEqual({ number: 1 })
    await settle(post, host, guest)
    const read: Buffer[] = []
    for (let offset = 0; offset < bytes.length;) {
      const { contents } = await guest.call('channel.read', { id: guestId, after: 0, offset })
      expect(contents).toMatchObject([{ number: 1, bytes: bytes.length, offset }])
      read.push(Buffer.from(contents[0]!.content, 'base64'))
      offset += read.at(-1)!.length
    }
    expect(Buffer.concat(read).equals(bytes)).toBe(true)
    // Frames of one turn make one record.
    expect(await countOf(guest, 'channelin')).toBeLessThan(bytes.length / MAX_BODY_BYTES / 4)
    await guest.call('channel.ack', { id: guestId, upTo: 1 })
    await settle(post, host, guest)
    for (const kind of ['channelpiece', 'channelout', 'channelframe', 'channelin'])
      for (const daemon of [host, guest]) expect(await countOf(daemon, kind), kind).toBe(0)
  })

  it.each([
    ['from its end to its begin', (offsets: number[]) => offsets.toReversed()],
    ['from its begin to its end', (offsets: number[]) => offsets],
    ['twice at each offset', (offsets: number[]) => offsets.flatMap((offset) => [offset, offset])],
  ])('is read %s, after a restart too, and an ack of what was read in part removes all of it', async (_, order) => {
    const { post, host, guest, hostId: id, guestId } = await opened()
    const bytes = Buffer.from(host.test.keeper.engine.randomBytes(MAX_PIECE_BYTES))
    await host.call('channel.send', { id, content: bytes.toString('base64') })
    await settle(post, host, guest)
    const again = await guest.restarted()
    for (const offset of order([0, 1, 11_000, 100_000, bytes.length - 1, bytes.length])) {
      const { contents } = await again.call('channel.read', { id: guestId, after: 0, offset })
      const [found] = contents
      const piece = Buffer.from(found!.content, 'base64')
      expect([found!.offset, piece.equals(bytes.subarray(offset))], String(offset)).toEqual([offset, true])
    }
    await again.call('channel.ack', { id: guestId, upTo: 1 })
    expect(await countOf(again, 'channelin')).toBe(0)
  })

  it('that was never read is acknowledged too', async () => {
    const { post, host, guest, hostId: id, guestId } = await opened()
    for (const text of ['', 'x'.repeat(30_000)]) await host.call('channel.send', { id, text })
    await settle(post, host, guest)
    expect(await countOf(guest, 'channelin')).toBeGreaterThan(1)
    await guest.call('channel.ack', { id: guestId, upTo: 2 })
    expect(await countOf(guest, 'channelin')).toBe(0)
  })
})

/** Sealed records of a kind on disk. */
async function countOf(daemon: ChannelDaemon, kind: string): Promise<number> {
  let count = 0
  for await (const _ of daemon.test.keeper.onDisk.sealed.iterate({ prefix: `${kind}/` })) count++
  return count
}

describe('a content with a key', () => {
  it('is sent once, however often the call is repeated', async () => {
    const { post, host, guest, hostId: id, guestId } = await opened()
    const call = { id, text: 'once', key: 'a1' }
    expect(await host.call('channel.send', call)).toEqual({ number: 1 })
    expect(await host.call('channel.send', call)).toEqual({ number: 1 })
    const again = await host.restarted()
    expect(await again.call('channel.send', call)).toEqual({ number: 1 })
    await settle(post, again, guest)
    expect(await guest.texts(guestId)).toEqual(['once'])
  })
})

describe('an outbox', () => {
  it('that is full refuses more, and takes more once the peer has some', async () => {
    const { post, host, guest, hostId: id } = await opened()
    post.isAway = true
    const content = Buffer.alloc(MAX_PIECE_BYTES).toString('base64')
    let sent = 0
    let code = 'done'
    while (code === 'done') {
      code = await codeOf(host.call('channel.send', { id, content }))
      if (code === 'done') sent++
    }
    expect([code, sent]).toEqual(['OUTBOX_FULL', 85])
    post.isAway = false
    host.later(60_000)
    await settle(post, host, guest)
    expect((await host.call('channel.show', { id })).waiting).toBeLessThan(sent)
    expect(await host.call('channel.send', { id, content })).toEqual({ number: sent + 1 })
  })
})

describe('a channel', () => {
  it('that one side closes is closed at the other, and no key stays at either', async () => {
    const { post, host, guest, hostId, guestId } = await opened()
    await host.call('channel.send', { id: hostId, text: 'bye' })
    expect(await host.call('channel.close', { id: hostId })).toEqual({ state: 'closing' })
    await settle(post, host, guest)
    expect(await guest.call('channel.show', { id: guestId })).toMatchObject({ state: 'closed', unread: 1 })
    expect(await guest.texts(guestId)).toEqual(['bye'])
    guest.later(1000)
    await settle(post, host, guest)
    host.later(DAY_MS)
    await settle(post, host, guest)
    expect(await host.call('channel.show', { id: hostId })).toMatchObject({ state: 'closed' })
    expect(await codeOf(host.call('channel.send', { id: hostId, text: 'x' }))).toBe('CHANNEL_NOT_OPEN')
    await host.call('channel.close', { id: hostId })
    await guest.call('channel.close', { id: guestId })
    for (const [daemon, id] of [[host, hostId] as const, [guest, guestId] as const]) {
      expect((await daemon.call('channel.list', {})).channels).toEqual([])
      for (const kind of ['channelin', 'channelout']) expect(await countOf(daemon, kind), kind).toBe(0)
      // Its places stay until carriers have forgotten them.
      expect(loadEnd(id, daemon.sealed.records)!.channel).toMatchObject({ keys: null, headerKeys: null })
    }
  })

  it('moves to new boxes after a week, and goes on over them', async () => {
    const { post, host, guest, hostId, guestId } = await opened()
    const before = (await host.call('channel.show', { id: hostId })).carriers
    for (const each of [host, guest]) each.later(7 * DAY_MS)
    await settle(post, host, guest)
    await guest.call('channel.send', { id: guestId, text: 'over the new boxes' })
    await settle(post, host, guest)
    expect(await host.texts(hostId)).toEqual(['over the new boxes'])
    const after = (await host.call('channel.show', { id: hostId })).carriers
    expect(after).not.toEqual(before)
    for (const each of [host, guest]) each.later(60_000)
    await settle(post, host, guest)
    expect(post.boxes.get(before[0]!)?.isRetired).toBe(true)
  })

  it('of a state that was copied sends nothing but that it is broken', async () => {
    const { post, host, guest, hostId, guestId } = await opened()
    await host.call('channel.send', { id: hostId, text: 'x' })
    await settle(post, host, guest)
    await host.runner.close()
    const copy = await host.test.copied()
    await copy.keeper.change(() => {
      const { state } = copy.keeper
      state.stage(state.records.places.put(PLACE, { machine: null, file: 'other', store: 'another store' }))
    })
    const sentBefore = post.sent.length
    const copied = await ChannelDaemon.over(copy, new MemoryCarrier(post))
    await settle(post, copied, guest)
    expect(await copied.call('channel.show', { id: hostId })).toMatchObject({ state: 'broken', reason: 'RESTORED' })
    expect(post.sent.slice(sentBefore).map(({ bytes }) => bytes.length)).toEqual([257])
    expect(await guest.call('channel.show', { id: guestId })).toMatchObject({ state: 'broken', reason: 'PEER' })
  })

  it('of a backup is in the list as broken, with the name of its peer', async () => {
    const { host, hostId } = await opened()
    const { keeper } = host.test
    const restored = await ChannelDaemon.open(new MemoryPost())
    const { CHANNEL } = await import('../../../../src/daemon/channels/records/channel-record.ts')
    const record = keeper.onDisk.of(CHANNEL).get(hostId)!
    expect(CHANNEL.arrival!.read(hostId, JSON.parse(JSON.stringify(record)))).toEqual(record)
    expect(CHANNEL.arrival!.read('../x', record)).toBe(null)
    await restored.test.keeper.change(() => {
      const { state } = restored.test.keeper
      state.stage(state.of(CHANNEL).put(hostId, record))
    })
    expect((await restored.call('channel.list', {})).channels).toMatchObject([
      { id: hostId, name: 'Bob', state: 'broken', reason: 'RESTORED' },
    ])
  })
})

describe('a farewell', () => {
  it('closes the channels at the peers that can be reached, and names the others', async () => {
    const { post, host, guest, guestId } = await opened()
    expect(await sayFarewell(host.runner)).toEqual([])
    await settle(post, host, guest)
    expect(await guest.call('channel.show', { id: guestId })).toMatchObject({ state: 'closed' })
    const { post: other, host: far, hostId } = await opened()
    other.isAway = true
    expect(await sayFarewell(far.runner)).toEqual([channelWithBob(hostId)])
  })

  it('withdraws open invites', async () => {
    const { post, host } = await opened()
    const { where } = await host.call('channel.invite', { name: 'Carol' })
    expect(post.boxes.has(where[0]!)).toBe(true)
    expect(await sayFarewell(host.runner)).toEqual([])
    expect(post.boxes.has(where[0]!)).toBe(false)
  })

  it('names all channels while the apps key is closed, since nothing can be sealed', async () => {
    const { host, hostId } = await opened()
    const { known, means } = host.runner
    expect(await sayFarewell({ known, means, isOpen: false })).toEqual([channelWithBob(hostId)])
    expect(await host.call('channel.show', { id: hostId })).toMatchObject({ state: 'open' })
  })

  it('is in the answers of persona.leave and persona.erase', async () => {
    const post = new MemoryPost()
    const { laptop } = await withWords()
    const host = await ChannelDaemon.over(laptop, new MemoryCarrier(post))
    const { hostId } = await openChannel(post, host, await ChannelDaemon.open(post))
    post.isAway = true
    const farewell = (): Promise<Unreached[]> => sayFarewell(host.runner)
    const unreached = [channelWithBob(hostId)]
    const { keeper, stateDir } = laptop
    const { 'persona.leave': leave } = rotationHandlers(keeper, farewell)
    expect(await leave({}, OWNER)).toMatchObject({ unreached })
    const { 'persona.erase': erase } = eraseHandlers(keeper, host.sealed.key, statePaths(stateDir), () => {}, farewell)
    expect(await erase({ digits: '0'.repeat(8) }, OWNER)).toMatchObject({ personaId: null, unreached })
  })
})

function channelWithBob(id: string): Unreached {
  return { kind: 'channel', id, app: 'chat', name: 'Bob' }
}
