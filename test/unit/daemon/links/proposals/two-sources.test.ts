/** Proposals of one person over two source apps lead to one channel (docs/links.md, section 3). */
import { expect, test } from 'vitest'
import { all, answer, begin, link, meetAgain, SHOP, states, TALK, type House } from '../../../../support/houses.ts'
import { quiet } from '../../../../support/link-daemon.ts'

const NEWS = 'org.example.news' // before the other source app by its name

async function withdraw({ target }: House): Promise<void> {
  const found = target.links.all.find(({ sides }) => sides[0].app === NEWS)!
  await target.links.set(found.id, { provide: 'none' })
}

test.each([
  [1, 1],
  [2, 1],
  [2, 2],
] as const)('on %i and %i devices are one proposal, and open one channel', async (leos, kims) => {
  const story = await begin(leos, kims)
  const { post, leo, kim } = story
  for (const house of [leo, kim]) await link(post, house)
  await quiet(post, ...all(leo, kim))
  await answer(leo, kim, 'accepted')
  await quiet(post, ...all(leo, kim))
  await meetAgain(story, NEWS)
  // The second app is before the first by its name, and the answer holds.
  expect(await states(story)).toEqual([['acceptedHere'], ['acceptedThere']])
  expect(await kim.target.proposals.all()).toMatchObject([{ source: NEWS }])
  await withdraw(leo)
  await quiet(post, ...all(leo, kim))
  expect(await states(story)).toEqual([['acceptedHere'], ['acceptedThere']])
  expect(await kim.target.proposals.all()).toMatchObject([{ source: SHOP }])
  await answer(kim, leo, 'accepted')
  await quiet(post, ...all(leo, kim))
  expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
  for (const { target } of [leo, kim])
    expect(await target.channelsOf(TALK)).toMatchObject([{ state: 'open', introduced: { by: SHOP } }])
  for (const { target } of [leo, kim]) {
    const found = target.links.all.find(({ sides }) => sides[0].app === NEWS)!
    await target.links.set(found.id, { provide: 'all' })
  }
  await quiet(post, ...all(leo, kim))
  expect([(await leo.target.channelsOf(TALK)).length, (await kim.target.channelsOf(TALK)).length]).toEqual([1, 1])
  expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
})
