/** Proposals against hostile peers and apps (docs/links.md, sections 2 and 3). */
import { describe, expect, test } from 'vitest'
import { formatCanonicalJson } from '../../../../../src/core/encoding/canonical-json.ts'
import { encodeUtf8, parseHex } from '../../../../../src/core/encoding/bytes.ts'
import { TEXT } from '../../../../../src/daemon/links/proposals/kinds.ts'
import { codeOf } from '../../../../support/code-of.ts'
import { leoAndKim, meetIn, Person, SOURCE, TARGET, type Pair } from '../../../../support/introduced.ts'
import { sodium } from '../../../../support/made-persona.ts'
import { person } from '../../../../support/person.ts'
import { inviteFor } from '../../../../support/proposals.ts'

const FLOOD = Number(process.env['PROPOSAL_FLOOD'] ?? 100)
const AT_A_TIME = 100 // the texts that wait for a peer lie in one record, which has a limit
const FAR = 4_000_000_000 // a time that no test reaches

function text(members: Readonly<Record<string, string | number>>): Uint8Array {
  return encodeUtf8(formatCanonicalJson({ v: 1, app: TARGET, n: FAR, seen: 0, ...members }))
}

const textsAt = async ({ host }: Person): Promise<number> =>
  (await Array.fromAsync(host.sealed.onDisk(TEXT).ids())).length

describe('a hostile peer', () => {
  test('fills nothing with thousands of offers, and the newest one counts', async () => {
    const { leo, kim, atKim } = await leoAndKim()
    await leo.link()
    await leo.reach('offered')
    const offer = (number: number): string =>
      inviteFor(parseHex(kim.persona)!, parseHex(leo.persona)!, number, { app: TARGET, expiresAtSec: FAR })
    for (let done = 0; done < FLOOD; done += AT_A_TIME) {
      const numbers = Array.from({ length: AT_A_TIME }, (_, i) => done + i + 1)
      await Promise.all(numbers.map((i) => kim.tell(atKim, text({ says: 'offer', invite: offer(i), n: FAR + i }))))
      await kim.delivered(atKim, leo)
    }
    await leo.reach('proposed')
    expect(await leo.proposals()).toHaveLength(1)
    // One that waits for its turn at most.
    expect(await textsAt(leo)).toBeLessThanOrEqual(1)
    expect((await leo.owner.call('channel.list', { app: TARGET })).invites).toEqual([])
    expect((await leo.owner.call('status')).links.proposals).toBe(1)
  }, 600_000)

  test('changes nothing by offers for an app that is not linked, for another persona, or without their form', async () => {
    const { leo, kim, atKim } = await leoAndKim()
    await leo.link()
    await leo.reach('offered')
    const [own, other] = [parseHex(kim.persona)!, parseHex(leo.persona)!]
    const wrong = [
      text({ says: 'offer', app: 'org.example.other', invite: inviteFor(own, other, 1, { app: 'org.example.other' }) }),
      text({ says: 'offer', invite: inviteFor(own, own, 1, { app: TARGET }) }),
      text({ says: 'offer', invite: inviteFor(other, other, 1, { app: TARGET }) }),
      text({ says: 'offer', invite: 'x'.repeat(9000) }),
      text({ says: 'open', opened: 'short' }),
      new Uint8Array(10_000),
    ]
    for (const each of wrong) await kim.tell(atKim, each)
    await kim.delivered(atKim, leo)
    await leo.restart()
    await leo.reach('offered')
    expect(await textsAt(leo)).toBe(0)
  }, 60_000)

  test('is told by nobody to take them under the name of somebody else', async () => {
    const { leo, kim, folder, atLeo } = await leoAndKim()
    await leo.owner.call('channel.rename', { id: atLeo, name: 'Pat' })
    const pat = await Person.begin('Pat', folder)
    await meetIn(TARGET, leo, pat)
    await Promise.all([leo.link({ how: 'self' }), kim.link()])
    await leo.reach('proposed')
    expect(await leo.proposals()).toMatchObject([{ name: 'Pat', sameName: true, persona: kim.persona }])
  }, 60_000)

  test('takes them by itself once the contact who has their name gives it up', async () => {
    const { leo, kim, atLeo } = await leoAndKim()
    const pat = person('Pat')
    await leo.owner.call('observe', { from: pat.key('phone'), text: pat.table(['phone']).text(), name: 'Pat' })
    await leo.owner.call('channel.rename', { id: atLeo, name: 'Pat' })
    await Promise.all([leo.link({ how: 'self' }), kim.link()])
    await leo.reach('proposed')
    await leo.owner.call('contact.rename', { contact: pat.id, name: 'Patricia' })
    await leo.reach('acceptedHere')
  }, 60_000)
})

describe('a hostile app', () => {
  test('sees neither texts nor invites nor proposals, and cannot send a text', async () => {
    const { leo, kim, atLeo, atKim } = await leoAndKim()
    const heard: string[] = []
    for (const app of [leo.source, leo.target])
      await app.subscribe(['channel.changed', 'channel.content'], ({ event }) => void heard.push(event))
    await Promise.all([leo.link(), kim.link()])
    await Promise.all([leo.reach('proposed'), kim.reach('proposed')])
    for (const app of [leo.source, leo.target]) {
      expect((await app.call('channel.list', {})).invites).toEqual([])
      expect(await codeOf(app.call('app.proposals', {}))).toBe('PERMISSION_DENIED')
      expect(await codeOf(app.call('app.answer', { app: TARGET, persona: kim.persona, answer: 'accept' }))).toBe(
        'PERMISSION_DENIED',
      )
      expect(await codeOf(app.subscribe(['app.proposal'], () => {}))).not.toBe('none')
    }
    expect((await leo.source.call('channel.read', { id: atLeo, after: 0 })).contents).toEqual([])
    expect(heard).toEqual([])
    const decline = Buffer.from(text({ says: 'decline' })).toString('base64')
    await kim.source.call('channel.send', { id: atKim, content: decline })
    await leo.until(async () => (await leo.channels(SOURCE))[0]!.received === 1)
    expect(await leo.states()).toEqual(['proposed'])
  }, 60_000)
})

describe('a contact who was exchanged on the way', () => {
  /** Both daemons say what an end says that has another handshake. */
  const exchanged = async ({ leo, kim, atLeo, atKim }: Pair): Promise<void> => {
    const other = (name: string): Uint8Array => {
      const opened = Buffer.from(sodium.sha256(encodeUtf8(name))).toString('base64url')
      return text({ says: 'open', opened })
    }
    await leo.tell(atLeo, other('of Leo'))
    await kim.tell(atKim, other('of Kim'))
  }

  test('is an alarm on both sides, which stays over a restart', async () => {
    const pair = await leoAndKim()
    const { leo, kim } = pair
    await Promise.all([leo.link({ how: 'self' }), kim.link({ how: 'self' })])
    await Promise.all([leo.reach('confirmed'), kim.reach('confirmed')])
    await exchanged(pair)
    await Promise.all([leo.reach('alarm'), kim.reach('alarm')])
    await leo.restart()
    await leo.reach('alarm')
    for (const person of [leo, kim])
      expect(await person.channels()).toMatchObject([{ introduced: { by: SOURCE, state: 'alarm' }, verified: false }])
  }, 60_000)
})
