import { expect, test } from 'vitest'
import type { AddedContact, OwnLink, SafetyNumbers } from '../../src/ipc/shapes/links.ts'
import type { Contact } from '../../src/ipc/shapes/contact.ts'
import { person } from '../support/person.ts'
import { Home } from '../support/persona.ts'

const bob = person('bob')

/** A home with a daemon and a persona. */
async function alice(): Promise<Home> {
  const home = new Home()
  await home.start()
  await home.done(['init'])
  return home
}

test('a link is printed alone without a terminal, added by a friend, and refused by its owner', async () => {
  const home = await alice()
  const link = (await home.done(['link'])).trim()
  expect(link).toMatch(/^personad:[a-z2-7]{112}$/)
  const own = (await home.json(['link'])) as OwnLink
  expect(own.link).toBe(link)
  expect(await home.failure(['contact', 'add', link])).toBe('1 CONTACT_IS_OWN')
  const friend = new Home()
  await friend.start()
  const added = (await friend.json(['contact', 'add', '-', '--name', 'Alice'], { stdin: `${link}\n` })) as AddedContact
  expect(added).toMatchObject({ outcome: 'added', contact: { name: 'Alice', personaId: own.personaId } })
  expect(await friend.done(['contact', 'add', link])).toContain('is already a contact')
  expect(await friend.done(['contact', 'show', 'Alice'])).toContain('table:       none seen yet')
  const show = await friend.run(['contact', 'verify', 'Alice'])
  expect([show.status, show.stdout.includes(own.safetyNumber.slice(0, 5))]).toEqual([0, true])
  expect(show.stdout).toContain('compare all digits with the other screen')
  const number = own.safetyNumber.match(/.{5}/g)!.join(' ')
  const verified = (await friend.json(['contact', 'verify', 'Alice', '--number', '-'], {
    stdin: number,
  })) as SafetyNumbers
  expect(verified.verifiedAtSec).not.toBeNull()
  const scanned = await friend.done(['contact', 'verify', 'Alice', '--link', link])
  expect(scanned).toContain('verified Alice')
  expect(scanned).not.toContain('compare')
  const foreign = await friend.run(['contact', 'verify', 'Alice', '--link', bob.link()])
  expect(foreign.stderr).toContain('either it is not the link on their screen, or')
})

test('the first table of a contact from a link is reported as the first table seen', async () => {
  const home = await alice()
  await home.done(['contact', 'add', bob.link(), '--name', 'Bob'])
  const told = await home.done(['observe', bob.table(['laptop']).text(), '--from', bob.key('laptop')])
  expect(told).toContain('the first table seen of this persona')
})

test('a wrong safety number exits with 1 and explains the possible reasons; a partial number is refused', async () => {
  const home = await alice()
  await home.done(['contact', 'add', bob.link(), '--name', 'Bob'])
  const wrong = await home.run(['contact', 'verify', 'Bob', '--number', '0'.repeat(60)])
  expect(wrong.status).toBe(1)
  expect(wrong.stderr).toContain('this is not the safety number of Bob; either a digit is wrong, or')
  expect(wrong.stderr).toContain('persona contact add LINK')
  expect(((await home.json(['contact', 'show', 'Bob'])) as Contact).verifiedAtSec).toBeNull()
  expect(await home.failure(['contact', 'verify', 'Bob', '--number', '12345'])).toBe('1 NUMBER_WRONG')
  expect(await home.failure(['contact', 'verify', 'Bob', '--number', '1', '--link', 'x'])).toBe('2 USAGE')
})

test('a link with another chain needs --repin if there is no terminal to ask', async () => {
  const home = await alice()
  await home.done(['contact', 'add', bob.thief().link(), '--name', 'Bob'])
  const refused = await home.run(['contact', 'add', bob.link()])
  expect([refused.status, refused.stderr.includes('--repin')]).toEqual([1, true])
  const taken = (await home.json(['contact', 'add', bob.link(), '--repin'])) as AddedContact
  expect(taken.outcome).toBe('repinned')
  const { safetyNumber } = (await home.json(['contact', 'verify', 'Bob'])) as SafetyNumbers
  expect(safetyNumber).toBe(bob.safetyNumber)
})

test('a mistyped link is refused with its own error code', async () => {
  const home = await alice()
  const link = bob.link()
  const slip = link.slice(0, 50) + (link[50] === 'a' ? 'b' : 'a') + link.slice(51)
  expect(await home.failure(['contact', 'add', slip])).toBe('1 LINK_DAMAGED')
  expect((await home.run(['contact', 'add', 'persona:x'])).stderr).toContain('(LINK_UNKNOWN)')
})
