/** Contacts of one app are proposed in another (docs/links.md, section 3): two daemons in this process, and a folder between them. */
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../../support/code-of.ts'
import { leoAndKim, meetIn, Person, SOURCE, TARGET } from '../../../../support/introduced.ts'

describe('a contact of one app', () => {
  test('is proposed in the other once both people have linked their apps, and a channel opens once both accept', async () => {
    const { leo, kim } = await leoAndKim()
    await leo.link()
    await leo.reach('offered')
    expect(await kim.proposals()).toEqual([])
    await kim.link()
    await Promise.all([leo.reach('proposed'), kim.reach('proposed')])
    expect(await leo.proposals()).toMatchObject([
      { app: TARGET, by: SOURCE, persona: kim.persona, name: 'Kim', sameName: false },
    ])
    await leo.answer(kim, 'accept')
    await Promise.all([leo.reach('acceptedHere'), kim.reach('acceptedThere')])
    expect([await leo.channels(), await kim.channels()]).toEqual([[], []])
    await kim.answer(leo, 'accept')
    await Promise.all([leo.reach('confirmed'), kim.reach('confirmed')])
    for (const [one, other] of [
      [leo, kim],
      [kim, leo],
    ] as const)
      expect(await one.channels()).toMatchObject([
        {
          name: other.name,
          peer: { persona: other.persona },
          state: 'open',
          verified: false,
          introduced: { by: SOURCE, state: 'confirmed' },
        },
      ])
  }, 30_000)
})

describe('an answer', () => {
  test('of no stays over a restart and a new link, until the owner accepts after all', async () => {
    const { leo, kim } = await leoAndKim()
    await Promise.all([leo.link(), kim.link()])
    await Promise.all([leo.reach('proposed'), kim.reach('proposed')])
    await leo.answer(kim, 'decline')
    await Promise.all([leo.reach('declined'), kim.reach('declinedThere')])
    await leo.unlink()
    await leo.restart()
    await leo.link({ how: 'self' })
    await leo.reach('declined')
    await kim.reach('declinedThere')
    expect(await codeOf(kim.answer(leo, 'accept'))).toBe('PROPOSAL_UNKNOWN')
    await leo.answer(kim, 'accept')
    await kim.reach('acceptedThere')
    await kim.answer(leo, 'accept')
    await Promise.all([leo.reach('confirmed'), kim.reach('confirmed')])
  }, 60_000)

  test('may wait while a daemon is off: the other side hears of it, and of a link that has ended, later', async () => {
    const { leo, kim } = await leoAndKim()
    await Promise.all([leo.link(), kim.link()])
    await Promise.all([leo.reach('proposed'), kim.reach('proposed')])
    await kim.inner.stop()
    await leo.answer(kim, 'accept')
    await leo.reach('acceptedHere')
    await leo.restart()
    await kim.start()
    await kim.reach('acceptedThere')
    await kim.inner.stop()
    await leo.unlink()
    await leo.reach('asked')
    await kim.start()
    await kim.reach('offered')
    expect([await leo.channels(), await kim.channels()]).toEqual([[], []])
  }, 60_000)

  test('is given by itself where the owner has set that, so many times a day', async () => {
    const { leo, kim, folder } = await leoAndKim()
    const pat = await Person.begin('Pat', folder)
    await meetIn(SOURCE, leo, pat)
    await Promise.all([leo.link({ how: 'self', aDay: 1 }), kim.link({ how: 'self' }), pat.link({ how: 'self' })])
    await leo.until(async () => (await leo.states()).toSorted().join() === 'acceptedThere,confirmed')
    await leo.restart()
    await leo.until(async () => (await leo.states()).toSorted().join() === 'acceptedThere,confirmed')
    expect(await leo.channels()).toHaveLength(1)
  }, 60_000)
})
