/** The rules of one proposal, one after another (docs/links.md, section 3). The property test finds that both sides agree in the end. */
import { describe, expect, it } from 'vitest'
import { formatHex } from '../../../src/core/encoding/bytes.ts'
import {
  answered,
  claimed,
  dueSec,
  failed,
  joined,
  lacksOwn,
  needsOf,
  NO_PROPOSAL,
  offered,
  opened,
  provided,
  RENEW_SEC,
  stateOf,
  tell,
  textOf,
  took,
  type Proposal,
} from '../../../src/link/proposal.ts'
import { openedHash } from '../../../src/link/opened.ts'
import type { Offer } from '../../../src/link/offer.ts'
import type { Saying } from '../../../src/link/text.ts'
import { NOW_SEC, sodium } from '../../support/made-persona.ts'
import { KIM, LEO, offerFor, ProposalWorld, TARGET_APP } from '../../support/proposals.ts'

/** Offers of Leo and of Kim, of which the first has the lower hash. */
const offers = [1, 2, 3, 4, 5, 6].flatMap((number) => [offerFor(LEO, KIM, number), offerFor(KIM, LEO, number)])
const byHash = offers.toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
const [low, middle, high] = [byHash[0]!, byHash[4]!, byHash[9]!]

const says = (proposal: Proposal, saying: Saying, n = (proposal.peer?.n ?? 0) + 1, seen = 0): Proposal =>
  took(proposal, { app: TARGET_APP, n, seen, saying })

const offering = (own: Offer): Proposal => offered(provided(NO_PROPOSAL, true), own)
const both = (own: Offer, theirs: Offer): Proposal => says(offering(own), { says: 'offer', offer: theirs })
const agreed = (own: Offer, theirs: Offer): Proposal =>
  says(answered(both(own, theirs), 'accepted'), { says: 'accept', offer: theirs, pair: own.hash })
const needs = (proposal: Proposal, nowSec = NOW_SEC): unknown => needsOf(proposal, nowSec)

describe('an own offer', () => {
  it('is made for a contact that is provided, and for no other', () => {
    expect(needs(NO_PROPOSAL)).toEqual({ invite: 'none', join: null })
    expect(needs(provided(NO_PROPOSAL, true))).toEqual({ invite: 'new', join: null })
  })

  it('sleeps until the own owner has accepted, whatever the other side says', () => {
    expect(needs(both(low, high))).toEqual({ invite: 'asleep', join: null })
    expect(needs(says(both(low, high), { says: 'accept', offer: high, pair: low.hash }))).toEqual({
      invite: 'asleep',
      join: null,
    })
    expect(needs(answered(both(low, high), 'accepted'))).toEqual({ invite: 'open', join: null })
  })

  it('stays asleep for ever at the side with the higher hash', () => {
    expect(needs(answered(both(high, low), 'accepted'))).toEqual({ invite: 'asleep', join: null })
    expect(needs(agreed(high, low))).toEqual({ invite: 'none', join: low })
  })

  it('is made anew with three days left, and by a host who waits for a guest only once it is over', () => {
    const almost = low.expiresAtSec - RENEW_SEC
    expect(needs(both(low, high), almost - 1)).toMatchObject({ invite: 'asleep' })
    expect(needs(both(low, high), almost)).toMatchObject({ invite: 'new' })
    expect(needs(agreed(low, high), almost)).toMatchObject({ invite: 'open' })
    expect(needs(agreed(low, high), low.expiresAtSec)).toMatchObject({ invite: 'new' })
    expect(dueSec(offering(low), NOW_SEC)).toBe(almost)
  })

  it('is erased after a decline, of either side, and after a withdrawal', () => {
    for (const over of [
      answered(both(low, high), 'declined'),
      says(both(low, high), { says: 'decline' }),
      provided(both(low, high), false),
    ]) {
      expect(over.own.offer).toBeNull()
      expect(needs(over)).toEqual({ invite: 'none', join: null })
    }
  })
})

describe('a handshake', () => {
  it('begins at the guest only when the host names its newest offer', () => {
    const accepted = answered(both(high, low), 'accepted')
    const other = says(accepted, { says: 'accept', offer: low, pair: middle.hash })
    expect(needs(other)).toEqual({ invite: 'asleep', join: null })
  })

  it('ends at the guest when the host comes with another offer, declines or withdraws', () => {
    const joining = joined(agreed(high, low))
    expect(needs(joining)).toEqual({ invite: 'none', join: null })
    const same = says(joining, { says: 'accept', offer: low, pair: high.hash })
    expect(same.own.joining).toBe(low.hash)
    for (const saying of [
      { says: 'accept', offer: middle, pair: high.hash },
      { says: 'decline' },
      { says: 'withdraw' },
    ] as const)
      expect(says(joining, saying).own.joining, saying.says).toBeNull()
    // The host has the channel already.
    expect(says(joining, { says: 'open', opened: low.hash }).own.joining).toBe(low.hash)
  })

  it('goes on at a host whose invite was used, though the owner declines or withdraws', () => {
    const used = claimed(agreed(low, high))
    expect(answered(used, 'declined')).toEqual(used)
    expect(needs(provided(used, false))).toEqual({ invite: 'open', join: null })
  })

  it('ends at the host when the guest comes with another offer than the one of then', () => {
    const used = claimed(agreed(low, high))
    expect(says(used, { says: 'accept', offer: high, pair: low.hash }).own.isClaimed).toBe(true)
    expect(says(used, { says: 'accept', offer: middle, pair: low.hash }).own.isClaimed).toBe(false)
    // The guest was faster than its text.
    const early = claimed(answered(both(low, middle), 'accepted'))
    const known = says(early, { says: 'accept', offer: high, pair: low.hash })
    expect(known.own.isClaimed).toBe(true)
    expect(says(known, { says: 'offer', offer: middle }).own.isClaimed).toBe(false)
  })

  it('that came to nothing leaves no invite', () => {
    expect(needs(failed(joined(agreed(high, low))))).toEqual({ invite: 'new', join: null })
  })
})

describe('texts', () => {
  it('that are not newer than the last one change nothing', () => {
    const now = says(both(low, high), { says: 'withdraw' }, 5)
    expect(says(now, { says: 'offer', offer: high }, 5)).toBe(now)
    expect(says(now, { says: 'offer', offer: high }, 4)).toBe(now)
    expect(stateOf(says(now, { says: 'offer', offer: high }, 6), NOW_SEC)).toBe('proposed')
  })

  it('are sent once for each change, with numbers that are never below the time', () => {
    const [told, text] = tell(offering(low), TARGET_APP, NOW_SEC)!
    expect(text).toMatchObject({ n: NOW_SEC, seen: 0, saying: { says: 'offer' } })
    expect(tell(told, TARGET_APP, NOW_SEC)).toBeNull()
    const [next, more] = tell(answered(told, 'declined'), TARGET_APP, NOW_SEC - 50)!
    expect(more).toMatchObject({ n: NOW_SEC + 1, saying: { says: 'decline' } })
    expect(textOf(next, TARGET_APP)).toEqual(more)
  })

  it('say nothing of a contact that was never provided, and nothing while an offer is being made', () => {
    expect(tell(says(NO_PROPOSAL, { says: 'offer', offer: high }), TARGET_APP, NOW_SEC)).toBeNull()
    const [told] = tell(offering(low), TARGET_APP, NOW_SEC)!
    expect(tell(failed(told), TARGET_APP, NOW_SEC)).toBeNull()
    expect(tell(provided(told, false), TARGET_APP, NOW_SEC)![1].saying).toEqual({ says: 'withdraw' })
  })

  it('are sent once more when the other side has not seen the newest', () => {
    const [told] = tell(offering(low), TARGET_APP, NOW_SEC)!
    const text = { app: TARGET_APP, n: 1, seen: NOW_SEC - 1, saying: { says: 'withdraw' } } as const
    expect(lacksOwn(told, text)).toBe(true)
    expect(lacksOwn(told, { ...text, seen: NOW_SEC })).toBe(false)
  })
})

describe('the state', () => {
  it('names what the owner can do', () => {
    const state = (proposal: Proposal): string => stateOf(proposal, NOW_SEC)
    expect(state(NO_PROPOSAL)).toBe('none')
    expect(state(offering(low))).toBe('offered')
    expect(state(says(NO_PROPOSAL, { says: 'offer', offer: high }))).toBe('asked')
    expect(state(both(low, high))).toBe('proposed')
    expect(stateOf(both(low, high), high.expiresAtSec)).toBe('expired')
    expect(state(answered(both(low, high), 'accepted'))).toBe('acceptedHere')
    expect(state(says(both(low, high), { says: 'accept', offer: high, pair: low.hash }))).toBe('acceptedThere')
    expect(state(agreed(low, high))).toBe('accepted')
    expect(state(answered(both(low, high), 'declined'))).toBe('declined')
    expect(state(says(both(low, high), { says: 'decline' }))).toBe('declinedThere')
    const [told] = tell(both(low, high), TARGET_APP, NOW_SEC)!
    expect(state(says(provided(told, false), { says: 'withdraw' }))).toBe('withdrawn')
  })

  it('is an alarm at both sides when their channels have two handshakes', () => {
    const hash = (name: string): string => openedHash(sodium.sha256(new TextEncoder().encode(name)), sodium)
    const at = (own: string, theirs: string): string =>
      stateOf(says(opened(agreed(low, high), hash(own)), { says: 'open', opened: hash(theirs) }), NOW_SEC)
    expect(stateOf(opened(agreed(low, high), hash('one')), NOW_SEC)).toBe('connected')
    expect(at('one', 'one')).toBe('confirmed')
    expect([at('one', 'two'), at('two', 'one')]).toEqual(['alarm', 'alarm'])
    expect(hash('one')).not.toBe(formatHex(sodium.sha256(new TextEncoder().encode('one'))))
  })

  it('reaches the other side after a week off', () => {
    const world = new ProposalWorld()
    for (const side of world.sides) side.provide(true)
    world.settle()
    const away = world.kim.mail
    world.leo.provide(false)
    for (let day = 0; day < 8; day++) {
      world.nowSec += 86_400
      world.leo.tick()
    }
    expect(away.length).toBe(1)
    world.rest(60)
    expect([world.leo.state, world.kim.state]).toEqual(['asked', 'offered'])
    expect(world.leo.invites.size).toBe(0)
  })
})
