import { describe, expect, it } from 'vitest'
import { End, seededEngine, START_MS } from '../../support/channel-ends.ts'
import { BOX_TYPE } from '../../../src/channel/ratchet/box-data.ts'
import { flush, submit } from '../../../src/channel/exchange/send.ts'
import { receive } from '../../../src/channel/exchange/receive.ts'
import { release } from '../../../src/channel/exchange/life.ts'
import { nextTickMs, tick } from '../../../src/channel/exchange/repeat.ts'
import { beginGuest, guestFindsUsed, guestTick } from '../../../src/channel/handshake/guest.ts'
import { confirmCandidate, isOver } from '../../../src/channel/handshake/host.ts'
import { formatGuest, formatHost, parseGuest, parseHost } from '../../../src/channel/handshake/state.ts'
import { formatMessage, parseMessage } from '../../../src/channel/handshake/message.ts'
import type { Invite } from '../../../src/channel/invite/invite.ts'
import type { JsonObject } from '../../../src/core/encoding/canonical-json.ts'
import { encodeUtf8, formatHex } from '../../../src/core/encoding/bytes.ts'
import { boxEnd, contextAt, GuestEnd, HostEnd, identityOf, personaIdOf } from '../../support/meeting-ends.ts'
import { sodium } from '../../support/made-persona.ts'
import { LOW_ORDER } from '../../support/low-order.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const engine = seededEngine(sodium, 'handshake')
const [box, answer, kim, eve] = await Promise.all([boxEnd('invite'), boxEnd('host'), boxEnd('kim'), boxEnd('eve')])

const host = (more: Partial<Invite> = {}): HostEnd => new HostEnd(engine, box, answer, more)
const flipped = (data: Uint8Array, bit: number): Uint8Array =>
  data.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))

/** The channels of both, after M1, M2 and M3. */
async function meet(alice: HostEnd, guest: GuestEnd): Promise<{ readonly host: End; readonly guest: End }> {
  const [m2] = await alice.receive(guest.m1)
  const [m3] = await guest.receive(m2!)
  const channel = alice.channels.get(formatHex(guest.state.m1Hash))!
  const ends = { host: new End({ channel, writes: [], posts: [], events: [] }), guest: new End(guest.start!) }
  ends.host.take(receive(ends.host.channel, m3!, false, START_MS, engine))
  return ends
}

describe('a handshake', () => {
  it('gives both ends the same words, and a channel in both directions', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    const ends = await meet(alice, guest)
    expect([alice.told(), guest.told(), ends.host.told(), ends.guest.told()]).toEqual([
      ['claimed'],
      ['connected'],
      ['met'],
      ['met'],
    ])
    expect(ends.host.channel.words).toEqual(ends.guest.channel.words)
    expect(ends.host.channel.words).toHaveLength(4)
    ends.guest.takePosted()
    for (const [from, to] of [
      [ends.host, ends.guest],
      [ends.guest, ends.host],
    ] as const) {
      from.take(submit(from.channel, encodeUtf8('milk')))
      from.take(flush(from.channel, START_MS, engine))
      for (const data of from.takePosted()) to.take(receive(to.channel, data, false, START_MS, engine))
      expect(to.contents()).toEqual([Buffer.from('milk')])
    }
  })

  it('shows each end the persona and the name of the other', async () => {
    const alice = new HostEnd(engine, box, await boxEnd('alice', identityOf(1, 2, 1)), {
      persona: { personaId: personaIdOf(1), epoch: 1 },
      for: personaIdOf(2),
    })
    const guest = await GuestEnd.begin(engine, await boxEnd('bob', identityOf(2)), alice.invite())
    await meet(alice, guest)
    const [claimed] = alice.events
    const [connected] = guest.events
    expect(claimed).toMatchObject({ peer: { name: 'bob', persona: { personaId: personaIdOf(2), epoch: 0 } } })
    expect(connected).toMatchObject({ peer: { name: 'alice', persona: { personaId: personaIdOf(1), epoch: 2 } } })
  })

  it('opens after the host was away for 25 hours, from an M1 that was posted again', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    let posts = 0
    for (let nowMs = START_MS; nowMs < START_MS + 25 * HOUR_MS; nowMs += 60_000) {
      const step = guestTick(guest.state, nowMs)
      guest.state = step.state
      for (const data of step.posts) expect(data).toEqual(guest.m1)
      posts += step.posts.length
    }
    expect(posts).toBe(29) // every 50 minutes
    alice.nowMs = guest.nowMs = START_MS + 25 * HOUR_MS
    await meet(alice, guest)
    expect(guest.told()).toEqual(['connected'])
  })

  it('repeats M2 every 50 minutes, and when M1 comes again, until the first frame of the guest', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    const [m2] = await alice.receive(guest.m1)
    await alice.receive(guest.m1)
    expect(alice.told()).toEqual(['claimed', 'again'])
    const channel = alice.channels.get(formatHex(guest.state.m1Hash))!
    expect(nextTickMs(channel)).toBe(START_MS + 50 * 60_000)
    const repeated = tick(channel, START_MS + 50 * 60_000)
    expect(repeated.posts).toEqual([m2])
    const [m3] = await guest.receive(m2!)
    const met = receive(repeated.channel, m3!, false, START_MS + HOUR_MS, engine)
    expect([tick(met.channel, START_MS + 9 * HOUR_MS).posts, nextTickMs(met.channel)]).toEqual([[], null])
    // M2 again: the guest's first frame was lost, so it is posted again.
    const again = receive(guest.start!.channel, m2!, false, START_MS + HOUR_MS, engine)
    expect(again.posts).toEqual([m3])
  })

  it('ends with the invite: nothing is posted any more, and the secrets leave the state', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    const endMs = START_MS + 7 * DAY_MS
    expect(guestTick(guest.state, endMs - 1).posts).toHaveLength(1)
    const { state, posts } = guestTick(guest.state, endMs)
    expect([posts, state.phase]).toEqual([[], 'ended'])
    expect([state.exporter, state.dhSecret, state.nB].map(({ length }) => length)).toEqual([0, 0, 0])
    expect([isOver(alice.state, endMs - 1), isOver(alice.state, endMs)]).toEqual([false, true])
    alice.nowMs = endMs
    await alice.receive(guest.m1)
    expect(alice.told()).toEqual(['MALFORMED'])
    await expect(beginGuest(alice.invite(), 'com.example.list', kim.self, contextAt(engine, endMs))).rejects.toThrow(
      /over/,
    )
  })

  it('leaves no secret of the handshake in the states, once the guest is connected', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    const { exporter, dhSecret, nB } = guest.state
    const ends = await meet(alice, guest)
    for (const secret of [exporter, dhSecret, nB]) {
      for (const { disk } of [ends.host, ends.guest])
        expect(Buffer.from(disk.state).includes(Buffer.from(secret))).toBe(false)
    }
    expect([guest.state.exporter, guest.state.dhSecret, guest.state.nB].map(({ length }) => length)).toEqual([0, 0, 0])
    expect(ends.host.channel.promise).toBeNull()
  })

  it('needs the app of the invite at both ends', async () => {
    const alice = host()
    await expect(GuestEnd.begin(engine, kim, alice.invite(), 'com.example.other')).rejects.toThrow(/com.example.list/)
    const guest = await GuestEnd.begin(engine, kim, alice.bareInvite(), 'com.example.other')
    await alice.receive(guest.m1)
    expect(alice.told()).toEqual(['OTHER_APP'])
  })
})

describe('the persona of an invite', () => {
  it('ends the handshake as MISBOUND when another persona answers, or none', async () => {
    for (const identity of [identityOf(3), null]) {
      const alice = new HostEnd(engine, box, await boxEnd('alice', identity), {
        persona: { personaId: personaIdOf(1), epoch: 0 },
      })
      const guest = await GuestEnd.begin(engine, kim, alice.invite())
      const [m2] = await alice.receive(guest.m1)
      await guest.receive(m2!)
      expect([guest.told(), guest.state.phase, guest.start]).toEqual([['MISBOUND'], 'ended', null])
    }
  })

  it('is refused at a lower epoch than the invite names', async () => {
    const alice = new HostEnd(engine, box, await boxEnd('alice', identityOf(1, 1)), {
      persona: { personaId: personaIdOf(1), epoch: 2 },
    })
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    const [m2] = await alice.receive(guest.m1)
    await guest.receive(m2!)
    expect([guest.told(), guest.state.phase]).toEqual([['CARD'], 'waiting'])
  })

  it('that alone may use the invite keeps all others out', async () => {
    const alice = host({ for: personaIdOf(2) })
    for (const identity of [null, identityOf(3)]) {
      const other = await GuestEnd.begin(engine, await boxEnd('eve', identity), alice.invite())
      await alice.receive(other.m1)
    }
    const bob = await GuestEnd.begin(engine, await boxEnd('bob', identityOf(2)), alice.invite())
    await alice.receive(bob.m1)
    expect(alice.told()).toEqual(['OTHER_PERSONA', 'OTHER_PERSONA', 'claimed'])
    expect(alice.state.refused).toBe(2)
  })

  it('is shown by a signature of a device of the card, over the whole message and the invite', async () => {
    const alice = host()
    const identity = identityOf(2)
    const borrowed = { card: identity.card, sign: identityOf(3).sign }
    const eveBob = await GuestEnd.begin(engine, await boxEnd('eve', borrowed), alice.invite())
    await alice.receive(eveBob.m1)
    const unknown = await GuestEnd.begin(engine, await boxEnd('eve', { ...identity, card: 'no card' }), alice.invite())
    await alice.receive(unknown.m1)
    expect(alice.told()).toEqual(['SIGNATURE', 'CARD'])
    const before = { inviteHash: new Uint8Array(32).fill(1), m1Hash: null }
    const message = {
      app: 'chat',
      connectoid: eveBob.state.ownAt,
      dh: sodium.boxPublicKey(new Uint8Array(32).fill(5)),
      promise: new Uint8Array(32),
    }
    const plain = formatMessage('guest', message, identity, before)
    const key = alice.state.invite.k
    for (const other of [before, { ...before, inviteHash: key }]) {
      const { signed } = parseMessage('guest', plain, other)!
      const isGood = sodium.verify(
        signed!.sig,
        signed!.message,
        sodium.signKeyPair(sodium.sha256(encodeUtf8('device 2 0'))).publicKey,
      )
      expect(isGood).toBe(other === before)
    }
  })
})

describe('the state of a handshake on disk', () => {
  const guestOf = async (): Promise<GuestEnd> =>
    await GuestEnd.begin(
      engine,
      await boxEnd('bob', identityOf(2)),
      host({ persona: { personaId: personaIdOf(1), epoch: 1 } }).invite(),
    )

  it('is read back as it was, but for the times of posting', async () => {
    const alice = host({ name: 'Ada' })
    for (const invite of [alice.bareInvite(), alice.invite(), alice.invite()]) {
      const guest = await GuestEnd.begin(engine, kim, invite)
      await alice.receive(guest.m1)
      expect(parseHost(formatHost(alice.state))).toEqual(alice.state)
    }
    expect([alice.state.claim === null, alice.state.late.length]).toEqual([false, 1])
    const guest = await guestOf()
    for (const state of [
      guest.state,
      guestFindsUsed(guest.state, START_MS).state,
      { ...guest.state, isIntercepted: true },
    ]) {
      expect(parseGuest(formatGuest(state))).toEqual({ ...state, postedAtMs: null })
    }
  })

  it('goes on after a start with the same bytes', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    guest.state = parseGuest(formatGuest(guest.state))
    expect(guestTick(guest.state, START_MS).posts).toEqual([guest.m1])
    await alice.receive(guest.m1)
    alice.state = parseHost(formatHost(alice.state))
    await alice.receive(guest.m1)
    expect(alice.told()).toEqual(['claimed', 'again'])
  })

  it('of another version, or damaged, is refused', async () => {
    const states = [
      [formatGuest((await guestOf()).state), parseGuest],
      [formatHost(host().state), parseHost],
    ] as const
    for (const [bytes, parse] of states) {
      expect(() => parse(bytes.with(0, 2))).toThrow(expect.objectContaining({ code: 'STATE_VERSION' }))
      for (const end of [1, 50, bytes.length - 1]) {
        expect(() => parse(bytes.slice(0, end))).toThrow(expect.objectContaining({ code: 'STATE_DAMAGED' }))
      }
      expect(() => parse(Uint8Array.of(...bytes, 0))).toThrow(expect.objectContaining({ code: 'STATE_DAMAGED' }))
    }
  })
})

describe('a message', () => {
  const before = { inviteHash: new Uint8Array(32), m1Hash: null }
  const good = {
    app: 'chat',
    connectoid: ['x'],
    dh: sodium.boxPublicKey(new Uint8Array(32).fill(5)),
    promise: new Uint8Array(32),
  }

  it('is read strictly, and never with a key of low order', async () => {
    const { connectoid } = { connectoid: [(await GuestEnd.begin(engine, kim, host().invite())).state.ownAt[0]!] }
    const text = new TextDecoder().decode(formatMessage('guest', { ...good, connectoid }, null, before))
    expect(parseMessage('guest', encodeUtf8(text), before)).not.toBeNull()
    const wrong = [
      text.replace('{', '{ '),
      text.replace('{', '{"a":1,'),
      text.replace('"v":1', '"v":2'),
      text.replace('"chat"', '"Chat"'),
      text.replace('"commit"', '"nA"'),
      text.replace('"app"', '"alg":"EdDSA","app"'),
      text.replace('"dh"', '"dg"'),
      text.replace(/"connectoid":\[.*?\]/, '"connectoid":[]'),
      text.replace(/"connectoid":\[.*?\]/, '"connectoid":"a"'),
      text.replace('"v"', '"name":"","v"'),
      text.replace('"v"', '"sdpOffer":"a","v"'),
    ]
    for (const each of wrong) {
      expect(each).not.toBe(text)
      expect(parseMessage('guest', encodeUtf8(each), before), each).toBeNull()
    }
    expect(parseMessage('host', encodeUtf8(text), before)).toBeNull()
    for (const dh of LOW_ORDER)
      expect(
        parseMessage('guest', formatMessage('guest', { ...good, connectoid, dh }, null, before), before),
      ).toBeNull()
    expect(LOW_ORDER.length).toBeGreaterThan(6)
  })

  it('has at most 12 000 bytes when it is sealed, at either end', async () => {
    const card = (length: number): Promise<Awaited<ReturnType<typeof boxEnd>>> =>
      boxEnd('bob', { ...identityOf(2), card: identityOf(2).card + '.'.padEnd(length, 'x') })
    const alice = host()
    await expect(GuestEnd.begin(engine, await card(12_000), alice.invite())).rejects.toThrow(/may have 12000/)
    const guest = await GuestEnd.begin(engine, await card(11_000), alice.invite())
    await alice.receive(guest.m1)
    expect(alice.told()).toEqual(['claimed'])
    const large = new HostEnd(engine, box, await card(12_000))
    const other = await GuestEnd.begin(engine, kim, large.invite())
    await expect(large.receive(other.m1)).rejects.toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }))
  })

  it('brings an offer of the direct way to the host, and its answer to a guest with k alone', async () => {
    const offers: unknown[] = []
    const answerOffer = (offer: JsonObject): Promise<JsonObject> => {
      offers.push(offer)
      return Promise.resolve({ sdp: 'answer' })
    }
    const alice = new HostEnd(engine, box, { ...answer, self: { ...answer.self, answerOffer } })
    const offering = { ...kim, self: { ...kim.self, sdp: { sdp: 'offer' } } }
    const bare = await GuestEnd.begin(engine, offering, alice.bareInvite())
    const keyed = await GuestEnd.begin(engine, offering, alice.invite())
    const answers: unknown[] = []
    for (const guest of [bare, keyed]) {
      const [m2] = await alice.receive(guest.m1)
      await guest.receive(m2!)
      answers.push(...guest.events.map((each) => (each.event === 'connected' ? each.peer.sdp : each.event)))
    }
    expect(answers).toEqual([null, { sdp: 'answer' }])
    expect(offers).toEqual([{ sdp: 'offer' }])
  })

  it('leaves out the offer that makes it too large', async () => {
    const sdp = { sdp: 'x'.repeat(4000) }
    const peers: unknown[] = []
    for (const cardChars of [7000, 9000]) {
      const alice = host()
      const identity = { ...identityOf(2), card: identityOf(2).card + '.'.padEnd(cardChars, 'x') }
      const bob = await boxEnd('bob', identity)
      await alice.receive((await GuestEnd.begin(engine, { ...bob, self: { ...bob.self, sdp } }, alice.invite())).m1)
      peers.push(...alice.events.map((each) => (each.event === 'claimed' ? each.peer.sdp : each.event)))
    }
    expect(peers).toEqual([sdp, null])
  })

  it('with a flipped bit is refused and counted, and the true one still opens', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    const bits = (data: Uint8Array): number[] =>
      Array.from({ length: 100 }, (_, i) => 8 + Math.floor(((data.length - 1) * 8 * i) / 100))
    for (const bit of bits(guest.m1)) await alice.receive(flipped(guest.m1, bit))
    expect([alice.state.refused, alice.state.claim]).toEqual([100, null])
    const [m2] = await alice.receive(guest.m1)
    for (const bit of bits(m2!)) await guest.receive(flipped(m2!, bit))
    expect([guest.state.refused, guest.start]).toEqual([100, null])
    await guest.receive(m2!)
    expect(guest.told().filter((name) => name !== 'NOT_OPENED')).toEqual(['connected'])
  })
})

describe('two guests with one invite', () => {
  it('are both told: the host by INVITE_TWICE, the second guest by INTERCEPTED, which goes on waiting', async () => {
    const alice = host()
    const [first, second] = [
      await GuestEnd.begin(engine, eve, alice.invite()),
      await GuestEnd.begin(engine, kim, alice.invite()),
    ]
    await alice.receive(first.m1)
    const [used] = await alice.receive(second.m1)
    const [usedAgain] = await alice.receive(second.m1)
    expect(alice.told()).toEqual(['claimed', 'INVITE_TWICE'])
    expect(used![0]).toBe(BOX_TYPE.used)
    for (let i = 0; i < 100; i++)
      await second.receive(flipped(used!, 8 + Math.floor(((used!.length - 1) * 8 * i) / 100)))
    expect([second.state.refused, new Set(second.told())]).toEqual([100, new Set(['NOT_OPENED'])])
    await second.receive(used!)
    await second.receive(usedAgain!)
    expect([second.told(), second.state.phase]).toEqual([['INTERCEPTED'], 'waiting'])
    expect(guestTick(second.state, START_MS + HOUR_MS).posts).toEqual([second.m1])
    // The answer to the second guest says nothing to the first.
    await first.receive(used!)
    expect(first.told()).toEqual(['NOT_OPENED'])
  })

  it('means nothing to a guest that finds its own hash', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    const { exporter, m1Hash } = guest.state
    const sealed = await contextAt(engine).sealTo(
      kim.self.address.pub,
      { label: 'channel-used', aad: m1Hash, psk: exporter },
      m1Hash,
    )
    await guest.receive(Uint8Array.of(BOX_TYPE.used, ...sealed!.bytes))
    expect([guest.told(), guest.state.isIntercepted]).toEqual([[], false])
  })

  it('are told by a relay only after two days without M2', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    const found = guestFindsUsed(guest.state, START_MS).state
    const later = guestTick(found, START_MS + 2 * DAY_MS - 1)
    expect(later.events).toEqual([])
    const told = guestTick(guestFindsUsed(later.state, START_MS + DAY_MS).state, START_MS + 2 * DAY_MS)
    expect(told.events).toEqual([{ event: 'INTERCEPTED' }])
    expect([guestTick(told.state, START_MS + 3 * DAY_MS).events, told.state.phase]).toEqual([[], 'waiting'])
  })
})

describe('a relay that plays both sides', () => {
  it('is refused by the host, since it does not know k', async () => {
    const alice = host()
    const { invite } = alice.state
    const forged = await GuestEnd.begin(engine, eve, {
      kind: 'invite',
      invite: { ...invite, k: new Uint8Array(16) },
      appUrl: null,
    })
    await alice.receive(forged.m1)
    expect(alice.told()).toEqual(['NOT_OPENED'])
  })

  it('shows the two people different words, when the guest had no k', async () => {
    const alice = host()
    const bare = alice.bareInvite()
    if (bare.kind !== 'bare') throw new Error('the invite is not bare')
    // The relay opens the guest's M1 with a key of its own, and sends an M1 of its own to the host.
    const relay = new HostEnd(engine, await boxEnd('relay'), eve)
    const guest = await GuestEnd.begin(engine, kim, relay.bareInvite())
    const forged = await GuestEnd.begin(engine, eve, bare)
    const [left, right] = [await meet(alice, forged), await meet(relay, guest)]
    expect(left.host.channel.words).not.toEqual(right.guest.channel.words)
  })

  it('cannot choose the words: a first frame that does not keep the promise breaks the channel', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    guest.state = { ...guest.state, nB: new Uint8Array(16) }
    const ends = await meet(alice, guest)
    expect([ends.host.told(), ends.host.channel.brokenBecause]).toEqual([['broken'], 'COMMITMENT'])
    expect(ends.host.channel.words).toBeNull()
  })
})

describe('a guest without k', () => {
  it('is a candidate: the invite stays open, and a guest with k wins', async () => {
    const alice = host()
    for (let i = 0; i < 5; i++) {
      const bare = await GuestEnd.begin(engine, await boxEnd(`eve${i}`), alice.bareInvite())
      await alice.receive(bare.m1)
    }
    expect([alice.told(), alice.state.claim]).toEqual([
      ['candidate', 'candidate', 'candidate', 'candidate', 'TOO_MANY'],
      null,
    ])
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    await alice.receive(guest.m1)
    const last = alice.events.at(-1)!
    expect(alice.told()).toEqual(['claimed', 'dropped'])
    expect(last.event === 'dropped' && last.m1Hashes).toHaveLength(4)
    expect([alice.state.candidates, alice.state.claim]).toEqual([[], { m1Hash: guest.state.m1Hash }])
  })

  it('gets the invite when its words are confirmed, and until then tells the app nothing', async () => {
    const alice = host()
    const [lost, guest] = [
      await GuestEnd.begin(engine, eve, alice.bareInvite()),
      await GuestEnd.begin(engine, kim, alice.bareInvite()),
    ]
    await alice.receive(lost.m1)
    const ends = await meet(alice, guest)
    expect(ends.host.channel.words).toEqual(ends.guest.channel.words)
    ends.guest.takePosted()
    ends.guest.take(submit(ends.guest.channel, encodeUtf8('milk')))
    ends.guest.take(flush(ends.guest.channel, START_MS, engine))
    ends.host.take(submit(ends.host.channel, encodeUtf8('bread')))
    for (const data of ends.guest.takePosted())
      ends.host.take(receive(ends.host.channel, data, false, START_MS, engine))
    ends.host.take(flush(ends.host.channel, START_MS, engine))
    expect([ends.host.told(), ends.host.contents(), ends.host.takePosted()]).toEqual([['met'], [], []])
    const confirmed = confirmCandidate(alice.state, guest.state.m1Hash)
    expect(confirmed.events).toEqual([{ event: 'dropped', m1Hashes: [lost.state.m1Hash] }])
    expect(confirmCandidate(confirmed.state, lost.state.m1Hash).events).toEqual([])
    ends.host.take(release(ends.host.channel, START_MS, engine))
    expect([ends.host.told(), ends.host.contents()]).toEqual([['content'], [Buffer.from('milk')]])
    ends.host.take(flush(ends.host.channel, START_MS, engine))
    for (const data of ends.host.takePosted())
      ends.guest.take(receive(ends.guest.channel, data, false, START_MS, engine))
    expect(ends.guest.contents()).toEqual([Buffer.from('bread')])
  })

  it('that comes after a claim is told so, and alarms nobody', async () => {
    const alice = host()
    const guest = await GuestEnd.begin(engine, kim, alice.invite())
    await alice.receive(guest.m1)
    const bare = await GuestEnd.begin(engine, eve, alice.bareInvite())
    const [used] = await alice.receive(bare.m1)
    await bare.receive(used!)
    expect([alice.told(), bare.told()]).toEqual([['claimed'], ['INTERCEPTED']])
  })
})
