/** The cards of peers: which count, and what stands by them. */
import { describe, expect, test } from 'vitest'
import { judgeEvidence } from '../../../../src/cli/contacts/alarms.ts'
import type { Standing } from '../../../../src/daemon/cards/kept/known.ts'
import { CARD_STRANGERS, CARDS, MAX_STRANGERS, STRANGERS } from '../../../../src/daemon/cards/kept/records.ts'
import { evidenceFile } from '../../../../src/ipc/shapes/alarms.ts'
import { settled } from '../../../support/announcing.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import {
  cardOf,
  cardsOn,
  CHAT,
  DAY_SEC,
  entryOf,
  judged,
  meets,
  type TestCards,
} from '../../../support/people-cards.ts'
import { person, type Person } from '../../../support/person.ts'
import { forged as forgedSnapshot, importSnapshot, linesOf, snapshotOf } from '../../../support/snapshot.ts'

interface Story extends TestCards {
  readonly bob: TestKeeper
  readonly alice: Person
  readonly standing: (device: string, app?: string) => Standing
}

/** Bob has met Alice, who is a contact or a stranger to him. */
async function story({ isContact = true, devices = ['laptop', 'phone'] } = {}): Promise<Story> {
  const bob = await TestKeeper.open()
  const alice = person('Alice')
  if (isContact) await bob.sees(alice.key('laptop'), alice.table(devices), { name: 'Alice' })
  const opened = await cardsOn(bob)
  await meets(bob, opened, cardOf(alice, devices))
  await settled()
  const { cards } = opened
  const standing = (device: string, app: string = CHAT): Standing =>
    cards.standing(alice.id, app, entryOf(alice, device, app).sig)
  return { ...opened, bob, alice, standing }
}

describe('a card in a handshake', () => {
  test('gives the devices of its persona', async () => {
    const { cards, alice } = await story()
    expect(cards.judge(cardOf(alice, ['laptop']), CHAT)).toMatchObject({
      epoch: 0,
      deviceKeys: [entryOf(alice, 'laptop').sig],
    })
  })

  test('is refused if it is damaged, of another app, or has expired', async () => {
    const { cards, alice, bob } = await story()
    const card = cardOf(alice, ['laptop'])
    expect(judged(cards.judge, `${card.slice(0, -2)}AA`)).toBeNull()
    expect(judged(cards.judge, card, 'notes')).toBeNull()
    bob.later(30 * DAY_SEC - 1)
    expect(judged(cards.judge, card)).toBe(1)
    bob.later(1)
    expect(judged(cards.judge, card)).toBeNull()
  })

  test('is refused if its seq is too far ahead of the card that counts', async () => {
    const { cards, alice } = await story()
    expect(judged(cards.judge, cardOf(alice, ['laptop'], { seq: 65_537 }))).toBe(1)
    expect(judged(cards.judge, cardOf(alice, ['laptop'], { seq: 65_538 }))).toBeNull()
  })

  test('keeps nothing by itself', async () => {
    const bob = await TestKeeper.open()
    const { cards } = await cardsOn(bob)
    const alice = person('Alice')
    expect(judged(cards.judge, cardOf(alice, ['laptop']))).toBe(1)
    expect([cards.newest(alice.id, CHAT), bob.store.commits]).toEqual([null, []])
  })
})

describe('the standing of a device', () => {
  test('follows the newest card', async () => {
    const { cards, standing, alice, changed } = await story()
    expect(changed).toEqual([`${alice.id} ${CHAT}`])
    expect([standing('laptop'), standing('phone'), standing('tablet')]).toEqual(['listed', 'listed', 'unlisted'])
    await cards.take(cardOf(alice, ['laptop', 'tablet'], { seq: 2 }))
    expect([standing('laptop'), standing('phone'), standing('tablet')]).toEqual(['listed', 'unlisted', 'listed'])
    expect(changed).toHaveLength(2)
    await cards.take(cardOf(alice, ['phone'], { seq: 1 }))
    expect([standing('phone'), changed.length]).toEqual(['unlisted', 2])
  })

  test('is unknown for an app of which no card is kept', async () => {
    const { standing, alice, cards } = await story()
    await cards.take(cardOf(alice, ['laptop'], { app: 'notes' }))
    expect([standing('laptop', 'notes'), cards.newest(alice.id, 'notes')]).toEqual(['unknown', null])
  })

  test('follows of two cards with one seq the one with the lower hash, whichever came first', async () => {
    const texts = (alice: Person): string[] => ['phone', 'laptop'].map((device) => cardOf(alice, [device], { seq: 2 }))
    const counts = async (order: (texts: string[]) => string[]): Promise<string | null> => {
      const { cards, alice } = await story()
      for (const text of order(texts(alice))) await cards.take(text)
      return cards.newest(alice.id, CHAT)
    }
    const first = await counts((both) => both)
    expect(await counts((both) => both.toReversed())).toBe(first)
    expect(texts(person('Alice'))).toContain(first)
  })

  test('outlives a restart', async () => {
    const { bob, alice } = await story()
    const { cards } = await cardsOn(await bob.reopened())
    expect(cards.standing(alice.id, CHAT, entryOf(alice, 'phone').sig)).toBe('listed')
  })
})

describe('after a rotation', () => {
  test('no card of the old epoch is good, and devices are unconfirmed for seven days', async () => {
    const { bob, alice, standing, cards, changed } = await story()
    const old = cardOf(alice, ['laptop', 'phone'], { seq: 9 })
    await bob.later(100).sees(alice.key('laptop'), alice.rotate().table(['laptop', 'phone']))
    await settled()
    expect(changed).toHaveLength(2)
    expect(judged(cards.judge, old)).toBeNull()
    await cards.take(old)
    expect([standing('laptop'), standing('phone'), standing('tablet')]).toEqual([
      'unconfirmed',
      'unconfirmed',
      'unlisted',
    ])
    bob.later(7 * DAY_SEC - 1)
    expect(standing('phone')).toBe('unconfirmed')
    bob.later(1)
    expect(standing('phone')).toBe('unlisted')
  })

  test('the first card of the new epoch decides at once', async () => {
    const { bob, alice, standing, cards } = await story()
    await bob.later(100).sees(alice.key('laptop'), alice.rotate().table(['laptop']))
    await settled()
    await cards.take(cardOf(alice, ['laptop']))
    expect([standing('laptop'), standing('phone')]).toEqual(['listed', 'unlisted'])
  })

  test('the new card alone ends the old epoch, before any table of it came', async () => {
    const { alice, standing, cards } = await story()
    const thiefs = cardOf(alice, ['phone'], { seq: 500 })
    await cards.take(cardOf(alice.rotate(), ['laptop']))
    expect([standing('laptop'), standing('phone'), judged(cards.judge, thiefs)]).toEqual(['listed', 'unlisted', null])
  })

  test('a card of an app that nobody here uses ends the old epoch in all others', async () => {
    const { bob, alice, standing, cards } = await story()
    const old = cardOf(alice, ['laptop'], { seq: 2 })
    await cards.take(cardOf(alice.rotate(), ['laptop'], { app: 'notes' }))
    expect([standing('laptop'), judged(cards.judge, old)]).toEqual(['unconfirmed', null])
    const again = await cardsOn((await bob.reopened()).later(7 * DAY_SEC))
    expect(judged(again.cards.judge, old)).toBeNull()
    expect(again.cards.standing(alice.id, CHAT, entryOf(alice, 'laptop').sig)).toBe('unlisted')
  })

  test('the week counts from the last rotation', async () => {
    const { bob, alice, standing } = await story()
    await bob.sees(alice.key('laptop'), alice.rotate().table(['laptop']))
    await settled()
    await bob.later(6 * DAY_SEC).sees(alice.key('laptop'), alice.rotate().table(['laptop']))
    await settled()
    bob.later(6 * DAY_SEC)
    expect(standing('laptop')).toBe('unconfirmed')
  })

  test('a crash right after the table came does not prolong the week', async () => {
    const { bob, alice } = await story()
    bob.onEvent = () => {}
    await bob.sees(alice.key('laptop'), alice.rotate().table(['laptop']))
    const again = await bob.reopened()
    const { cards } = await cardsOn(again)
    again.later(7 * DAY_SEC)
    expect(cards.standing(alice.id, CHAT, entryOf(alice, 'laptop').sig)).toBe('unlisted')
  })
})

describe('a second chain of one PersonaID', () => {
  test('is refused, kept as evidence, and raises the alarm about a contact', async () => {
    const { bob, alice, cards } = await story()
    const second = cardOf(alice.thief().rotate(), ['phone'])
    expect(judged(cards.judge, second)).toBeNull()
    await settled()
    expect(bob.told('alarm')).toMatchObject([{ code: 'CHAIN_DISPUTED', personaId: alice.id }])
    expect(bob.keeper.onDisk.of(CARDS).get(alice.id)?.rival).toBe(second)
  })

  test('is refused where the chain of the contact is pinned and no card was seen before', async () => {
    const bob = await TestKeeper.open()
    const alice = person('Alice')
    await bob.sees(alice.key('laptop'), alice.table(['laptop']), { name: 'Alice' })
    const opened = await cardsOn(bob)
    await meets(bob, opened, cardOf(alice.thief().rotate(), ['phone']))
    expect(opened.cards.newest(alice.id, CHAT)).toBeNull()
    expect(bob.told('alarm')).toMatchObject([{ code: 'CHAIN_DISPUTED' }])
  })

  test('is given out as proof that anybody can check, by the cards or by a card and a table', async () => {
    const { bob, alice, cards } = await story()
    const second = cardOf(alice.thief().rotate(), ['phone'])
    await cards.take(second)
    const file = await bob.call('evidence.get', { contact: 'Alice' })
    expect(evidenceFile.parse(file).cards).toMatchObject([
      { kind: 'head', card: cardOf(alice, ['laptop', 'phone']) },
      { kind: 'violation', card: second, seenAtSec: bob.keeper.nowSec },
    ])
    const proof = { kind: 'two-chains', personaId: alice.id }
    expect((await judgeEvidence({ ...file, blobs: [] })).proofs).toMatchObject([proof])
    expect((await judgeEvidence({ ...file, cards: file.cards!.slice(1) })).proofs).toMatchObject([proof])
    expect(await judgeEvidence({ ...file, blobs: [], cards: file.cards!.slice(1) })).toMatchObject({
      cards: 1,
      proofs: [],
    })
  })

  test('proves nothing by a card that was altered, or is of another persona', async () => {
    const { bob, alice, cards } = await story()
    await cards.take(cardOf(alice.thief().rotate(), ['phone']))
    const file = await bob.call('evidence.get', { contact: 'Alice' })
    for (const [card, code] of [
      [
        file.cards![1]!.card.replace(/.(.{40})$/, (tail) => `${tail[0] === 'A' ? 'B' : 'A'}${tail.slice(1)}`),
        'CARD_SIGNATURE',
      ],
      [cardOf(person('Carol'), ['laptop']), 'OTHER_PERSONA'],
    ] as const) {
      const verdict = await judgeEvidence({ ...file, cards: [{ kind: 'violation', seenAtSec: null, card }] })
      expect(verdict).toMatchObject({ cards: 0, proofs: [], invalidCards: [{ index: 0, code }] })
    }
  })

  test('is kept as proof where no card was seen before, and a backup brings it along', async () => {
    const bob = await TestKeeper.open()
    const alice = person('Alice')
    await bob.sees(alice.key('laptop'), alice.table(['laptop']), { name: 'Alice' })
    const second = cardOf(alice.thief().rotate(), ['phone'])
    const { cards } = await cardsOn(bob)
    await cards.take(second)
    const next = await TestKeeper.open()
    const opened = await cardsOn(next)
    await importSnapshot(next, await snapshotOf(bob, 'backup'), { sibling: null, withKeys: false })
    await opened.cards.start()
    for (const keeper of [bob, next]) {
      const file = await keeper.call('evidence.get', { contact: alice.id })
      expect(file.cards).toMatchObject([{ kind: 'violation', card: second }])
      expect((await judgeEvidence(file)).proofs).toMatchObject([{ kind: 'two-chains' }])
    }
  })

  test('is refused also for a stranger, whose first card pinned the chain', async () => {
    const { bob, alice, cards, standing } = await story({ isContact: false })
    const second = cardOf(alice.thief().rotate(), ['phone'])
    expect(judged(cards.judge, second)).toBeNull()
    await settled()
    expect(bob.told('alarm')).toEqual([])
    expect(bob.keeper.onDisk.of(CARDS).get(alice.id)?.rival).toBe(second)
    expect(standing('laptop')).toBe('listed')
  })

  test('that the owner pins makes the cards of the first one void', async () => {
    const { bob, alice, cards } = await story()
    const other = alice.thief().rotate()
    await bob.call('contact.add', { link: other.link(), repin: true })
    expect(cards.newest(alice.id, CHAT)).toBeNull()
    await meets(bob, { cards }, cardOf(other, ['tablet']))
    expect(cards.standing(alice.id, CHAT, entryOf(alice, 'tablet').sig)).toBe('listed')
    expect(cards.standing(alice.id, CHAT, entryOf(alice, 'laptop').sig)).toBe('unlisted')
  })
})

describe('strangers', () => {
  test('whom nobody here met are not kept', async () => {
    const { cards, bob } = await story()
    const mallory = person('Mallory')
    await cards.take(cardOf(mallory, ['laptop']))
    expect([cards.newest(mallory.id, CHAT), bob.keeper.onDisk.of(CARDS).get(mallory.id)]).toEqual([null, undefined])
  })

  test('are bounded: the one of whom nothing came for longest is forgotten first', async () => {
    const { cards, bob, alice } = await story({ isContact: false })
    const ids = [alice.id, ...Array.from({ length: MAX_STRANGERS - 1 }, (_, i) => String(i).padStart(64, '0'))]
    await bob.keeper.change(() => bob.keeper.state.stage(bob.keeper.state.of(CARD_STRANGERS).put(STRANGERS, { ids })))
    const carol = person('Carol')
    await meets(bob, { cards }, cardOf(carol, ['laptop']))
    expect([cards.newest(alice.id, CHAT), cards.newest(carol.id, CHAT)]).toEqual([null, expect.any(String)])
    const kept = bob.keeper.onDisk.of(CARD_STRANGERS).get(STRANGERS)!.ids
    expect([kept.length, kept.at(-1)]).toEqual([MAX_STRANGERS, carol.id])
  })

  test('who became contacts stay', async () => {
    const { cards, bob, alice } = await story({ isContact: false })
    await bob.sees(alice.key('laptop'), alice.table(['laptop']), { name: 'Alice' })
    const ids = [alice.id, ...Array.from({ length: MAX_STRANGERS - 1 }, (_, i) => String(i).padStart(64, '0'))]
    await bob.keeper.change(() => bob.keeper.state.stage(bob.keeper.state.of(CARD_STRANGERS).put(STRANGERS, { ids })))
    await meets(bob, { cards }, cardOf(person('Carol'), ['laptop']))
    expect(cards.newest(alice.id, CHAT)).not.toBeNull()
  })

  test('cannot fill the store with apps', async () => {
    const { cards, bob, alice } = await story({ isContact: false })
    for (let app = 0; app < 20; app++)
      await meets(bob.later(1), { cards }, cardOf(alice, ['laptop'], { app: `app${app}` }))
    expect(
      bob.keeper.onDisk
        .of(CARDS)
        .get(alice.id)
        ?.cards.map(({ app }) => app),
    ).toEqual(Array.from({ length: 16 }, (_, i) => `app${i + 4}`))
  })
})

describe('a snapshot', () => {
  test('brings the cards, and with them the epochs that are over', async () => {
    const { bob, alice, cards } = await story({ isContact: false })
    const old = cardOf(alice, ['laptop'], { seq: 5 })
    await cards.take(cardOf(alice.rotate(), ['laptop']))
    const next = await TestKeeper.open()
    const opened = await cardsOn(next)
    await importSnapshot(next, await snapshotOf(bob, 'backup'), { sibling: null, withKeys: false })
    await opened.cards.start()
    expect(opened.cards.standing(alice.id, CHAT, entryOf(alice, 'laptop').sig)).toBe('listed')
    expect(judged(opened.cards.judge, old)).toBeNull()
  })

  test('cannot bring a card that its persona did not sign, nor push one out', async () => {
    const { bob, alice, cards, standing } = await story()
    const record = { root: bob.keeper.onDisk.of(CARDS).get(alice.id)!.root }
    const forged = cardOf(alice, ['phone'], { seq: 7 }).replace(/\.[^.]{8}([^.]+)$/, '.AAAAAAAA$1')
    const value = { ...record, cards: [{ app: CHAT, text: forged, sinceSec: 0 }], raised: { epoch: 16, sinceSec: 0 } }
    const lines = linesOf(await snapshotOf(await TestKeeper.open(), 'sibling'))
    const line = JSON.stringify({ kind: 'wing', of: 'cards', id: alice.id, value })
    await importSnapshot(bob, forgedSnapshot([lines[0]!, line, '']), { sibling: 'phone', withKeys: false })
    await cards.start()
    expect([standing('laptop'), standing('phone')]).toEqual(['listed', 'listed'])
    expect(bob.told('alarm')).toEqual([])
  })
})

test('a contact who moved to a successor stands by the cards of the successor', async () => {
  const { bob, alice, standing, cards } = await story()
  const later = person('Alice again')
  const old = cardOf(alice, ['laptop'], { seq: 2 })
  const table = later.table([alice.device('laptop')], { document: [], predecessor: alice.names(later) })
  await bob.later(100).sees(alice.key('laptop'), table)
  await settled()
  expect(bob.told('contact.replaced')).toMatchObject([{ personaId: alice.id, successor: later.id }])
  expect([standing('laptop'), judged(cards.judge, old)]).toEqual(['unconfirmed', null])
  bob.later(7 * DAY_SEC)
  expect(standing('laptop')).toBe('unlisted')
  await cards.take(cardOf(later, ['desk']))
  expect(cards.standing(alice.id, CHAT, entryOf(later, 'desk').sig)).toBe('listed')
  expect(standing('laptop')).toBe('unlisted')
})
