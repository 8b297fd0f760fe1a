/** Proposals of people whose devices are off for days (docs/links.md, section 5). */
import { describe, expect, test } from 'vitest'
import { parseCard } from '../../../../../src/card/card.ts'
import { LINK_APP } from '../../../../../src/core/encoding/app-name.ts'
import {
  all,
  answer,
  begin,
  DAY_MS,
  days,
  link,
  proposed,
  states,
  unlink,
  type House,
} from '../../../../support/houses.ts'
import { quiet } from '../../../../support/link-daemon.ts'

/** A daemon begins again after so many days. */
async function back(house: House, which: keyof House, count: number): Promise<void> {
  const daemon = house[which]
  daemon.channels.test.later((count * DAY_MS) / 1000)
  house[which] = await daemon.restarted()
}

describe('two devices that are linked', () => {
  test('stand in one card at once, also where each had signed one alone', async () => {
    // Chance decides whose first card counts.
    for (let pair = 0; pair < 5; pair++) {
      const { post, leo } = await begin(2, 1)
      await link(post, leo)
      const cards = all(leo).map(({ channels, persona }) => channels.cards.newest(persona, LINK_APP)!)
      expect(cards.map((card) => parseCard(card).devices.length)).toEqual([2, 2])
    }
  })

  test.each(['withdraws', 'unlinks', 'declines'] as const)(
    'hear of what the other person did while both were off for a week: %s',
    async (does) => {
      const story = await proposed(2, 1)
      const { post, leo, kim } = story
      for (const { channels } of all(leo)) await channels.runner.close()
      if (does === 'withdraws') await kim.source.links.set(kim.source.links.all[0]!.id, { provide: 'none' })
      if (does === 'unlinks') await unlink(kim.source)
      if (does === 'declines') await answer(kim, leo, 'declined')
      await days(7, post, ...all(kim))
      for (const which of ['source', 'target'] as const) await back(leo, which, 7)
      await quiet(post, ...all(leo, kim))
      expect((await states(story))[0]).toEqual([does === 'declines' ? 'declinedThere' : 'offered'])
      expect(leo.target.shown[0]).toMatch(/: linked$/)
    },
  )
})
