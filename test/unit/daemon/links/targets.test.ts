import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SEALED_KINDS } from '../../../../src/daemon/links/kinds.ts'
import { WAIT_SEC } from '../../../../src/daemon/links/link.ts'
import { Links } from '../../../../src/daemon/links/links.ts'
import { nameOf, personaNamed, type People } from '../../../../src/daemon/links/people.ts'
import { settingsOf } from '../../../../src/daemon/links/settings.ts'
import { Sealed } from '../../../../src/daemon/sealed/sealed.ts'
import { codeOf } from '../../../support/code-of.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { person } from '../../../support/person.ts'
import { silentLog } from '../../../support/silent-log.ts'

const [SHOP, TALK] = ['org.example.shop', 'org.example.talk']

interface House {
  readonly test: TestKeeper
  readonly links: Links
  readonly sealed: Sealed
  /** The apps that may not propose. */
  readonly barred: Set<string>
}

async function begin(): Promise<House> {
  const test = await TestKeeper.withPersona()
  const { keeper, stateDir } = test
  const paths = { apps: join(stateDir, 'apps') }
  const sealed = await Sealed.open({ keeper, paths, setting: null, log: silentLog, kinds: SEALED_KINDS })
  const barred = new Set<string>()
  const speakers = { mayAs: (name: string) => !barred.has(name), namesWith: () => Promise.resolve([]) }
  return { test, sealed, barred, links: new Links({ keeper, sealed: sealed.records, speakers }) }
}

async function contactNamed(test: TestKeeper, name: string): Promise<string> {
  const somebody = person(name)
  await test.sees(somebody.key('phone'), somebody.table(['phone']), { name })
  return somebody.id
}

function targets(links: Links, from: string, persona: string): string[] {
  return links.targetsOf(from, persona).map(({ app }) => app)
}

describe('a contact', () => {
  test('may be provided to nobody before the owner says so, and never against the link', async () => {
    const { test: keeper, links } = await begin()
    const kim = await contactNamed(keeper, 'Kim of links')
    await links.link(SHOP, TALK, {})
    expect(targets(links, SHOP, kim)).toEqual([])
    await links.link(SHOP, TALK, { provide: 'all' })
    expect(targets(links, SHOP, kim)).toEqual([TALK])
    expect(targets(links, TALK, kim)).toEqual([])
    expect(links.receiving(SHOP, TALK)).toEqual({ how: 'ask', aDay: 20 })
    expect(links.receiving(SHOP, 'org.example.other')).toBeNull()
  })

  test('is provided alone when the owner names them, also under another name', async () => {
    const { test: keeper, links } = await begin()
    const kim = await contactNamed(keeper, 'Kim')
    const leo = await contactNamed(keeper, 'Leo')
    await links.link(
      SHOP,
      TALK,
      await settingsOf({ provide: 'named', contacts: ['Kim'] }, SHOP, { keeper: keeper.keeper, channels: [] }),
    )
    await keeper.call('contact.rename', { contact: kim, name: 'Kim from school' })
    expect(targets(links, SHOP, kim)).toEqual([TALK])
    expect(targets(links, SHOP, leo)).toEqual([])
  })

  test('has a name of an own channel of the app, or of the address book, and the owner is asked which of two', async () => {
    const { test: keeper } = await begin()
    const kim = await contactNamed(keeper, 'Kim')
    const [leo, pat] = [person('Leo of the shop').id, person('Pat of the shop').id]
    const met = (app: string, persona: string, name: string): People['channels'][number] => ({ app, persona, name })
    const people = {
      keeper: keeper.keeper,
      channels: [met(SHOP, leo, 'Leo'), met(SHOP, pat, 'Kim'), met(SHOP, pat, 'Pat'), met(TALK, pat, 'Leo')],
    }
    const named = (name: string, app = SHOP): Promise<string> => personaNamed(name, app, people)
    for (const name of ['Leo', 'leo', leo, leo.toLowerCase()]) expect(await named(name)).toBe(leo)
    expect(await named('Leo', TALK)).toBe(pat)
    expect(await named('Kim', TALK)).toBe(kim)
    expect(await codeOf(named('Kim'))).toBe('AMBIGUOUS')
    expect(await named(kim)).toBe(kim)
    expect(await codeOf(named('Nobody'))).toBe('NOT_FOUND')
    expect(await codeOf(named('Pat', TALK))).toBe('NOT_FOUND')
    expect([nameOf(kim, SHOP, people), nameOf(leo, SHOP, people), nameOf(leo, TALK, people)]).toEqual([
      'Kim',
      'Leo',
      null,
    ])
  })

  test('is not provided while they are blocked', async () => {
    const { test: keeper, links } = await begin()
    const kim = await contactNamed(keeper, 'Kim, blocked')
    await links.link(SHOP, TALK, { provide: 'all' })
    await keeper.call('contact.block', { contact: kim })
    expect(targets(links, SHOP, kim)).toEqual([])
  })

  test('is not provided to an app that takes nobody, or while an app may not propose, or while the owner has not answered', async () => {
    const { test: keeper, links, barred } = await begin()
    const kim = await contactNamed(keeper, 'Kim again')
    await links.ask(SHOP, TALK)
    expect(targets(links, SHOP, kim)).toEqual([])
    await links.link(SHOP, TALK, { provide: 'all' })
    for (const app of [SHOP, TALK]) {
      barred.add(app)
      expect(targets(links, SHOP, kim)).toEqual([])
      expect(links.receiving(SHOP, TALK)).toBeNull()
      barred.delete(app)
    }
    await links.link(TALK, SHOP, { receive: { how: 'no', aDay: 20 } })
    expect(targets(links, SHOP, kim)).toEqual([])
    await links.link(TALK, SHOP, { receive: { how: 'self', aDay: 2 } })
    expect(links.receiving(SHOP, TALK)).toEqual({ how: 'self', aDay: 2 })
  })
})

test('listeners hear of each change of a link, and of none once they have ended', async () => {
  const { links } = await begin()
  let heard = 0
  const end = links.onChange(() => heard++)
  const { id } = await links.link(SHOP, TALK, {})
  await links.link(SHOP, TALK, { provide: 'all' })
  await links.unlink(id)
  expect(heard).toBe(3)
  end()
  await links.link(SHOP, TALK, {})
  expect(heard).toBe(3)
})

test('a request that the owner has not answered within a week is forgotten', async () => {
  const { test: keeper, links } = await begin()
  await links.ask(SHOP, TALK)
  keeper.nowSec += WAIT_SEC
  expect(links.all).toHaveLength(1)
  keeper.nowSec += 1
  expect(links.all).toEqual([])
  await links.ask(SHOP, TALK)
  expect(links.all).toHaveLength(1)
})
