/** Two people who know each other in one source app on two devices each (docs/links.md, section 3). */
import { expect, test } from 'vitest'
import {
  all,
  answer,
  meetAgain,
  proposed,
  SHOP,
  states,
  TALK,
  type House,
  type Story,
} from '../../../../support/houses.ts'
import { quiet } from '../../../../support/link-daemon.ts'

async function accept({ post, leo, kim }: Story): Promise<void> {
  await answer(leo, kim, 'accepted')
  await answer(kim, leo, 'accepted')
  await quiet(post, ...all(leo, kim))
}

async function openAt({ target }: House): Promise<string[]> {
  const channels = await target.channelsOf(TALK)
  return channels.filter(({ state }) => state === 'open').map(({ id }) => id)
}

test('both proposals lead to the same two devices, and leave one channel', async () => {
  const story = await proposed(2, 2)
  await meetAgain(story, SHOP)
  const asked = ['proposed', 'proposed']
  expect(await states(story)).toEqual([asked, asked])
  await accept(story)
  const { leo, kim, post } = story
  expect([(await openAt(leo)).length, (await openAt(kim)).length]).toEqual([1, 1])
  for (const each of await states(story)) expect(each).toContain('confirmed')
  for (const house of [leo, kim]) house.source = house.target = await house.target.restarted()
  await quiet(post, ...all(leo, kim))
  expect([(await openAt(leo)).length, (await openAt(kim)).length]).toEqual([1, 1])
})

test('the channel that was open first stays', async () => {
  const story = await proposed(2, 2)
  const { leo, kim } = story
  await accept(story)
  const first = [await openAt(leo), await openAt(kim)]
  await meetAgain(story, SHOP)
  await accept(story)
  expect([await openAt(leo), await openAt(kim)]).toEqual(first)
})
