/** Proposals over a link between two devices, against floods, strangers and words of another form (docs/links.md, section 5). */
import { expect, test } from 'vitest'
import { encodeUtf8, parseHex } from '../../../../../src/core/encoding/bytes.ts'
import { PASSED, PROPOSAL } from '../../../../../src/daemon/links/proposals/kinds.ts'
import type { Word } from '../../../../../src/link/word.ts'
import { kept, said, sendRaw, speak } from '../../../../support/changed-device.ts'
import { settle } from '../../../../support/channel-daemon.ts'
import {
  all,
  answer,
  begin,
  days,
  houseOn,
  link,
  proposed,
  SHOP,
  states,
  TALK,
  type House,
} from '../../../../support/houses.ts'
import { quiet } from '../../../../support/link-daemon.ts'
import { person } from '../../../../support/person.ts'
import { inviteFor } from '../../../../support/proposals.ts'

const FAR = 4_000_000_000 // a time that no test reaches

/** The words of a source device about a contact, with an offer of that contact for the owner. */
function announced(persona: string, device: string, name: string, owner: string): Word[] {
  const invite = inviteFor(parseHex(persona)!, parseHex(owner)!, 1, { app: TALK, expiresAtSec: FAR })
  return [
    { kind: 'contact', persona, device, channel: device, name, isProvided: true, n: 0 },
    { kind: 'heard', persona, device, text: said({ n: FAR, says: 'offer', invite }) },
  ]
}

async function aboutKim({ source }: House): Promise<{ readonly persona: string; readonly device: string }> {
  const [{ persona, device } = { persona: '', device: '' }] = await kept(source, PASSED)
  return { persona, device }
}

test('a source device that announces a crowd gets no more of them taken in a day than the owner has set', async () => {
  const story = await begin(2, 1)
  const { post, leo } = story
  await link(post, leo, 'self')
  await leo.target.links.set(leo.target.links.all[0]!.id, { receive: { how: 'self', aDay: 2 } })
  const owner = leo.target.persona
  for (let i = 1; i <= 8; i++) {
    const key = `0${i}`.repeat(32)
    await speak(leo.source, ...announced(key, key, `Person ${i}`, owner))
  }
  await quiet(post, ...all(leo))
  const taken = async (): Promise<number> =>
    (await leo.target.states()).filter((each) => each === 'acceptedHere').length
  expect(await taken()).toBe(2)
  leo.target = await leo.target.restarted()
  await quiet(post, ...all(leo))
  expect(await taken()).toBe(2)
})

test('somebody who was declined is not asked about again under another name, device or source channel', async () => {
  const story = await proposed(2, 1)
  const { post, leo, kim } = story
  await answer(leo, kim, 'declined')
  await quiet(post, ...all(leo, kim))
  const { persona } = await aboutKim(leo)
  await speak(leo.source, ...announced(persona, 'AB'.repeat(32), 'Patricia', leo.target.persona))
  await quiet(post, ...all(leo, kim))
  expect(await leo.target.states()).toEqual(['declined', 'declined'])
})

test('somebody who was declined is not asked about again under the persona that they go on with', async () => {
  const { post, leo } = await begin(2, 1)
  await link(post, leo)
  const [bob, next] = [person('declined bob'), person('bob after him')]
  const keeper = leo.target.channels.test
  await keeper.sees(bob.key('phone'), bob.table(['phone']), { name: 'Bob' })
  await speak(leo.source, ...announced(bob.id, 'AB'.repeat(32), 'Bob', leo.target.persona))
  await quiet(post, ...all(leo))
  expect(await leo.target.states()).toEqual(['offered', 'proposed'])
  await leo.target.proposals.answer(TALK, bob.id, 'declined')
  await keeper.later(100).sees(bob.key('phone'), next.table([bob.device('phone')], { predecessor: bob.names(next) }))
  await speak(leo.source, ...announced(next.id, 'CD'.repeat(32), 'Bob', leo.target.persona))
  await quiet(post, ...all(leo))
  expect(await leo.target.states()).toEqual(['offered', 'declined', 'declined'])
  await leo.target.proposals.answer(TALK, next.id, 'accepted')
  leo.target.proposals.wake()
  await quiet(post, ...all(leo))
  expect((await leo.target.states())[2]).toBe('acceptedHere')
})

test('a withdrawal of another contact, or for another app, changes nothing', async () => {
  const story = await proposed(2, 1)
  const { post, leo, kim } = story
  const about = await aboutKim(leo)
  const withdraw = said({ n: FAR, says: 'withdraw' })
  await speak(
    leo.source,
    { kind: 'heard', persona: about.persona, device: 'AB'.repeat(32), text: withdraw },
    { kind: 'heard', persona: 'AB'.repeat(32), device: about.device, text: withdraw },
    { kind: 'heard', ...about, text: said({ n: FAR, says: 'withdraw', app: SHOP }) },
  )
  await quiet(post, ...all(leo, kim))
  expect(await states(story)).toEqual([['proposed'], ['proposed']])
})

test('words of another form are refused, and those after them count', async () => {
  const story = await proposed(2, 1)
  const { post, leo, kim } = story
  const about = await aboutKim(leo)
  for (const kind of [0, 2, 3, 4, 5, 255])
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array(10_001),
      encodeUtf8('{}'),
      encodeUtf8('[1]'),
      encodeUtf8('{"v":2}'),
    ])
      await sendRaw(leo.source, kind, bytes)
  await quiet(post, ...all(leo, kim))
  expect(await states(story)).toEqual([['proposed'], ['proposed']])
  await speak(leo.source, { kind: 'heard', ...about, text: said({ n: FAR, says: 'decline' }) })
  await quiet(post, ...all(leo, kim))
  expect(await leo.target.states()).toEqual(['declinedThere'])
})

test('a stranger who has read both offers opens no channel with them, before or after they are accepted', async () => {
  const story = await proposed(2, 2)
  const { post, leo, kim } = story
  const stranger = (await houseOn(1, post)).source
  const offers = async (): Promise<string[]> => {
    const stored = await Promise.all([leo, kim].map(async ({ target }) => await kept(target, PROPOSAL)))
    return stored.flat().flatMap(({ proposal: { own } }) => (own.offer === null ? [] : [own.offer.invite]))
  }
  const tries = async (): Promise<void> => {
    for (const invite of await offers())
      await stranger.channels.call('channel.accept', { app: TALK, invite, name: 'Leo' }).catch(() => {})
    await settle(post, stranger.channels, leo.target.channels)
    await settle(post, stranger.channels, kim.target.channels)
  }
  expect(await offers()).toHaveLength(2)
  await tries()
  await answer(leo, kim, 'accepted')
  await quiet(post, ...all(leo))
  await tries()
  await answer(kim, leo, 'accepted')
  await quiet(post, ...all(leo, kim))
  expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
  await tries()
  await days(1, post, ...all(leo, kim), stranger)
  expect((await stranger.channelsOf(TALK)).filter(({ state }) => state === 'open')).toEqual([])
  expect([(await leo.target.channelsOf(TALK)).length, (await kim.target.channelsOf(TALK)).length]).toEqual([1, 1])
})
