/** Links between apps by the real programs: on one computer by one command, and between two computers of one persona by an invite. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { OWN_LAPTOP, OWN_PHONE } from '../support/keeper.ts'
import { Home } from '../support/persona.ts'
import { Talker } from '../support/talker.ts'
import { tempDir } from '../support/temp-dir.ts'

const [SHOP, TALK] = ['org.example.shop', 'org.example.talk']

async function homeAt(folder: string): Promise<Home> {
  const home = new Home()
  mkdirSync(join(home.directory, 'config'), { recursive: true, mode: 0o700 })
  // YAML reads JSON.
  const config = `net: ${JSON.stringify({ folders: [folder] })}\n`
  writeFileSync(join(home.directory, 'config', 'personad.yaml'), config, { mode: 0o600 })
  await home.start()
  for (const name of [SHOP, TALK]) await home.done(['app', 'allow', name, '--can', 'propose'])
  return home
}

/** Brings the persona from one computer to the other. */
async function pair(old: Home, fresh: Home): Promise<void> {
  const pairing = new Talker(old, ['pair', '--json'])
  const { words, addresses } = await pairing.json<{ words: string[]; addresses: string[] }>()
  const at = `127.0.0.1:${/:(\d+)$/.exec(addresses[0]!)![1]}`
  const joining = new Talker(fresh, ['join', ...words, '--at', at, '--device', 'phone', '--key', OWN_PHONE, '--json'])
  const [here, there] = await Promise.all([
    pairing.json<{ compare: string[] }>(),
    joining.json<{ compare: string[] }>(),
  ])
  pairing.type(there.compare.join(' '))
  joining.type(here.compare.join(' '))
  expect(await Promise.all([pairing.ended, joining.ended])).toEqual([0, 0])
}

async function linksOf(home: Home): Promise<string> {
  return (await home.run(['app', 'links'])).stdout
}

test('apps are linked on one computer, and on two of one persona until one of these is taken out, and nobody else uses the invite', async () => {
  const folder = join(tempDir(), 'shared')
  mkdirSync(folder)
  const [laptop, phone, stranger] = [await homeAt(folder), await homeAt(folder), await homeAt(folder)]
  await laptop.done(['init', '--device', 'laptop', '--key', OWN_LAPTOP])
  await stranger.done(['init', '--device', 'phone', '--key', OWN_PHONE])
  await laptop.done(['app', 'link', SHOP, TALK, '--provide', 'all'])
  await laptop.done(['app', 'link', TALK, SHOP, '--receive', 'self', '--a-day', '5'])
  expect(await linksOf(laptop)).toContain(
    `${TALK} provides nobody, and takes those of the other one by itself, at most 5 a day`,
  )
  await laptop.done(['app', 'unlink', TALK, SHOP])
  expect(await linksOf(laptop)).toBe('no apps are linked\n')

  // Before the pairing, so that the phone gets the table with the key for reading: nothing brings tables from one to the other here.
  const invite = (await laptop.run(['app', 'link', SHOP, '--invite', '--provide', 'all'])).stdout.trim()
  await pair(laptop, phone)
  expect(await stranger.failure(['app', 'link', TALK, '--accept', invite])).toBe('1 LINK_INVITE_FOREIGN')
  expect(await phone.done(['app', 'link', TALK, '--accept', invite])).toContain(
    `${TALK} is linked as soon as your device that made the invite has answered\n`,
  )
  await expect
    .poll(async () => await linksOf(phone), { timeout: 20_000 })
    .toContain(`${TALK} is linked with ${SHOP} on another device of yours`)
  await expect.poll(async () => await linksOf(laptop), { timeout: 20_000 }).toContain(`${SHOP} is linked with ${TALK}`)
  expect((await laptop.run(['channel', 'list'])).stdout).toContain('no channels')
  await phone.done(['app', 'unlink', TALK, SHOP])
  await expect.poll(async () => await linksOf(laptop), { timeout: 20_000 }).toBe('no apps are linked\n')

  const again = (await laptop.run(['app', 'link', SHOP, '--invite', '--provide', 'all'])).stdout.trim()
  await phone.done(['app', 'link', TALK, '--accept', again])
  await expect.poll(async () => await linksOf(laptop), { timeout: 20_000 }).toContain(`${SHOP} is linked with ${TALK}`)
  await laptop.done(['device', 'remove', 'phone', '--retired'])
  for (const home of [laptop, phone])
    await expect.poll(async () => await linksOf(home), { timeout: 20_000 }).toBe('no apps are linked\n')
}, 60_000)
