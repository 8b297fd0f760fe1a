/** Contacts of one app are proposed in another (docs/links.md, section 3): two daemons in this process, and a folder between them. */
import { describe, expect, test } from 'vitest'
import { leoAndKim, SOURCE, TARGET } from '../../../../support/introduced.ts'

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
