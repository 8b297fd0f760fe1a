/** `persona app inbox` and `app store` against a real daemon. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { deviceKey } from '../support/person.ts'
import { Home } from '../support/persona.ts'
import { tempDir } from '../support/temp-dir.ts'

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
