import { describe, expect, test } from 'vitest'
import { CHANNEL } from '../../../../src/daemon/channels/records/channel-record.ts'
import type { Store } from '../../../../src/store/store.ts'
import { settle } from '../../../support/channel-daemon.ts'
import { LINK_APP } from '../../../../src/core/encoding/app-name.ts'
import type { Word } from '../../../../src/link/word.ts'
import { tellSettings } from '../../../support/changed-device.ts'
import { codeOf } from '../../../support/code-of.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { LinkDaemon, quiet } from '../../../support/link-daemon.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'
import { siblings } from '../../../support/rotation.ts'

const [SHOP, TALK] = ['org.example.shop', 'org.example.talk']
const KIM = 'AB'.repeat(32)
const DAY_MS = 86_400_000

interface Story {
  readonly post: MemoryPost
  laptop: LinkDaemon
  phone: LinkDaemon
}

async function begin(): Promise<Story> {
  const post = new MemoryPost()
  const { laptop, phone } = await siblings()
  return { post, laptop: await LinkDaemon.over(laptop, post), phone: await LinkDaemon.over(phone, post) }
}

async function linked(): Promise<Story> {
  const story = await begin()
  const { post, laptop, phone } = story
  const { invite } = await laptop.elsewhere.invite(SHOP, { provide: 'all' })
  await phone.elsewhere.accept(TALK, invite, {})
  await quiet(post, laptop, phone)
  return story
}

/** The next reader of these records has them as they are now, and gets them later: a page that was read before a change. */
function pauseReading(store: Store, kind: string): { readonly begun: Promise<void>; readonly resume: () => void } {
  const iterate = store.iterate.bind(store)
  const [begun, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  store.iterate = async function* (range) {
    const entries = await Array.fromAsync(iterate(range))
    if (range.prefix.startsWith(kind)) {
      store.iterate = iterate
      begun.resolve()
      await resumed.promise
    }
    yield* entries
  }
  return { begun: begun.promise, resume: resumed.resolve }
}

describe('a link between two devices of one persona', () => {
  test('is made by an invite, tells both sides the other app, and goes the way that the settings say', async () => {
    const { laptop, phone } = await linked()
    expect(laptop.shown).toEqual([`${SHOP} > ${TALK}: linked`])
    expect(phone.shown).toEqual([`${TALK} > ${SHOP}: linked`])
    expect(laptop.links.targetsElsewhere(SHOP, KIM)).toMatchObject([{ app: TALK }])
    expect(phone.links.targetsElsewhere(TALK, KIM)).toEqual([])
    expect(phone.links.elsewhere(phone.links.all[0]!.id)).toMatchObject({
      own: TALK,
      other: SHOP,
      receive: { how: 'ask', aDay: 20 },
    })
    // An app of the same name on this device is another one.
    expect(laptop.links.targetsElsewhere(TALK, KIM)).toEqual([])
    for (const { links } of [laptop, phone]) {
      expect(links.targetsOf(SHOP, KIM)).toEqual([])
      expect(links.receiving(SHOP, TALK)).toBeNull()
    }
  })

  test('answers the app that has asked for it, and whoever asks again is given this link', async () => {
    const { post, laptop, phone } = await begin()
    await laptop.links.ask(SHOP, TALK)
    await laptop.links.ask(SHOP, 'org.example.other')
    const { invite } = await laptop.elsewhere.invite(SHOP, {})
    await phone.elsewhere.accept(TALK, invite, {})
    await quiet(post, laptop, phone)
    const shown = [`${SHOP} > org.example.other: asked`, `${SHOP} > ${TALK}: linked`]
    expect(laptop.shown.toSorted()).toEqual(shown)
    expect(await laptop.links.ask(SHOP, TALK)).toMatchObject({ askedBy: null, elsewhere: { heard: 1 } })
    expect(laptop.shown.toSorted()).toEqual(shown)
    // The app of that name on this device has no part in the link, and may ask.
    expect(await laptop.links.ask(TALK, SHOP)).toMatchObject({ askedBy: TALK })
  })

  test('stays if its invite is used while the daemon reads its channels', async () => {
    const { post, laptop, phone } = await begin()
    const { invite } = await laptop.elsewhere.invite(SHOP, {})
    await quiet(post, laptop)
    const reading = pauseReading(laptop.channels.test.store, CHANNEL.name)
    laptop.elsewhere.look()
    await reading.begun
    await phone.elsewhere.accept(TALK, invite, {})
    await settle(post, laptop.channels, phone.channels)
    reading.resume()
    await quiet(post, laptop, phone)
    expect([laptop.shown, phone.shown]).toEqual([[`${SHOP} > ${TALK}: linked`], [`${TALK} > ${SHOP}: linked`]])
  })

  test('tells the other side how its app receives, whenever the owner changes it', async () => {
    const { post, laptop, phone } = await linked()
    const [link] = phone.links.all
    for (const how of ['no', 'ask', 'no'] as const) {
      await phone.links.set(link!.id, { receive: { how, aDay: 20 } })
      phone.elsewhere.look()
      await quiet(post, laptop, phone)
      expect(laptop.links.targetsElsewhere(SHOP, KIM)).toHaveLength(how === 'no' ? 0 : 1)
    }
  })

  test('stays one with the app that the owner has linked, whatever the other device says later', async () => {
    const { post, laptop, phone } = await linked()
    await tellSettings(phone, { app: 'org.example.other', count: 9 })
    await quiet(post, laptop, phone)
    expect(laptop.shown).toEqual([`${SHOP} > ${TALK}: linked`])
    expect(laptop.links.targetsElsewhere(SHOP, KIM)).toMatchObject([{ app: TALK }])
    await tellSettings(phone, { app: TALK, count: 9, receive: 'no' })
    await quiet(post, laptop, phone)
    expect(laptop.links.targetsElsewhere(SHOP, KIM)).toEqual([])
  })

  test('carries words of the daemons in their order, also over a restart', async () => {
    const { post, laptop, phone } = await linked()
    const [link] = laptop.links.all
    const word = (n: number): Word => ({
      kind: 'contact',
      persona: KIM,
      device: KIM,
      channel: 'one',
      name: 'Kim',
      isProvided: true,
      n,
    })
    let notes = 0
    phone.elsewhere.onWords = null
    for (const n of [1, 2, 3]) await laptop.elsewhere.send(link!.id, word(n), () => void notes++)
    expect(notes).toBe(3)
    await quiet(post, laptop, phone)
    const after = await phone.restarted()
    const heard: Word[] = []
    after.elsewhere.onWords = (_, words) => Promise.resolve(void heard.push(...words))
    after.elsewhere.look()
    await quiet(post, laptop, after)
    expect(heard.slice(-3)).toEqual([1, 2, 3].map(word))
    expect(await laptop.elsewhere.send('0'.repeat(32), word(4), () => void notes++)).toBe(false)
    expect(notes).toBe(3)
  })

  test('takes its words also where those of another link fail', async () => {
    const { post, laptop, phone } = await linked()
    const { invite } = await laptop.elsewhere.invite('org.example.other', { provide: 'all' })
    await phone.elsewhere.accept(TALK, invite, {})
    await quiet(post, laptop, phone)
    phone.elsewhere.onWords = null
    const word: Word = { kind: 'heard', persona: KIM, device: KIM, text: new Uint8Array([1]) }
    for (const { id } of laptop.links.all) await laptop.elsewhere.send(id, word, () => {})
    await quiet(post, laptop, phone)
    const heard: string[] = []
    phone.elsewhere.onWords = async (link) => {
      heard.push(link)
      return await Promise.reject(new Error('no room'))
    }
    phone.elsewhere.look()
    await phone.idle()
    expect(heard.toSorted()).toEqual(phone.links.all.map(({ id }) => id).toSorted())
  })

  test('is no channel of an app: nobody lists, reads or closes it, the owner neither', async () => {
    const { laptop } = await linked()
    const { channels } = laptop
    const { id } = channels.test.told('channel.changed').find(({ app }) => app === LINK_APP)!
    expect(await channels.call('channel.list', {})).toMatchObject({ channels: [], invites: [] })
    for (const call of [
      () => channels.call('channel.show', { id }),
      () => channels.call('channel.read', { id, after: 0 }),
      () => channels.call('channel.send', { id, text: 'x' }),
      () => channels.call('channel.close', { id }),
    ])
      expect(await codeOf(call())).toBe('CHANNEL_UNKNOWN')
    expect(await codeOf(channels.call('channel.list', { app: LINK_APP }))).toBe('CHANNEL_APP')
    expect(await codeOf(channels.call('channel.invite', { app: LINK_APP }))).toBe('CHANNEL_APP')
  })

  test('ends at the other side too, also when that one was off for a week', async () => {
    const { post, laptop, phone } = await linked()
    await phone.channels.runner.close()
    await laptop.links.unlink(laptop.links.all[0]!.id)
    laptop.elsewhere.look()
    await quiet(post, laptop)
    for (let day = 0; day < 7; day++) {
      laptop.channels.later(DAY_MS)
      await quiet(post, laptop)
    }
    const after = await phone.restarted()
    after.channels.later(7 * DAY_MS)
    await quiet(post, laptop, after)
    expect([laptop.shown, after.shown]).toEqual([[], []])
    expect(after.channels.test.told('app.unlinked')).toMatchObject([{ app: TALK, other: SHOP }])
  })

  test('ends with the persona, and with an invite that nobody has used', async () => {
    const { post, laptop, phone } = await begin()
    await laptop.elsewhere.invite(SHOP, {})
    expect(laptop.shown).toEqual([`${SHOP} > : invited`])
    laptop.channels.later(8 * DAY_MS)
    await quiet(post, laptop, phone)
    expect(laptop.shown).toEqual([])
  })
})

describe('an invite of a link', () => {
  test('is worth nothing to another persona, and the owner hears of it', async () => {
    const { post, laptop, phone } = await begin()
    const thief = await LinkDaemon.over(await TestKeeper.withPersona(), post)
    const { invite } = await laptop.elsewhere.invite(SHOP, {})
    expect(await codeOf(thief.elsewhere.accept(TALK, invite, {}))).toBe('LINK_INVITE_FOREIGN')
    // A hostile daemon does not ask.
    await joinAnyway(thief, invite)
    await quiet(post, laptop, phone, thief)
    expect(laptop.alarms).toEqual(['LINK_TAKEN'])
    expect(laptop.shown).toEqual([])
    expect(thief.channels.test.told('channel.changed').map(({ state }) => state)).not.toContain('open')
    // It is over for the own persona too.
    await phone.elsewhere.accept(TALK, invite, {})
    await quiet(post, laptop, phone, thief)
    expect(laptop.shown).toEqual([])
    expect(phone.shown).toEqual([`${TALK} > : invited`])
  })

  test('is worth nothing to somebody without a persona', async () => {
    const { post, laptop } = await begin()
    const thief = await LinkDaemon.over(await TestKeeper.open(), post)
    const { invite } = await laptop.elsewhere.invite(SHOP, {})
    await joinAnyway(thief, invite)
    await quiet(post, laptop, thief)
    expect(laptop.alarms).toEqual(['LINK_TAKEN'])
    expect(laptop.shown).toEqual([])
  })

  test('has neither the name of an app nor a setting', async () => {
    const { laptop } = await begin()
    const { invite } = await laptop.elsewhere.invite(SHOP, { provide: 'all' })
    const text = `${invite} ${Buffer.from(invite.replace(/^[^:]*:/, ''), 'base64url').toString('latin1')}`
    expect(text).not.toContain(SHOP)
    expect(text).toContain(LINK_APP)
  })

  test('joins no device with itself', async () => {
    const { laptop } = await begin()
    const { invite } = await laptop.elsewhere.invite(SHOP, {})
    expect(await codeOf(laptop.elsewhere.accept(TALK, invite, {}))).toBe('LINK_INVITE_OWN')
    expect(laptop.shown).toEqual([`${SHOP} > : invited`])
  })

  test('of an app leads to no link', async () => {
    const { laptop, phone } = await begin()
    const { invite } = await laptop.channels.call('channel.invite', {})
    expect(await codeOf(phone.elsewhere.accept(TALK, invite, {}))).toBe('LINK_INVITE_FOREIGN')
    expect(phone.shown).toEqual([])
  })
})

/** Uses an invite as a changed daemon would: without any question. */
async function joinAnyway({ channels }: LinkDaemon, invite: string): Promise<void> {
  const { joins } = await channels.runner.work()
  await joins.begin(LINK_APP, { invite, name: 'taken' })
}
