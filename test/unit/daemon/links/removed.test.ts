/** Devices that leave the persona, and those that stay in it, over links between them (docs/links.md, section 5). */
import { describe, expect, test } from 'vitest'
import { LINK_APP } from '../../../../src/core/encoding/app-name.ts'
import { all, answer, begin, link, linked, SHOP, states, TALK, type Story } from '../../../support/houses.ts'
import { hears, rotates } from '../../../support/rotation.ts'
import { OWN_LAPTOP } from '../../../support/keeper.ts'
import { quiet, shareCards, shareTable } from '../../../support/link-daemon.ts'

const EPOCH = { epoch: 1 } // nobody has read the table elsewhere

describe('a device that the owner takes out of the persona', () => {
  test('loses its links at once, within an epoch', async () => {
    const { post, laptop, phone } = await linked()
    await laptop.channels.test.call('device.remove', { device: 'phone' })
    await quiet(post, laptop, phone)
    expect([laptop.shown, phone.shown]).toEqual([[], []])
    expect(laptop.channels.test.told('app.unlinked')).toMatchObject([{ app: SHOP, other: TALK }])
  })

  test('loses them at once by a rotation', async () => {
    const { post, laptop, phone, words } = await linked()
    await rotates(laptop.channels.test, words, { ...EPOCH, without: ['phone'] })
    await quiet(post, laptop, phone)
    expect([laptop.shown, phone.shown]).toEqual([[], []])
  })

  test('loses them also while its card lists it again, since it holds the key', async () => {
    const { post, laptop, phone } = await linked()
    await phone.channels.runner.close()
    const card = phone.channels.cards
    await laptop.channels.test.call('device.remove', { device: 'phone' })
    await card.take(laptop.channels.cards.newest(laptop.persona, LINK_APP)!)
    await card.idle()
    await laptop.channels.cards.take(card.newest(laptop.persona, LINK_APP)!)
    await quiet(post, laptop)
    expect(laptop.shown).toEqual([])
  })
})

describe('a device that stays in the persona', () => {
  test('keeps its links over a rotation at a device where the owner has approved it', async () => {
    const { post, laptop, phone, words } = await linked()
    await laptop.channels.test.call('device.approve', { device: 'phone' })
    await rotates(laptop.channels.test, words, EPOCH)
    await quiet(post, laptop, phone)
    expect([laptop.shown, phone.shown]).toEqual([[`${SHOP} > ${TALK}: linked`], [`${TALK} > ${SHOP}: linked`]])
  })

  test('has them stand still over another rotation, until it has the new key and both have the new card', async () => {
    const { post, laptop, phone, words } = await linked()
    await rotates(laptop.channels.test, words, EPOCH)
    await quiet(post, laptop, phone)
    expect(laptop.shown).toEqual([`${SHOP} > ${TALK}: paused`])
    await hears(phone.channels.test, OWN_LAPTOP, laptop.channels.test)
    await phone.channels.test.call('rotation.follow', { words })
    await shareCards(laptop, phone)
    await shareCards(laptop, phone)
    await quiet(post, laptop, phone)
    expect([laptop.shown, phone.shown]).toEqual([[`${SHOP} > ${TALK}: linked`], [`${TALK} > ${SHOP}: linked`]])
  })
})

describe('a proposal that is open', () => {
  async function accepted(): Promise<Story> {
    const story = await begin(2, 1)
    const { post, leo, kim } = story
    await shareTable(leo.source, leo.target)
    for (const house of [leo, kim]) await link(post, house)
    await quiet(post, ...all(leo, kim))
    await answer(leo, kim, 'accepted')
    await quiet(post, ...all(leo, kim))
    expect(await states(story)).toEqual([['acceptedHere'], ['acceptedThere']])
    return story
  }

  test('is withdrawn once the device of the target app is taken out', async () => {
    const { post, leo, kim } = await accepted()
    await leo.source.channels.test.call('device.remove', { device: 'phone' })
    await quiet(post, ...all(leo, kim))
    expect(await kim.target.states()).toEqual(['offered'])
  })

  test('ends here too once the device of the source app is taken out', async () => {
    const { post, leo, kim } = await accepted()
    await leo.target.channels.test.call('device.remove', { device: 'laptop' })
    await quiet(post, ...all(leo, kim))
    expect([await leo.target.states(), await kim.target.states()]).toEqual([[], ['offered']])
  })
})
