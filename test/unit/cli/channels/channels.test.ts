import { describe, expect, test } from 'vitest'
import { acceptCommand, checkFree, findChannel, findEither } from '../../../../src/cli/channels/find.ts'
import { formatContent } from '../../../../src/cli/channels/contents.ts'
import { formatChannel, formatList } from '../../../../src/cli/channels/list.ts'
import { channelState, describeWays } from '../../../../src/cli/channels/states.ts'
import type { Client } from '../../../../src/ipc/client.ts'
import { CHANNEL_STATES, type ChannelView, type InviteView } from '../../../../src/ipc/methods/channel-values.ts'
import { codeOf } from '../../../support/code-of.ts'

const NOW_SEC = 1_796_000_000

function channel(part: Partial<ChannelView> = {}): ChannelView {
  return {
    id: '0123456789abcdef',
    app: 'chat',
    name: 'Bob',
    peer: { persona: null, name: null },
    role: 'host',
    introduced: null,
    state: 'open',
    reason: null,
    words: null,
    verified: false,
    madeSec: NOW_SEC,
    unread: 0,
    received: 0,
    waiting: 0,
    lastReceivedSec: null,
    lastDeliveredSec: null,
    carriers: ['folder:0a1b2c3d4e5f6071'],
    direct: null,
    refused: 0,
    ...part,
  }
}

const INVITE: InviteView = {
  id: '0123456789abcdef',
  app: 'chat',
  name: 'Carol',
  expiresAtSec: NOW_SEC + 86_400,
  for: null,
  where: [],
  refused: 0,
}

/** A daemon that gives its channels in pages of one. */
function daemonWith(...channels: readonly ChannelView[]): Client {
  const call = async (_method: string, { app, after }: { app?: string; after?: string }): Promise<unknown> => {
    const all = channels.filter((each) => app === undefined || each.app === app)
    const at = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1
    const next = at + 1 < all.length ? all[at]!.id : null
    return await Promise.resolve({ channels: all.slice(at, at + 1), invites: [INVITE], next })
  }
  return { call } as unknown as Client
}

describe('the name of a channel', () => {
  const bob = channel()
  const other = channel({ id: '1111111111111111', app: 'org.example.list' })
  const eve = channel({ id: '2222222222222222', name: 'Eve' })

  test('is read without looking at capitals, on every page of the list; the id does too', async () => {
    expect(await findChannel(daemonWith(bob, eve), 'eVE', {})).toBe(eve)
    expect(await findChannel(daemonWith(bob, eve), eve.id, {})).toBe(eve)
  })

  test('is one within an app; of several the person has to choose', async () => {
    expect(await codeOf(findChannel(daemonWith(bob, other), 'Bob', {}))).toBe('AMBIGUOUS')
    expect(await findChannel(daemonWith(bob, other), 'Bob', { app: 'chat' })).toBe(bob)
    expect(await findChannel(daemonWith(bob, other), other.id, {})).toBe(other)
  })

  test('may be that of an invite that nobody used, where an invite will do', async () => {
    expect(await findEither(daemonWith(bob), 'carol', {})).toBe(INVITE)
    expect(await codeOf(findChannel(daemonWith(bob), 'carol', {}))).toBe('INVITE_UNUSED')
    expect(await codeOf(findEither(daemonWith(bob), 'nobody', {}))).toBe('CHANNEL_UNKNOWN')
  })

  test('may be an id that no list has, to close what the daemon cannot read', async () => {
    expect(await findEither(daemonWith(bob), '00000000000000ff', {})).toEqual({ id: '00000000000000ff' })
    expect(await codeOf(findChannel(daemonWith(bob), '00000000000000ff', {}))).toBe('CHANNEL_UNKNOWN')
  })

  test('cannot be given twice in one app', async () => {
    expect(await codeOf(checkFree(daemonWith(bob), 'bob', 'chat'))).toBe('NAME_TAKEN')
    expect(await codeOf(checkFree(daemonWith(bob), 'Carol', 'chat'))).toBe('NAME_TAKEN')
    await checkFree(daemonWith(other), 'Bob', 'chat')
  })
})

describe('a person reads', () => {
  test('each state in a sentence of its own', () => {
    const texts = CHANNEL_STATES.map((state) => channelState({ state, reason: null }))
    expect(new Set(texts).size).toBe(CHANNEL_STATES.length)
    expect(channelState({ state: 'gone', reason: 'MISBOUND' })).toContain('another persona')
    expect(channelState({ state: 'gone', reason: 'RETIRED' })).toBe(channelState({ state: 'gone', reason: null }))
  })

  test('the app of a channel only where one has another than that of the command line', () => {
    expect(formatList({ channels: [channel()], invites: [INVITE] }, NOW_SEC)[0]).toBe('NAME   NEW  UNSENT  STATE')
    const lines = formatList({ channels: [channel({ app: 'org.example.list', unread: 2 })], invites: [] }, NOW_SEC)
    expect(lines).toEqual(['NAME  APP               NEW  UNSENT  STATE', 'Bob   org.example.list  2            open'])
    expect(formatList({ channels: [], invites: [] }, NOW_SEC)).toEqual([
      'no channels; make one with: persona channel invite NAME',
    ])
  })

  test('the words until they were compared, and no control characters of the peer', () => {
    const words = ['ordinary', 'velvet', 'amused', 'ticket']
    const shown = formatChannel(channel({ words, peer: { persona: null, name: 'B\u001bob' } }), NOW_SEC).join('\n')
    expect(shown).toContain('ordinary velvet amused ticket')
    expect(shown).toContain('B\\u{1B}ob')
    expect(formatChannel(channel({ verified: true }), NOW_SEC).join('\n')).not.toContain('compare')
  })

  test('since when nobody has answered, to a guest who knows no reason', () => {
    const lines = (reason: string | null): string =>
      formatChannel(channel({ state: 'waiting', reason, role: 'guest' }), NOW_SEC).join('\n')
    expect(lines(null)).toContain('the invite was changed on its way')
    expect(lines('INTERCEPTED')).not.toContain('no answer since')
  })

  test('the ways by their hosts', () => {
    expect(describeWays(['folder:0a1b2c3d4e5f6071', 'https://relay.example/', 'https://b.example:4443/x'])).toBe(
      'by a folder and relay.example and b.example:4443',
    )
    expect(describeWays(['dht:AAAA.17', 'veilid:a.b.c'])).toBe('by the DHT and Veilid')
  })

  test('a text line by line and escaped, and of other bytes their number', () => {
    const content = { number: 7, atSec: NOW_SEC, bytes: 9 }
    const [first, second] = formatContent(content, Buffer.from('one\nt\u001bwo\n'))
    expect(first).toMatch(/^\d\d:\d\d:\d\d #7 one$/)
    expect(second).toMatch(/^ {12}t\\u\{1B\}wo$/)
    const [binary] = formatContent({ ...content, bytes: 2 }, Uint8Array.of(0xff, 0xfe))
    expect(binary).toMatch(/#7 \(2 bytes that are no text/)
    // Only the first piece of a large content is here.
    expect(formatContent({ ...content, bytes: 300_000 }, Buffer.from('a'))[0]).toContain('300000 bytes')
  })
})

test('an invite is shown with the command of the other side, which names an app that is not of the command line', () => {
  expect(acceptCommand('chat')).toBe('persona channel accept INVITE')
  expect(acceptCommand('persona-chat')).toBe('persona chat accept INVITE')
  expect(acceptCommand('org.example.talk')).toBe('persona channel accept INVITE --app org.example.talk')
})
