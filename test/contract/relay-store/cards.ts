/** The promises of every store of a relay about cards. It keeps what the caller has verified, and decides which card counts. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { CardOutcome, OfferedCard, RelayStore } from '../../../src/relayd/store/relay-store.ts'
import { CARD_COST_BYTES, type StoreLimits } from '../../../src/relayd/store/rules.ts'
import {
  DAY,
  LIMITS,
  MINUTE,
  SEC,
  START,
  type StoreRun,
  type Subject,
  withStoreOf,
} from '../../support/relay-stores.ts'

const digest = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest())
const ALICE = 'A1'.repeat(32)
const BOB = 'B0'.repeat(32)
const HOME = 'address of a home'

interface Wishes extends Partial<Omit<OfferedCard, 'rank'>> {
  readonly seq?: number
  readonly epoch?: number
  /** Names the chain. */
  readonly root?: string
  /** Tells cards of one seq apart. */
  readonly note?: string
}

/** A card of Alice's notes, as a caller offers it after its verification. By default with a right. */
function offer({ seq = 1, epoch = 0, root = 'root', note = '', ...wishes }: Wishes = {}): OfferedCard {
  const { persona, app } = { persona: ALICE, app: 'notes', ...wishes }
  const text = `card of ${persona} for ${app}: ${epoch} ${seq} ${root} ${note}`
  const at = createHash('sha256').update(`${root} ${persona} ${app}`).digest().subarray(0, 16).toString('base64url')
  return {
    persona,
    app,
    at,
    rank: { chain: { epoch }, seq, hash: digest(text), root: digest(root) },
    text,
    expiresUs: START + 30 * DAY,
    guest: null,
    isPublic: false,
    ...wishes,
  }
}

async function putAll(store: RelayStore, cards: readonly OfferedCard[], nowUs = START): Promise<CardOutcome[]> {
  const outcomes: CardOutcome[] = []
  for (const card of cards) outcomes.push(await store.putCard(card, nowUs))
  return outcomes
}

const KEPT = { outcome: 'kept' }
const CROWDED = { outcome: 'crowded' }
/** The card that is found for Alice's notes. */
const found = (store: RelayStore, nowUs = START): Promise<string | null> => store.getCard({ at: offer().at }, nowUs)
const apps = (count: number): string[] => Array.from({ length: count }, (_, n) => `app-${n}`)

export function testCards(subjects: readonly Subject[]): void {
  describe.each(subjects)('cards in a store of a relay ($name)', (subject) => {
    const withStore = async (run: StoreRun, limits: Partial<StoreLimits> = {}): Promise<void> =>
      await withStoreOf(subject, limits, run)

    it('a card is found at its place, and nowhere else', () =>
      withStore(async (store) => {
        expect(await found(store)).toBeNull()
        expect(await store.putCard(offer(), START)).toEqual(KEPT)
        expect(await found(store)).toBe(offer().text)
        expect(await store.getCard({ at: offer({ app: 'mail' }).at }, START)).toBeNull()
        expect(await store.getCard({ persona: ALICE, app: 'notes' }, START)).toBeNull()
        expect(await store.stats()).toMatchObject({ cards: 1, bytes: offer().text.length + CARD_COST_BYTES })
      }))

    it('a card is found by persona and app for the relay itself, with whether anybody has a right', () =>
      withStore(async (store) => {
        expect(await store.cardOf(ALICE, 'notes', START)).toBeNull()
        await store.putCard(offer({ guest: HOME }), START)
        const { at, text } = offer()
        expect(await store.cardOf(ALICE, 'notes', START)).toEqual({ at, text, isGuest: true })
        await store.putCard(offer(), START)
        expect(await store.cardOf(ALICE, 'notes', START)).toEqual({ at, text, isGuest: false })
        expect(await store.cardOf(ALICE, 'mail', START)).toBeNull()
        expect(await store.cardOf(BOB, 'notes', START)).toBeNull()
        expect(await store.cardOf(ALICE, 'notes', START + 30 * DAY)).toBeNull()
      }))

    it('a later card takes the place of an earlier one, and an earlier one is told of it', () =>
      withStore(async (store) => {
        const [first, second] = [offer(), offer({ seq: 2 })]
        expect(await putAll(store, [first, second, first, second])).toEqual([
          KEPT,
          KEPT,
          { outcome: 'newer', card: second.text },
          KEPT,
        ])
        expect(await found(store)).toBe(second.text)
        expect(await store.stats()).toMatchObject({ cards: 1, bytes: second.text.length + CARD_COST_BYTES })
      }))

    it('of two cards with one seq that with the lower hash counts, whichever comes first', () =>
      withStore(async (store) => {
        const both = [offer({ note: 'a' }), offer({ note: 'b' })]
        const [low, high] = both.toSorted((a, b) => Buffer.compare(a.rank.hash, b.rank.hash))
        expect(await putAll(store, [high!, low!, high!])).toEqual([KEPT, KEPT, { outcome: 'newer', card: low!.text }])
        expect(await found(store)).toBe(low!.text)
      }))

    it('a seq is at most 65 536 above that of the card there', () =>
      withStore(async (store) => {
        await store.putCard(offer(), START)
        expect(await store.putCard(offer({ seq: 65_538 }), START)).toEqual({ outcome: 'held', card: offer().text })
        expect(await store.putCard(offer({ seq: 65_537 }), START)).toEqual(KEPT)
      }))

    it('a card of another root is disputed, for whatever app, while there is a card of the persona', () =>
      withStore(async (store) => {
        await store.putCard(offer(), START)
        const [same, other] = [offer({ root: 'stolen' }), offer({ root: 'stolen', app: 'mail' })]
        expect(await putAll(store, [same, other])).toEqual([
          { outcome: 'disputed', card: offer().text },
          { outcome: 'disputed', card: null },
        ])
        expect(await store.putCard(offer({ root: 'stolen', persona: BOB }), START)).toEqual(KEPT)
        expect(await store.putCard({ ...same, expiresUs: START + 60 * DAY }, START + 31 * DAY)).toEqual(KEPT)
      }))

    it('a later epoch ends the cards of earlier ones, of whatever app', () =>
      withStore(async (store) => {
        const mail = offer({ app: 'mail' })
        await putAll(store, [offer(), mail])
        expect(await store.putCard(offer({ epoch: 1, seq: 2 }), START)).toEqual(KEPT)
        expect(await store.getCard({ at: mail.at }, START)).toBeNull()
        expect(await store.putCard(offer({ app: 'mail', seq: 9 }), START)).toEqual({
          outcome: 'ended',
          epoch: 1,
        })
        expect((await store.stats()).cards).toBe(1)
      }))

    it('a card lives 29 days after it came and not 31, and never beyond its own end', () =>
      withStore(async (store) => {
        const long = offer({ expiresUs: START + 400 * DAY })
        const short = offer({ app: 'mail', expiresUs: START + DAY })
        await putAll(store, [long, short])
        const mail = (nowUs: number): Promise<string | null> => store.getCard({ at: short.at }, nowUs)
        expect(await mail(START + DAY - 1)).toBe(short.text)
        expect(await mail(START + DAY)).toBeNull()
        expect(await found(store, START + 29 * DAY)).toBe(long.text)
        expect(await found(store, START + 31 * DAY)).toBeNull()
        expect(await store.expire(START + 2 * DAY, 50)).toBe(1)
        expect((await store.stats()).cards).toBe(1)
        expect(await store.expire(START + 31 * DAY, 50)).toBe(1)
        expect(await store.stats()).toMatchObject({ boxes: 0, messages: 0, cards: 0, bytes: 0, isFull: false })
        expect(await store.expire(START + 90 * DAY, 50)).toBe(0)
      }))

    it('expire looks at no more personas and boxes than it is asked to', () =>
      withStore(async (store) => {
        for (const n of [1, 2, 3]) await store.putCard(offer({ persona: `0${n}`.repeat(32) }), START)
        await store.send('b'.repeat(43), 'data', HOME, START)
        expect(await store.expire(START + 31 * DAY, 2)).toBe(2)
        expect(await store.expire(START + 31 * DAY, 2)).toBe(2)
        expect(await store.expire(START + 31 * DAY, 2)).toBe(0)
        expect(await store.stats()).toMatchObject({ boxes: 0, cards: 0, bytes: 0 })
      }))

    it('an address has so many cards as a guest, and each of them may be renewed', () =>
      withStore(async (store) => {
        const cards = apps(4).map((app, n) => offer({ app, guest: HOME, persona: `0${n}`.repeat(32) }))
        expect(await putAll(store, cards)).toEqual([KEPT, KEPT, KEPT, CROWDED])
        const renewed = offer({ app: 'app-0', guest: HOME, persona: '00'.repeat(32), seq: 2 })
        expect(await store.putCard(renewed, START)).toEqual(KEPT)
        expect(await store.putCard({ ...cards[3]!, guest: 'another address' }, START)).toEqual(KEPT)
        // A place comes free when a card ends, is forgotten, or is put with a right.
        expect(await store.putCard({ ...cards[1]!, guest: null }, START)).toEqual(KEPT)
        const more = apps(3).map((app, n) => offer({ app, guest: HOME, persona: `1${n}`.repeat(32) }))
        expect(await putAll(store, more.slice(0, 2))).toEqual([KEPT, CROWDED])
        expect(await store.forgetCards('02'.repeat(32))).toBe(1)
        expect(await putAll(store, more.slice(1))).toEqual([KEPT, CROWDED])
      }))

    it('a card that was put with a right keeps it when a guest puts the same one, and a later one has none', () =>
      withStore(
        async (store) => {
          await putAll(store, [offer(), offer({ guest: HOME })])
          expect(await store.putCard(offer({ app: 'mail', guest: HOME }), START)).toEqual(KEPT)
          expect(await store.putCard(offer({ seq: 2, guest: HOME }), START)).toEqual(CROWDED)
          expect(await found(store)).toBe(offer().text)
        },
        { maxGuestCards: 1 },
      ))

    it('a persona has cards for so many apps', () =>
      withStore(async (store) => {
        const cards = apps(LIMITS.maxApps + 1).map((app) => offer({ app }))
        const outcomes = await putAll(store, cards)
        expect(outcomes.map(({ outcome }) => outcome)).toEqual(['kept', 'kept', 'kept', 'kept', 'apps'])
        expect(await store.putCard(offer({ app: 'app-0', seq: 2 }), START)).toEqual(KEPT)
      }))

    it('everybody finds a card that was put for everybody, and no later one that was not', () =>
      withStore(async (store) => {
        const place = { persona: ALICE, app: 'notes' }
        const open = offer({ isPublic: true })
        await putAll(store, [offer(), open, offer()])
        expect(await store.getCard(place, START)).toBe(open.text)
        expect(await store.getCard({ persona: ALICE, app: 'mail' }, START)).toBeNull()
        await store.putCard(offer({ seq: 2 }), START)
        expect(await store.getCard(place, START)).toBeNull()
        await store.putCard(offer({ seq: 2, isPublic: true }), START)
        expect(await store.getCard(place, START)).toBe(offer({ seq: 2 }).text)
        expect(await store.getCard(place, START + 31 * DAY)).toBeNull()
      }))

    it('a full disk takes no card, and one that takes the place of another counts by the difference', () =>
      withStore(
        async (store) => {
          expect(await store.putCard(offer(), START)).toEqual(KEPT)
          expect(await store.putCard(offer({ persona: BOB }), START)).toEqual({ outcome: 'full' })
          expect(await store.putCard(offer({ seq: 2 }), START)).toEqual(KEPT)
          expect(await store.putCard(offer({ seq: 3, note: 'x'.repeat(400) }), START)).toEqual({ outcome: 'full' })
          expect(await found(store)).toBe(offer({ seq: 2 }).text)
          // One disk for all: a card leaves no room for a box.
          expect((await store.send('b'.repeat(43), 'd', HOME, START)).outcome).toBe('full')
        },
        { maxDiskBytes: CARD_COST_BYTES + 350 },
      ))

    it('a forgotten persona begins anew', () =>
      withStore(async (store) => {
        await putAll(store, [
          offer({ epoch: 3, guest: HOME }),
          offer({ epoch: 3, app: 'mail' }),
          offer({ persona: BOB }),
        ])
        expect(await store.forgetCards(ALICE)).toBe(2)
        expect(await store.forgetCards(ALICE)).toBe(0)
        expect(await found(store)).toBeNull()
        expect(await store.putCard(offer({ root: 'another' }), START)).toEqual(KEPT)
        expect((await store.stats()).cards).toBe(2)
      }))

    it('cards that come at once have one outcome each, as if one came after the other', () =>
      withStore(async (store) => {
        const cards = [1, 2, 3, 4, 5].map((seq) => offer({ seq }))
        const outcomes = await Promise.all(cards.toReversed().map((card) => store.putCard(card, START)))
        expect(outcomes.map(({ outcome }) => outcome)).toEqual(['kept', 'newer', 'newer', 'newer', 'newer'])
        expect(await found(store)).toBe(cards[4]!.text)
        const others = apps(6).map((app) => offer({ app, persona: BOB }))
        const kept = await Promise.all(others.map((card) => store.putCard(card, START)))
        expect(kept.filter(({ outcome }) => outcome === 'kept')).toHaveLength(LIMITS.maxApps)
      }))

    it('a card is there after the store is opened again', () =>
      withStore(async (store, { reopen }) => {
        await putAll(store, [offer({ isPublic: true, guest: HOME }), offer({ app: 'mail', seq: 70_000 })])
        const again = await reopen(START + MINUTE)
        expect(await found(again, START + MINUTE)).toBe(offer().text)
        expect(await again.getCard({ persona: ALICE, app: 'notes' }, START + MINUTE)).toBe(offer().text)
        expect(await again.putCard(offer({ root: 'stolen' }), START + MINUTE)).toMatchObject({ outcome: 'disputed' })
        expect(await again.stats()).toMatchObject({ cards: 2 })
        const cards = apps(3).map((app, n) => offer({ app, guest: HOME, persona: `0${n}`.repeat(32) }))
        expect(await putAll(again, cards, START + SEC)).toEqual([KEPT, KEPT, CROWDED])
      }))
  })
}
