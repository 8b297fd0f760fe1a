/** `persona app inbox` and `app store` against a real daemon. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/ipc/client.ts'
import { deviceKey } from '../support/person.ts'
import { Home } from '../support/persona.ts'
import { tempDir } from '../support/temp-dir.ts'
import { SCRIPT, Typist } from '../support/typist.ts'

const ONE = 'https://one.example/'
const TWO = 'https://two.example/'

test('the owner names inboxes and stores of an app, sees them, and takes them back', async () => {
  const home = new Home()
  mkdirSync(join(home.directory, 'config'), { mode: 0o700 })
  writeFileSync(join(home.directory, 'config', 'personad.yaml'), `net: {folders: [${tempDir()}]}\n`, { mode: 0o600 })
  await home.start()
  await home.done(['init', '--device', 'laptop', '--key', deviceKey('laptop')])
  expect(await home.failure(['app', 'inbox', 'chat'])).toBe('1 CARD_NONE')
  expect(await home.failure(['app', 'inbox', 'chat', ONE])).toBe('1 CARD_NONE')
  // The invite shows the persona in the app, so there is a card from now on.
  await home.done(['channel', 'invite'])

  expect(await home.done(['app', 'inbox', 'chat'])).toContain('nobody can leave messages for chat')
  expect(await home.json(['app', 'inbox', 'chat', ONE, TWO])).toMatchObject({ app: 'chat', inboxes: [ONE, TWO] })
  expect(await home.done(['app', 'inbox', 'chat'])).toBe(`others leave messages for chat at ${ONE}, ${TWO}\n`)
  expect(await home.done(['app', 'store', 'chat', TWO.slice(0, -1)])).toContain(TWO)
  expect(await home.json(['app', 'store', 'chat'])).toMatchObject({ stores: [TWO], inboxes: [ONE, TWO] })
  expect(await home.done(['app', 'cards'])).toMatch(/INBOXES\n.* https:\/\/one\.example\/ https:\/\/two\.example\/\n/)

  expect(await home.failure(['app', 'inbox', 'chat', ONE, '--none'])).toBe('2 USAGE')
  expect(await home.failure(['app', 'store', 'chat', 'one.example'])).toBe('1 BAD_PARAMS')
  expect(await home.json(['app', 'inbox', 'chat', '--none'])).toMatchObject({ inboxes: [], stores: [TWO] })
  expect(await home.json(['app', 'store', 'chat', '--none'])).toMatchObject({ inboxes: [], stores: [] })
})

const NOTES = 'org.example.notes'
const THREE = 'https://three.example/'
const canType = existsSync(SCRIPT)

test(`an app proposes relays: the owner types what \`persona pending\` shows, and each answer says what is so now${canType ? '' : ` (skipped: no ${SCRIPT})`}`, async () => {
  const home = new Home()
  await home.start()
  await home.done(['init', '--device', 'laptop', '--key', deviceKey('laptop')])
  const { token } = (await home.json(['app', 'allow', 'notes', '--can', 'message', '--as', NOTES])) as { token: string }
  const app = await connect({ socketPath: join(home.directory, 'run', 'app.sock') })
  onTestFinished(async () => await app.close())
  await app.call('app.hello', { token })
  const answers = async (): Promise<string[][]> =>
    [...(await home.done(['pending'])).matchAll(/^ {2}to \w+: persona (.*)$/gm)].map(([, words]) =>
      words!.split(' ').map((word) => word.replaceAll("'", '')),
    )

  await app.call('message.propose', { inboxes: [ONE], stores: [TWO] })
  const [inbox, store, reject] = await answers()
  expect(await home.done(inbox!)).toBe(`others leave messages for ${NOTES} at ${ONE}\n`)
  expect(await answers()).toEqual([store, reject])
  expect(await home.done(reject!)).toContain(`${NOTES}: rejected, nothing has changed; you are not asked`)
  expect(await home.done(['pending'])).toBe('nothing needs your decision\n')
  expect(await home.failure(reject!)).toBe('1 NOTHING_PENDING')
  expect(await home.failure(['accept', ...reject!.slice(1)])).toBe('1 NOTHING_PENDING')
  expect(await home.json(['app', 'store', NOTES])).toMatchObject({ inboxes: [ONE], stores: [] })

  await app.call('message.propose', { inboxes: [TWO], stores: [THREE] })
  const accept = ['accept', NOTES, '--kind', 'places']
  const { status, stderr } = await home.run(accept)
  expect([status, stderr]).toEqual([
    2,
    expect.stringMatching(`persona app inbox ${NOTES} .*${TWO}.*; persona app store ${NOTES} .*${THREE}`),
  ])
  if (canType) {
    const refused = new Typist(home, accept)
    expect(await refused.until('[y/N]')).toContain(`proposes where others leave messages for it: ${TWO}`)
    refused.type('n\r')
    expect(await refused.end()).toBe(1)
    const typist = new Typist(home, accept)
    await typist.until('[y/N]')
    typist.type('y\r')
    await typist.until(`lie at ${THREE}`)
    expect(await typist.end()).toBe(0)
    expect(await home.json(['app', 'store', NOTES])).toMatchObject({ inboxes: [TWO], stores: [THREE] })
    expect(await home.done(['pending'])).toBe('nothing needs your decision\n')
  }
})
