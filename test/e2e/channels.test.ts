/** Channels between real daemons that reach each other by a folder: contents, hostile callers, copies and the end. */
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/ipc/client.ts'
import { meet, readUpTo, sendInOrder, Side, twoSides } from '../support/channel-sides.ts'
import { codeOf } from '../support/code-of.ts'
import { tempDir } from '../support/temp-dir.ts'

const CONTENTS = Number(process.env['CHANNEL_CONTENTS'] ?? 200) // `npm run test:slow` asks for more
const TIMEOUT_MS: number = 120_000 + CONTENTS * 60 // sanity: a content takes a few milliseconds on an idle machine

function textsOf(name: string): string[] {
  return Array.from({ length: CONTENTS }, (_, i) => `${name} ${i + 1}`)
}

test(
  `a folder brings ${CONTENTS} contents both ways at once, each once and in order; a close ends both sides`,
  async () => {
    const [host, guest] = await twoSides({ folders: [tempDir()] })
    const { hostId, guestId } = await meet(host, guest)
    const [ofHost, ofGuest] = await Promise.all([
      readUpTo(guest, guestId, CONTENTS),
      readUpTo(host, hostId, CONTENTS),
      sendInOrder(host, hostId, textsOf('host')),
      sendInOrder(guest, guestId, textsOf('guest')),
    ])
    expect(ofHost).toEqual(textsOf('host'))
    expect(ofGuest).toEqual(textsOf('guest'))
    await host.client.call('channel.close', { id: hostId })
    // For a moment it may be `gone`: the host's place is away, and the last frame of the host is not read yet.
    await guest.until(async () => (await guest.show(guestId)).state === 'closed')
    expect(await codeOf(guest.client.call('channel.send', { id: guestId, text: 'x' }))).toBe('CHANNEL_NOT_OPEN')
  },
  TIMEOUT_MS,
)

test(
  'one invite opens for one guest; the second one is told, and so is the host',
  async () => {
    const folders = [tempDir()]
    const [host, guest] = await twoSides({ folders })
    const second = await new Side({ folders }).start()
    const alarms: string[] = []
    for (const [who, side] of Object.entries({ host, second }))
      await side.client.subscribe(['channel.alarm'], (event) => {
        if (event.event === 'channel.alarm') alarms.push(`${who} ${event.data.code}`)
      })
    const { invite } = await host.client.call('channel.invite', { name: 'Guest' })
    const { id } = await guest.client.call('channel.accept', { invite, name: 'Host' })
    await guest.until(async () => (await guest.show(id)).state === 'open')
    const { id: late } = await second.client.call('channel.accept', { invite, name: 'Host' })
    await host.until(() => Promise.resolve(alarms.includes('host INVITE_TWICE')))
    await second.until(async () => (await second.show(late)).reason === 'INTERCEPTED')
    expect((await guest.show(id)).state).toBe('open')
    expect(new Set(alarms)).toEqual(new Set(['host INVITE_TWICE', 'second INTERCEPTED']))
  },
  TIMEOUT_MS,
)

describe('two daemons with a channel', () => {
  test(
    'an app neither sees nor uses the channels of another, and names no address of its own',
    async () => {
      const [host, guest] = await twoSides({ folders: [tempDir()] })
      const { hostId: id, guestId } = await meet(host, guest)
      const { token } = await host.client.call('app.allow', { name: 'eve', can: ['channel'] })
      const app = await connect({ socketPath: join(host.home, 'run', 'app.sock') })
      onTestFinished(() => app.close())
      expect(await codeOf(app.call('channel.list', {}))).not.toBe('done')
      await app.call('app.hello', { token })
      expect((await app.call('channel.list', {})).channels).toEqual([])
      expect(await codeOf(app.call('channel.list', { app: 'chat' }))).toBe('CHANNEL_APP')
      expect(await codeOf(app.call('channel.invite', { app: 'chat' }))).toBe('CHANNEL_APP')
      expect(await codeOf(app.call('channel.show', { id }))).toBe('CHANNEL_UNKNOWN')
      expect(await codeOf(app.call('channel.send', { id, text: 'x' }))).toBe('CHANNEL_UNKNOWN')
      expect(await codeOf(app.call('channel.read', { id, after: 0 }))).toBe('CHANNEL_UNKNOWN')
      expect(await codeOf(app.call('channel.close', { id }))).toBe('CHANNEL_UNKNOWN')
      expect(await codeOf(app.call('channel.invite', { over: [`folder:${tempDir()}`] }))).toBe('CARRIER_UNKNOWN')
      const heard: string[] = []
      await app.subscribe(['channel.content', 'channel.changed'], ({ event }) => heard.push(event))
      await guest.client.call('channel.send', { id: guestId, text: 'hi' })
      expect(await readUpTo(host, id, 1)).toEqual(['hi'])
      // An answer comes after all events before it.
      await app.call('channel.list', {})
      expect(heard).toEqual([])
    },
    TIMEOUT_MS,
  )
})
