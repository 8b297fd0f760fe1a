/** Proposals over links between two devices of one person (docs/links.md, section 5). */
import { describe, expect, test } from 'vitest'
import { TestKeeper } from '../../../../support/keeper.ts'
import { LinkDaemon, quiet } from '../../../../support/link-daemon.ts'
import { MemoryPost } from '../../../../support/memory-carrier.ts'
import { deviceKey } from '../../../../support/person.ts'
import { hears } from '../../../../support/rotation.ts'
import {
  all,
  answer,
  begin,
  DAY_MS,
  days,
  houseOn,
  link,
  meet,
  proposed,
  SHOP,
  states,
  TALK,
  unlink,
} from '../../../../support/houses.ts'

describe.each([
  [2, 2],
  [2, 1],
  [1, 2],
] as const)('of two people on %i and %i devices', (leos, kims) => {
  test('each is proposed where the target app is, and both accept days apart', async () => {
    const story = await begin(leos, kims)
    const { post, leo, kim } = story
    const everybody = all(leo, kim)
    await link(post, leo)
    await quiet(post, ...everybody)
    expect(await states(story)).toEqual([['offered'], []])
    await link(post, kim)
    await quiet(post, ...everybody)
    expect(await states(story)).toEqual([['proposed'], ['proposed']])
    expect(await leo.target.proposals.all()).toMatchObject([{ source: SHOP, target: TALK, name: 'Kim' }])
    await answer(leo, kim, 'accepted')
    await days(9, post, ...everybody)
    expect(await states(story)).toEqual([['acceptedHere'], ['acceptedThere']])
    await answer(kim, leo, 'accepted')
    await quiet(post, ...everybody)
    expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
    for (const { target } of [leo, kim])
      expect(await target.channelsOf(TALK)).toMatchObject([
        { state: 'open', verified: false, introduced: { by: SHOP, state: 'confirmed' } },
      ])
    // The device of the source app has no proposal of its own, and no channel of the target app.
    for (const { source, target } of [leo, kim])
      if (source !== target) expect([await source.states(), await source.channelsOf(TALK)]).toEqual([[], []])
  })
})

describe('over a link between two devices', () => {
  test('a decline stays over restarts and a new link, until the owner accepts after all', async () => {
    const story = await proposed(2, 1)
    const { post, leo, kim } = story
    await answer(leo, kim, 'declined')
    await quiet(post, ...all(leo, kim))
    expect(await states(story)).toEqual([['declined'], ['declinedThere']])
    await unlink(leo.target)
    await quiet(post, ...all(leo, kim))
    leo.target = await leo.target.restarted()
    leo.source = await leo.source.restarted()
    await link(post, leo, 'self')
    await quiet(post, ...all(leo, kim))
    expect(await states(story)).toEqual([['declined'], ['declinedThere']])
    await answer(leo, kim, 'accepted')
    await quiet(post, ...all(leo, kim))
    await answer(kim, leo, 'accepted')
    await quiet(post, ...all(leo, kim))
    expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
  })

  test('an app that takes contacts by itself asks nobody', async () => {
    const story = await begin(2, 2)
    const { post, leo, kim } = story
    for (const house of [leo, kim]) await link(post, house, 'self')
    await quiet(post, ...all(leo, kim))
    expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
  })

  test('whoever is not provided any more is withdrawn at once, also while the other device is off', async () => {
    const story = await proposed(2, 1)
    const { post, leo, kim } = story
    await leo.target.channels.runner.close()
    await leo.source.links.set(leo.source.links.all[0]!.id, { provide: 'none' })
    await quiet(post, leo.source, kim.source)
    expect(await kim.target.states()).toEqual(['offered'])
    await days(7, post, leo.source, kim.source)
    leo.target = await leo.target.restarted()
    leo.target.channels.later(7 * DAY_MS)
    await quiet(post, ...all(leo, kim))
    expect(await states(story)).toEqual([['asked'], ['offered']])
    await leo.source.links.set(leo.source.links.all[0]!.id, { provide: 'all' })
    await quiet(post, ...all(leo, kim))
    expect(await states(story)).toEqual([['proposed'], ['proposed']])
  })

  test('whoever is blocked at the device of the target app alone is not proposed there, and is once they are unblocked', async () => {
    const post = new MemoryPost()
    const keeper = await TestKeeper.open()
    await keeper.call('persona.init', { device: { name: 'laptop', key: deviceKey('of Kim') } })
    const at = await LinkDaemon.over(keeper, post)
    const [leo, kim] = [await houseOn(2, post), { source: at, target: at }]
    await meet(post, leo.source, kim.source)
    for (const house of [leo, kim]) await link(post, house)
    await hears(leo.target.channels.test, deviceKey('of Kim'), keeper)
    const ask = async (method: 'contact.block' | 'contact.unblock'): Promise<string[][]> => {
      await leo.target.channels.test.call(method, { contact: kim.target.persona })
      leo.target.proposals.wake()
      await quiet(post, ...all(leo, kim))
      return await states({ post, leo, kim })
    }
    expect(await ask('contact.block')).toEqual([['asked'], ['offered']])
    expect(await ask('contact.unblock')).toEqual([['proposed'], ['proposed']])
  })

  test.each(['source', 'target'] as const)(
    'a link that ends at the device of the %s app ends at the other person too, who was off for a week',
    async (at) => {
      const story = await proposed(2, 1)
      const { post, leo, kim } = story
      await kim.source.channels.runner.close()
      await unlink(leo[at])
      await quiet(post, ...all(leo))
      await days(7, post, ...all(leo))
      kim.source = kim.target = await kim.source.restarted()
      kim.source.channels.later(7 * DAY_MS)
      // Frames that were lost come again within hours.
      for (let day = 0; day < 4 && (await kim.target.states()).join() !== 'offered'; day++)
        await days(1, post, ...all(leo, kim))
      expect(await states(story)).toEqual([[], ['offered']])
      expect((await leo.target.channelsOf(TALK)).length + (await kim.target.channelsOf(TALK)).length).toBe(0)
    },
  )

  test('a channel that is open stays when the link ends, and a new link opens no second one', async () => {
    const story = await begin(2, 1)
    const { post, leo, kim } = story
    for (const house of [leo, kim]) await link(post, house, 'self')
    await quiet(post, ...all(leo, kim))
    await unlink(leo.source)
    await quiet(post, ...all(leo, kim))
    expect(await kim.target.states()).toEqual(['confirmed'])
    await link(post, leo, 'self')
    await quiet(post, ...all(leo, kim))
    expect([(await leo.target.channelsOf(TALK)).length, (await kim.target.channelsOf(TALK)).length]).toEqual([1, 1])
    expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
  })
})
