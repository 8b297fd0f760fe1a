import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Contact } from '../../src/ipc/shapes/contact.ts'
import { BOB, putProfiles } from '../support/people.ts'
import { Home } from '../support/persona.ts'
import { person } from '../support/person.ts'

test('a pending change is shown with all its effects, and only the table that the owner saw is accepted', async () => {
  const bob = person('bob of pending')
  const home = new Home()
  await home.start()
  const shows = async (device: string, devices: readonly string[]): Promise<string> => {
    const table = bob.table(devices)
    await home.done(['observe', table.text(), '--from', bob.key(device), '--name', 'Bob'])
    return table.hash
  }
  await shows('phone', ['phone'])
  await home.done(['contact', 'policy', 'Bob', 'ask'])
  const looked = await shows('phone', ['phone', 'laptop'])
  const list = await home.done(['pending'])
  expect(list).toContain('lists a new device, laptop')
  expect(list).toContain(`persona accept Bob --table ${looked.slice(0, 8)}`)
  putProfiles(home.directory)
  const scan = await home.run(['tox', 'scan', join(home.directory, BOB)])
  expect(scan.stderr).toContain('needs your decision: persona pending')
  // Another table arrives before the owner answers.
  const later = await shows('phone', ['phone', 'thief'])
  expect(await home.failure(['accept', 'Bob', '--table', looked.slice(0, 8)])).toBe('1 PENDING_CHANGED')
  expect(await home.failure(['accept', 'Bob'])).toBe('2 USAGE')
  for (const digits of ['', later[0]!, later.slice(0, 7), `${later}0`])
    expect(await home.failure(['accept', 'Bob', '--table', digits])).toBe('2 USAGE')
  expect(((await home.json(['contact', 'show', 'Bob'])) as Contact).claims).toEqual([])
  expect(await home.done(['accept', 'Bob', '--table', later.slice(0, 8)])).toContain('Bob')
  expect(((await home.json(['contact', 'show', 'Bob'])) as Contact).claims).toMatchObject([{ name: 'thief' }])
  expect(await home.done(['pending'])).toContain('nothing needs your decision')
  expect((await home.run(['tox', 'scan', join(home.directory, BOB)])).stderr).not.toContain('persona pending')
  await shows('phone', ['phone'])
  expect(await home.failure(['reject', 'Bob'])).toBe('1 NOTHING_PENDING')
})
