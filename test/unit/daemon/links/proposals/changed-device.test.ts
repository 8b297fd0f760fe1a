/** Proposals where one device of a link is hostile: its program is changed, and its link lies (docs/links.md, section 5). */
import { describe, expect, test } from 'vitest'
import { WINDOW } from '../../../../../src/channel/exchange/channel.ts'
import { parseInvite } from '../../../../../src/channel/invite/invite-text.ts'
import { formatBase64url, formatHex, parseHex } from '../../../../../src/core/encoding/bytes.ts'
import type { JsonObject } from '../../../../../src/core/encoding/canonical-json.ts'
import { SEALED_KINDS } from '../../../../../src/daemon/channels/records/kinds.ts'
import { ANNOUNCED, PASSED, PROPOSAL } from '../../../../../src/daemon/links/proposals/kinds.ts'
import type { Word } from '../../../../../src/link/word.ts'
import { kept, said, speak } from '../../../../support/changed-device.ts'
import {
  all,
  answer,
  days,
  proposed,
  SHOP,
  states,
  TALK,
  unlink,
  type House,
  type Story,
} from '../../../../support/houses.ts'
import { quiet } from '../../../../support/link-daemon.ts'
import { inviteFor } from '../../../../support/proposals.ts'

const FAR = 4_000_000_000 // a time that no test reaches

/** The contact, as the devices of a link speak of them. */
async function aboutKim({ source }: House): Promise<{ readonly persona: string; readonly device: string }> {
  const [{ persona, device } = { persona: '', device: '' }] = await kept(source, PASSED)
  return { persona, device }
}

/** Both people are proposed to each other, and the device of Leo with the target app turns hostile. */
async function turned(): Promise<Story & { readonly about: readonly [string, string]; readonly invite: string }> {
  const story = await proposed(2, 1)
  const { leo } = story
  const [passed] = await kept(leo.source, PASSED)
  const [own] = await kept(leo.target, PROPOSAL)
  await leo.target.proposals.close()
  return { ...story, about: [passed!.persona, passed!.device], invite: own!.proposal.own.offer!.invite }
}

describe('a hostile target daemon', () => {
  test('uses up no numbers: the owner unlinks at the other device, and the other person hears of it', async () => {
    const { post, leo, kim, about, invite } = await turned()
    const [persona, device] = about
    const text = said({ n: Number.MAX_SAFE_INTEGER, says: 'offer', invite })
    await speak(leo.target, { kind: 'say', persona, device, text })
    await quiet(post, ...all(leo, kim))
    await unlink(leo.source)
    await quiet(post, ...all(leo, kim))
    expect(await kim.target.states()).toEqual(['offered'])
    expect((await kept(kim.target, PROPOSAL))[0]!.proposal.peer).toMatchObject({ saying: { says: 'withdraw' } })
  })

  test('fills nothing while the contact is off: of its texts that wait, the newest one stays', async () => {
    const { post, leo, kim, about, invite } = await turned()
    const [persona, device] = about
    await kim.source.channels.runner.close()
    const [before] = await kept(leo.source, PASSED)
    for (let i = 1; i <= 2 * WINDOW; i++) {
      const text = said({ n: before!.said!.n + i, says: 'offer', invite })
      await speak(leo.target, { kind: 'say', persona, device, text })
      // The pace lets it work.
      leo.source.channels.later(1000)
      await quiet(post, ...all(leo))
    }
    const [source] = await leo.source.channelsOf(SHOP)
    const { channel } = (await leo.source.channels.runner.work()).ends.get(source!.id)!.peek()
    expect([channel.window.length, channel.controls.length]).toEqual([WINDOW, 1])
  })
})

describe('a hostile source daemon', () => {
  test('gives no name that breaks a line or hides characters', async () => {
    const { post, leo, kim } = await proposed(2, 1)
    const [announced] = await kept(leo.target, ANNOUNCED)
    const name = 'Ki\u001B[31m\n\u202Em'
    const device = 'AA'.repeat(32)
    const about = { persona: announced!.persona, device, channel: 'two' }
    await speak(leo.source, { kind: 'contact', ...about, name, isProvided: true, n: 0 })
    await quiet(post, ...all(leo, kim))
    expect((await kept(leo.target, PROPOSAL)).map((each) => each.name).toSorted()).toEqual(['Ki [31m m', 'Kim'])
  })

  test('puts nobody in the place of a contact: an offer of its own making leads to no channel', async () => {
    const story = await proposed(2, 1)
    const { post, leo, kim } = story
    const { persona, device } = await aboutKim(leo)
    const own = inviteFor(parseHex(persona)!, parseHex(leo.target.persona)!, 1, { app: TALK, expiresAtSec: FAR })
    const heard = (says: JsonObject): Word => ({
      kind: 'heard',
      persona,
      device,
      text: said({ n: FAR, invite: own, ...says }),
    })
    await speak(leo.source, heard({ says: 'offer' }))
    await quiet(post, ...all(leo, kim))
    expect((await kept(leo.target, PROPOSAL))[0]!.proposal.peer).toMatchObject({ saying: { offer: { invite: own } } })
    await answer(leo, kim, 'accepted')
    const { hash } = (await kept(leo.target, PROPOSAL))[0]!.proposal.own.offer!
    const pair = formatBase64url(parseHex(hash)!)
    await speak(leo.source, heard({ says: 'accept', n: FAR + 1, pair }))
    await answer(kim, leo, 'accepted')
    await days(9, post, ...all(leo, kim))
    const open = [...(await leo.target.channelsOf(TALK)), ...(await kim.target.channelsOf(TALK))]
    expect(open.filter(({ state }) => state === 'open')).toEqual([])
  })

  test('that tells of another handshake is an alarm on both sides', async () => {
    const story = await proposed(2, 1)
    const { post, leo, kim } = story
    const { persona, device } = await aboutKim(leo)
    await answer(leo, kim, 'accepted')
    await answer(kim, leo, 'accepted')
    await quiet(post, ...all(leo, kim))
    expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
    const text = said({ n: FAR, says: 'open', opened: formatBase64url(new Uint8Array(32).fill(1)) })
    await speak(leo.source, { kind: 'heard', persona, device, text })
    const ways = await leo.source.channels.introductions.ways()
    const [source] = await leo.source.channelsOf(SHOP)
    expect(await ways.tell(source!.id, { bytes: text, replaces: () => false }, () => {})).toBe(true)
    await quiet(post, ...all(leo, kim))
    expect(await states(story)).toEqual([['alarm'], ['alarm']])
  })
})

test('no key of an offer is in the channel that it led to, and none is kept once that is open', async () => {
  const story = await proposed(2, 2)
  const { post, leo, kim } = story
  const keysOf = async ({ target }: House): Promise<string[]> => {
    const read = parseInvite((await kept(target, PROPOSAL))[0]!.proposal.own.offer!.invite)
    if (read.kind !== 'invite') throw new Error('an offer is an invite')
    return [read.invite.k, read.invite.address.pub].map((key) => formatHex(key))
  }
  const keys = [...(await keysOf(leo)), ...(await keysOf(kim))]
  const found = async ({ target }: House): Promise<number> => {
    const records = await Promise.all(SEALED_KINDS.map(async (kind) => await kept(target, kind)))
    const shown = JSON.stringify(records, (_, value: unknown) =>
      value instanceof Uint8Array ? formatHex(value) : value instanceof Map ? [...value] : value,
    )
    return keys.filter((key) => shown.includes(key)).length
  }
  expect([await found(leo), await found(kim)]).toEqual([2, 2])
  await answer(leo, kim, 'accepted')
  await answer(kim, leo, 'accepted')
  await quiet(post, ...all(leo, kim))
  expect(await states(story)).toEqual([['confirmed'], ['confirmed']])
  expect([await found(leo), await found(kim)]).toEqual([0, 0])
})
