import { describe, expect, test } from 'vitest'
import type { Client } from '../../../../src/ipc/client.ts'
import type { DaemonEvent } from '../../../../src/ipc/methods/events.ts'
import { codeOf } from '../../../support/code-of.ts'
import { InnerDaemon } from '../../../support/inner-daemon.ts'
import { deviceKey } from '../../../support/person.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const [SHOP, TALK] = ['org.example.shop', 'org.example.talk']

interface House {
  readonly home: string
  readonly inner: InnerDaemon
  readonly owner: Client
  readonly shop: Client
  readonly talk: Client
}

async function begin(): Promise<House> {
  const home = tempDir()
  const inner = await InnerDaemon.start(home)
  const owner = await inner.connect()
  await owner.call('persona.init', { device: { name: 'desk', key: deviceKey('desk') } })
  return { home, inner, owner, shop: await app(inner, owner, SHOP), talk: await app(inner, owner, TALK) }
}

async function app(inner: InnerDaemon, owner: Client, name: string, can = ['propose']): Promise<Client> {
  const { token } = await owner.call('app.allow', { name, can })
  const client = await inner.connect('app')
  await client.call('app.hello', { token })
  return client
}

async function heard(client: Client, work: () => Promise<unknown>): Promise<string[]> {
  const events: string[] = []
  await client.subscribe(['app.linked', 'app.unlinked'], (event) => {
    if (event.event === 'lagged') return
    const { app: name, other, ...rest } = (event as Extract<DaemonEvent, { event: 'app.linked' }>).data
    events.push([event.event, name, other, rest.state].filter(Boolean).join(' '))
  })
  await work()
  await client.call('app.links', {})
  return events
}

describe('a link', () => {
  test('joins two apps at once when the owner says so, and shows each app its own side alone', async () => {
    const { owner, shop, talk } = await begin()
    const made = await owner.call('app.link', { app: SHOP, other: TALK, provide: 'all' })
    expect(made).toMatchObject({
      app: SHOP,
      other: TALK,
      elsewhere: false,
      state: 'linked',
      settings: { provide: 'all', receive: { how: 'ask' } },
      otherSettings: { provide: 'none', receive: { how: 'ask' } },
    })
    expect((await talk.call('app.links', {})).links).toEqual([
      expect.objectContaining({
        id: made.id,
        app: TALK,
        other: SHOP,
        settings: { provide: 'none', contacts: [], receive: { how: 'ask', aDay: 20 } },
        otherSettings: null,
      }),
    ])
    expect((await shop.call('app.links', {})).links[0]?.settings.provide).toBe('all')
    expect((await owner.call('status')).links).toEqual({ linked: 1, invited: 0, asked: 0, paused: 0, proposals: 0 })
  })

  test('waits for the owner when an app asks for it, and the other app hears nothing of that', async () => {
    const { owner, shop, talk } = await begin()
    const other = heard(talk, async () => await shop.call('app.link', { other: TALK }))
    expect(await other).toEqual([])
    expect((await shop.call('app.links', {})).links).toMatchObject([{ app: SHOP, state: 'asked', askedBy: SHOP }])
    expect((await talk.call('app.links', {})).links).toEqual([])
    // Its own wish is another request, so it does not find out.
    expect(await talk.call('app.link', { other: SHOP })).toMatchObject({ state: 'asked', askedBy: TALK })
    const { findings } = await owner.call('status')
    expect(findings.filter(({ code }) => code === 'APP_LINK_ASKED')).toHaveLength(2)
    expect(await heard(talk, async () => await owner.call('app.link', { app: SHOP, other: TALK }))).toEqual([
      `app.unlinked ${TALK} ${SHOP}`,
      `app.linked ${TALK} ${SHOP} linked`,
    ])
    expect((await owner.call('app.links', {})).links).toMatchObject([{ state: 'linked', askedBy: null }])
  })

  test('cannot be found out by a request: an app that is not here is asked for like any other', async () => {
    const { shop, owner } = await begin()
    expect(await shop.call('app.link', { other: 'org.example.none' })).toMatchObject({ state: 'asked' })
    await expect(owner.call('app.link', { app: SHOP, other: 'org.example.none' })).rejects.toMatchObject({
      code: 'APP_LINK_NO_RIGHT',
    })
    for (const name of ['a', 'b', 'c']) await shop.call('app.link', { other: name })
    expect(await codeOf(shop.call('app.link', { other: 'd' }))).toBe('APP_LINKS_FULL')
  })

  test('has the settings of the owner alone', async () => {
    const { shop, owner } = await begin()
    const wish = { other: TALK, receive: { how: 'self' as const } }
    expect(await codeOf(shop.call('app.link', wish))).toBe('APP_LINK_OWNER')
    await owner.call('app.link', { app: SHOP, other: TALK })
    const changed = await owner.call('app.link', { app: TALK, other: SHOP, receive: { how: 'self', aDay: 3 } })
    expect(changed.settings).toEqual({ provide: 'none', contacts: [], receive: { how: 'self', aDay: 3 } })
    expect(
      await codeOf(owner.call('app.link', { app: SHOP, other: TALK, provide: 'named', contacts: ['nobody'] })),
    ).toBe('NOT_FOUND')
    expect(await codeOf(owner.call('app.link', { app: SHOP, other: SHOP }))).toBe('APP_LINK_ITSELF')
  })

  test('shows nothing to an app that may not propose, and lets no app speak for another', async () => {
    const { inner, owner, shop } = await begin()
    const { id } = await owner.call('app.link', { app: SHOP, other: TALK })
    const reader = await app(inner, owner, 'org.example.reader', ['read', 'channel', 'message'])
    const codes = await Promise.all([
      codeOf(reader.call('app.links', {})),
      codeOf(reader.call('app.link', { other: SHOP })),
      codeOf(reader.call('app.unlink', { id })),
    ])
    expect(codes).toEqual(Array(3).fill('PERMISSION_DENIED'))
    expect(await codeOf(shop.call('app.link', { app: TALK, other: SHOP }))).toBe('APP_LINK_CALLER')
    const third = await app(inner, owner, 'org.example.third')
    expect(await codeOf(third.call('app.unlink', { id }))).toBe('APP_LINK_UNKNOWN')
    expect(await third.call('app.links', {})).toEqual({ links: [], linkable: [] })
  })

  test('ends by either app or the owner, and both apps hear of it', async () => {
    const { owner, shop, talk } = await begin()
    const { id } = await owner.call('app.link', { app: SHOP, other: TALK })
    expect(await heard(talk, async () => await shop.call('app.unlink', { id }))).toEqual([
      `app.unlinked ${TALK} ${SHOP}`,
    ])
    expect((await owner.call('app.links', {})).links).toEqual([])
  })

  test('stands still while one of its apps may not propose', async () => {
    const { owner, shop } = await begin()
    await owner.call('app.link', { app: SHOP, other: TALK })
    await owner.call('app.revoke', { name: TALK })
    expect((await shop.call('app.links', {})).links).toMatchObject([{ state: 'paused' }])
    const { findings } = await owner.call('doctor')
    expect(findings).toContainEqual(expect.objectContaining({ code: 'APP_LINK_PAUSED' }))
    // The name waits for the owner, so no other app gets the link by its name.
    expect(await codeOf(owner.call('app.allow', { name: TALK, can: ['propose'] }))).toBe('APP_NAME_TAKEN')
  })

  test('outlasts a restart, and ends with the persona', async () => {
    const { home, inner, owner } = await begin()
    await owner.call('app.link', { app: SHOP, other: TALK })
    await inner.stop()
    const again = await InnerDaemon.start(home)
    const next = await again.connect()
    expect((await next.call('app.links', {})).links).toMatchObject([{ app: SHOP, other: TALK, state: 'linked' }])
    const { words } = await next.call('recovery.show')
    const chosen = [1, 2, 3].map((position) => ({ position, word: words[position - 1]! }))
    await next.call('recovery.confirm', { words: chosen })
    await next.call('persona.leave')
    expect((await next.call('app.links', {})).links).toEqual([])
  })
})
