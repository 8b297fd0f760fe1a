/** Links with a device whose state was copied or restored, and with one that gives up the persona (docs/links.md, section 5). */
import { describe, expect, test } from 'vitest'
import { sayFarewell } from '../../../../src/daemon/channels/farewell.ts'
import { formatBase64url } from '../../../../src/core/encoding/bytes.ts'
import { PLACE } from '../../../../src/daemon/state/local-records.ts'
import { said } from '../../../support/changed-device.ts'
import { all, begin, days, link, linked, meet, SHOP, states, TALK } from '../../../support/houses.ts'
import { LinkDaemon, quiet, shareCards, shareTable } from '../../../support/link-daemon.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'

/** A copy of the state of a daemon goes to work elsewhere. */
async function copyOf({ channels }: LinkDaemon, post: MemoryPost): Promise<LinkDaemon> {
  const state = await channels.test.copied()
  await state.keeper.change(() => {
    const { places } = state.keeper.state.records
    state.keeper.state.stage(places.put(PLACE, { machine: null, file: 'other', store: 'another store' }))
    state.keeper.own.wasCopied()
  })
  return await LinkDaemon.over(state, post)
}

async function reconcile({ channels }: LinkDaemon): Promise<void> {
  await channels.test.later(100).call('persona.reconcile', { force: true })
}

describe('a link with a device whose state was copied', () => {
  test('ends on both sides, since the copy sends nothing over it, and a new one goes on', async () => {
    const { post, laptop, phone } = await linked()
    await phone.channels.runner.close()
    const copy = await copyOf(phone, post)
    await quiet(post, laptop, copy)
    expect([laptop.shown, copy.shown]).toEqual([[], []])
    await reconcile(copy)
    await quiet(post, laptop, copy)
    await link(post, { source: laptop, target: copy })
    expect([laptop.shown, copy.shown]).toEqual([[`${SHOP} > ${TALK}: linked`], [`${TALK} > ${SHOP}: linked`]])
  })

  test('ends at the original too, which goes on beside the copy', async () => {
    const { post, laptop, phone } = await linked()
    const copy = await copyOf(phone, post)
    await days(9, post, laptop, phone, copy)
    expect([laptop.shown, phone.shown, copy.shown]).toEqual([[], [], []])
  })

  test('ends at the other device once the card has another key of it, also where the copy reaches nobody by the link', async () => {
    const { post, laptop, phone } = await linked()
    await phone.channels.runner.close()
    const copy = await copyOf(phone, new MemoryPost())
    await reconcile(copy)
    await copy.idle()
    expect(laptop.shown).toEqual([`${SHOP} > ${TALK}: linked`])
    await shareCards(copy, laptop)
    await quiet(post, laptop)
    expect(laptop.shown).toEqual([])
  })
})

test('a contact who is connected stays so over a copy of the device of the source app, and gets no second channel', async () => {
  const story = await begin(2, 1)
  const { post, leo, kim } = story
  await shareTable(leo.source, leo.target)
  for (const house of [leo, kim]) await link(post, house, 'self')
  await quiet(post, ...all(leo, kim))
  expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
  await leo.source.channels.runner.close()
  leo.source = await copyOf(leo.source, post)
  await reconcile(leo.source)
  await quiet(post, ...all(leo, kim))
  await shareCards(leo.source, leo.target)
  await link(post, leo, 'self')
  await meet(post, leo.source, kim.source)
  await quiet(post, ...all(leo, kim))
  expect(await leo.target.states()).toEqual(['confirmed'])
  expect(await kim.target.states()).toContain('confirmed')
  const channels = [await leo.target.channelsOf(TALK), await kim.target.channelsOf(TALK)]
  expect(channels).toMatchObject([[{ state: 'open' }], [{ state: 'open' }]])
})

test.each([
  [2, 1],
  [1, 1],
] as const)(
  'a contact whose channel breaks, as the device of the target app is copied, is proposed anew: on %i and %i devices',
  async (leos, kims) => {
    const story = await begin(leos, kims)
    const { post, leo, kim } = story
    if (leos === 2) await shareTable(leo.source, leo.target)
    for (const house of [leo, kim]) await link(post, house, 'self')
    await quiet(post, ...all(leo, kim))
    expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
    await leo.target.channels.runner.close()
    const copy = await copyOf(leo.target, post)
    if (leos === 1) leo.source = copy
    leo.target = copy
    await reconcile(copy)
    await days(1, post, ...all(leo, kim))
    if (leos === 2) await shareCards(leo.source, leo.target)
    else await meet(post, leo.source, kim.source)
    if (leos === 2) await link(post, leo, 'self')
    await days(1, post, ...all(leo, kim))
    for (const { target } of [leo, kim]) {
      expect(await target.states()).toContain('confirmed')
      expect((await target.channelsOf(TALK)).filter(({ state }) => state === 'open')).toHaveLength(1)
    }
  },
)

test('an alarm about a channel stays when that breaks, and nobody is proposed anew', async () => {
  const story = await begin(1, 1)
  const { post, leo, kim } = story
  for (const house of [leo, kim]) await link(post, house, 'self')
  await quiet(post, ...all(leo, kim))
  const ways = await kim.source.channels.introductions.ways()
  const [source] = await kim.source.channelsOf(SHOP)
  const opened = formatBase64url(new Uint8Array(32).fill(1))
  const bytes = said({ n: 4_000_000_000, says: 'open', opened })
  expect(await ways.tell(source!.id, { bytes, replaces: () => false }, () => {})).toBe(true)
  await quiet(post, ...all(leo, kim))
  expect(await leo.target.states()).toEqual(['alarm'])
  await leo.target.channels.runner.close()
  const copy = await copyOf(leo.target, post)
  await reconcile(copy)
  await days(1, post, copy, kim.target)
  expect(await copy.states()).toEqual(['alarm'])
})

describe('a link with a device that gives up the persona', () => {
  test('ends as the device leaves it, or is erased', async () => {
    const { post, laptop, phone } = await linked()
    await phone.channels.test.call('persona.leave')
    await Promise.all([phone.links.unlinkAll(), sayFarewell(phone.channels.runner)])
    await quiet(post, laptop)
    expect([laptop.shown, phone.shown]).toEqual([[], []])
  })

  test('ends as the persona of one device gets a successor', async () => {
    const { post, laptop, phone, words } = await linked()
    const { plan } = await laptop.channels.test.call('succession.plan')
    await laptop.channels.test.call('succession.apply', { plan, words })
    await quiet(post, laptop, phone)
    expect([laptop.shown, phone.shown]).toEqual([[], []])
  })
})
