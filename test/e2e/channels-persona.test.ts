/** Channels between real daemons that have personas: cards, words that verify a contact, an exchanged persona, and an app with dots in its name. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { formatInvite, parseInvite } from '../../src/channel/invite/invite-text.ts'
import { parseHex } from '../../src/core/encoding/bytes.ts'
import { connect } from '../../src/ipc/client.ts'
import { makePersona, meet, readUpTo, twoSides } from '../support/channel-sides.ts'
import { codeOf } from '../support/code-of.ts'
import { tempDir } from '../support/temp-dir.ts'

const TIMEOUT_MS = 60_000 // sanity: a few seconds on an idle machine

test(
  'two personas meet with their cards, words that were compared verify the contact; an invite with an exchanged persona opens nothing',
  async () => {
    const [host, guest] = await twoSides({ folders: [tempDir()] })
    const [hostPersona, guestPersona] = [await makePersona(host), await makePersona(guest)]
    const { link } = await guest.client.call('link.get', {})
    const { contact } = await host.client.call('contact.add', { link })
    expect(contact.verifiedAtSec).toBeNull()
    const { hostId, guestId, words } = await meet(host, guest)
    expect((await host.show(hostId)).peer.persona).toBe(guestPersona)
    expect((await guest.show(guestId)).peer.persona).toBe(hostPersona)

    const others = [...words.slice(1), words[0]!]
    await expect(host.client.call('channel.verify', { id: hostId, words: others })).rejects.toMatchObject({
      code: 'WORDS_DIFFER',
      details: { channel: 'Guest' },
    })
    expect((await host.client.call('contact.show', { contact: guestPersona })).verifiedAtSec).toBeNull()
    await host.client.call('channel.verify', { id: hostId, words: [...words] })
    expect((await host.client.call('contact.show', { contact: guestPersona })).verifiedAtSec).toBeGreaterThan(0)
    expect(await host.show(hostId)).toMatchObject({ verified: true })

    // Somebody passes the invite on with the persona of another in it. It is bound to its text, so the host does not open the answer.
    const { invite } = await host.client.call('channel.invite', { name: 'Other' })
    const read = parseInvite(invite)
    if (read.kind !== 'invite') throw new Error('the invite has lost its fragment')
    expect(read.invite.persona?.personaId).toEqual(parseHex(hostPersona))
    const persona = { ...read.invite.persona!, personaId: parseHex(guestPersona)! }
    const exchanged = formatInvite({ ...read.invite, persona })
    const { id: lost } = await guest.client.call('channel.accept', { invite: exchanged, name: 'Exchanged' })
    const { id: trueId } = await guest.client.call('channel.accept', { invite, name: 'True' })
    await guest.until(async () => (await guest.show(trueId)).state === 'open')
    expect(await guest.show(lost)).toMatchObject({ state: 'waiting', peer: { persona: null } })
    expect((await host.client.call('channel.list', {})).channels).toHaveLength(2)
  },
  TIMEOUT_MS,
)

test(
  'apps with dots in their names make a channel of their own',
  async () => {
    const name = 'org.example.ping'
    const [host, guest] = await twoSides({ folders: [tempDir()] })
    const [ofHost, ofGuest] = await Promise.all(
      [host, guest].map(async ({ client, home }) => {
        const { token } = await client.call('app.allow', { name, can: ['channel'] })
        const app = await connect({ socketPath: join(home, 'run', 'app.sock') })
        onTestFinished(() => app.close())
        expect(await app.call('app.hello', { token })).toMatchObject({ name })
        return app
      }),
    )
    const { invite } = await ofHost!.call('channel.invite', {})
    const { id } = await ofGuest!.call('channel.accept', { invite })
    await guest.until(async () => (await guest.show(id)).state === 'open')
    await ofGuest!.call('channel.send', { id, text: 'ping' })
    const { channels } = await ofHost!.call('channel.list', {})
    expect(channels).toMatchObject([{ app: name }])
    expect(await readUpTo(host, channels[0]!.id, 1)).toEqual(['ping'])
    // Another one that asks for the same name gets a number, and its token finds it.
    const second = await connect({ socketPath: join(host.home, 'run', 'app.sock') })
    onTestFinished(() => second.close())
    const { token } = await second.call('app.request', { name, can: ['channel'] })
    await host.client.call('app.accept', { name: `${name}#2`, can: ['channel'], as: 'org.example.second' })
    expect(await second.call('app.hello', { token: token! })).toMatchObject({ name: `${name}#2` })
    expect(await codeOf(host.client.call('app.revoke', { name: `${name}#2` }))).toBe('done')
  },
  TIMEOUT_MS,
)
