/** Two people who know each other in one source app on two devices each (docs/links.md, section 3). */
import { expect, test } from 'vitest'
import { settle } from '../../../../support/channel-daemon.ts'
import { all, answer, begin, link, SHOP, states, TALK, type House, type Story } from '../../../../support/houses.ts'
import { quiet } from '../../../../support/link-daemon.ts'

/** The devices of the target app meet in the source app too, and provide each other from there. */
async function meetAgain({ post, leo, kim }: Story): Promise<void> {
  const [host, guest] = [leo.target.channels, kim.target.channels]
  const { invite } = await host.call('channel.invite', { app: SHOP, name: 'Kim' })
  await guest.call('channel.accept', { app: SHOP, invite, name: 'Leo' })
  await settle(post, host, guest)
  for (const { target } of [leo, kim]) await target.links.link(SHOP, TALK, { provide: 'all' })
  await quiet(post, ...all(leo, kim))
}

async function accept({ post, leo, kim }: Story): Promise<void> {
  await answer(leo, kim, 'accepted')
  await answer(kim, leo, 'accepted')
  await quiet(post, ...all(leo, kim))
}

async function openAt({ target }: House): Promise<string[]> {
  const channels = await target.channelsOf(TALK)
  return channels.filter(({ state }) => state === 'open').map(({ id }) => id)
}

async function twoDevices(): Promise<Story> {
  const story = await begin(2, 2)
  for (const house of [story.leo, story.kim]) await link(story.post, house)
  await quiet(story.post, ...all(story.leo, story.kim))
  return story
}

test('both proposals lead to the same two devices, and leave one channel', async () => {
  const story = await twoDevices()
  await meetAgain(story)
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
  const story = await twoDevices()
  const { leo, kim } = story
  await accept(story)
  const first = [await openAt(leo), await openAt(kim)]
  await meetAgain(story)
  await accept(story)
  expect([await openAt(leo), await openAt(kim)]).toEqual(first)
})
