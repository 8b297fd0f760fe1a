import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Contact, ContactPage } from '../../src/ipc/shapes/contact.ts'
import type { ImportedContact } from '../../src/ipc/shapes/cards.ts'
import { deviceKey, person } from '../support/person.ts'
import { Home } from '../support/persona.ts'

const bob = person('bob')

async function withBob(): Promise<Home> {
  const home = new Home()
  await home.start()
  await home.done(['contact', 'add', bob.link(), '--name', 'Bob'])
  await home.done(['observe', bob.table(['phone', 'laptop'], { after: null }).text(), '--from', bob.key('phone')])
  return home
}

async function names(home: Home, ...options: string[]): Promise<string[]> {
  return ((await home.json(['contact', 'list', ...options])) as ContactPage).contacts.map(({ name }) => name)
}

test('a contact is renamed, blocked, unblocked and forgotten', async () => {
  const home = await withBob()
  expect(await home.done(['contact', 'rename', 'Bob', 'Robert'])).toContain('renamed Bob to Robert')
  expect(await home.done(['contact', 'block', 'Robert'])).toContain('blocked Robert')
  expect([await names(home), await names(home, '--blocked')]).toEqual([[], ['Robert']])
  expect(await home.done(['contact', 'list', '--blocked'])).toMatch(/^Robert \S+ +blocked /m)
  expect(await home.done(['contact', 'show', 'Robert'])).toContain('state:       blocked')
  // Completion offers blocked contacts too, since they can be unblocked.
  for (const prefix of ['', 'Rob'])
    expect(await home.done(['completion', 'names', 'contacts', '--', prefix])).toBe('Robert\n')
  await home.done(['contact', 'unblock', 'Robert'])
  expect(((await home.json(['contact', 'show', 'Robert'])) as Contact).active).toBe(bob.key('phone'))
  expect(await home.done(['contact', 'forget', 'Robert'])).toContain('keeps their chain of keys')
  expect(await names(home, '--blocked')).toEqual([])
  expect(await home.failure(['contact', 'forget', 'Robert'])).toBe('1 NOT_FOUND')
  const log = await home.done(['log'])
  for (const line of ['is now called', 'blocked', ': forgotten']) expect(log).toContain(line)
})

test('a split device becomes a contact of its own', async () => {
  const home = await withBob()
  await home.done(['observe', bob.table(['laptop']).text(), '--from', bob.key('phone')])
  const split = await home.done(['contact', 'split', 'Bob', 'phone', '--name', 'Found phone'])
  expect(split).toContain('no longer belongs to Bob; it is now the contact Found phone')
  expect((await names(home)).toSorted()).toEqual(['Bob', 'Found phone'])
})

test('two Tox accounts of a person without a persona are joined and split', async () => {
  const home = new Home()
  await home.start()
  for (const name of ['Bob', 'Bobby']) await home.done(['observe', 'hi', '--from', deviceKey(name), '--name', name])
  const joined = await home.done(['contact', 'join', 'Bob', 'Bobby'])
  expect(joined).toMatch(/^Bob \S+ and Bobby are one contact now, with 2 Tox accounts$/m)
  expect(await names(home, '--all')).toEqual(['Bob'])
  expect(await home.done(['contact', 'show', 'Bobby'])).toContain('also called: Bobby')
  expect(await home.done(['log'])).toContain('joined with Bobby')
  await home.done(['contact', 'split', 'Bob', 'Bobby'])
  expect(await names(home, '--all')).toEqual(['Bob', 'Bobby'])
  expect(await home.failure(['contact', 'join', 'Bob', 'Bob'])).toBe('1 ALREADY_JOINED')
})

test('an exported list of contacts is imported by another daemon', async () => {
  const home = await withBob()
  await home.done(['contact', 'verify', 'Bob', '--number', bob.safetyNumber])
  const file = join(home.directory, 'contacts.jsonl')
  expect(await home.done(['contact', 'export', file])).toContain('wrote 1 contact')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await home.failure(['contact', 'export', file])).toBe('1 FILE_EXISTS')
  expect(await home.done(['contact', 'export'])).toBe(readFileSync(file, 'utf8'))
  const other = new Home()
  await other.start()
  const imported = await other.run(['contact', 'import', file])
  expect([imported.status, imported.stdout]).toEqual([0, '1 contact added, 0 already known, 0 refused\n'])
  expect(imported.stderr).toContain('--trust-verified')
  expect(((await other.json(['contact', 'show', 'Bob'])) as Contact).verifiedAtSec).toBeNull()
  await other.done(['contact', 'import', file, '--trust-verified'])
  expect(((await other.json(['contact', 'show', 'Bob'])) as Contact).verifiedAtSec).not.toBeNull()
  await other.done(['contact', 'forget', 'Bob'])
  const refused = await other.run(['contact', 'import', '-', '--json'], { stdin: readFileSync(file) })
  const again = await other.run(['contact', 'import', file])
  expect(again.stderr).toContain('--again')
  const { results } = JSON.parse(refused.stdout) as { results: ImportedContact[] }
  expect([refused.status, results[0]!.code]).toEqual([1, 'CONTACT_FORGOTTEN'])
  await other.done(['contact', 'import', file, '--again'])
  expect(await names(other)).toEqual(['Bob'])
})

test('a file that is not a valid list of contacts is refused whole', async () => {
  const home = await withBob()
  const good = await home.done(['contact', 'export'])
  const [header, card] = good.split('\n') as [string, string]
  const file = join(home.directory, 'list')
  let ran = 0
  for (const text of [
    '',
    card,
    `${header}\n{`,
    `${header}\n${card}\n${card.replace('"auto"', '"whatever"')}`,
    `${header}\n${card.replace('{', '{"extra":1,')}`,
    header.replace('1', '2'),
    Buffer.from(good.replace('Bob', '\xFF'), 'latin1'),
  ]) {
    writeFileSync(file, text)
    expect(await home.failure(['contact', 'import', file]), String(text)).toBe('1 CONTACTS_FILE')
    ran++
  }
  expect(ran).toBe(7)
  expect(await home.failure(['contact', 'import', join(home.directory, 'none')])).toBe('1 CONTACTS_FILE')
  expect(existsSync(join(home.directory, 'none'))).toBe(false)
})
