/** Cards of people, and the cards of a keeper in this process. */
import { join } from 'node:path'
import { signCard, type CardEntry } from '../../src/card/card.ts'
import type { JudgeCard } from '../../src/channel/handshake/peer.ts'
import { APP_KEYS } from '../../src/daemon/cards/app-keys.ts'
import { HeldCards } from '../../src/daemon/cards/held-cards.ts'
import type { CardStores } from '../../src/daemon/cards/stores.ts'
import { Sealed } from '../../src/daemon/sealed/sealed.ts'
import type { Log } from '../../src/process/log.ts'
import { ManualClock } from './announcing.ts'
import type { TestKeeper } from './keeper.ts'
import { engine, seedOf, START_SEC, type Person } from './person.ts'

export const CHAT = 'chat'
export const DAY_SEC = 86_400

export interface CardWishes {
  readonly app?: string
  readonly seq?: number
  readonly issuedAtSec?: number
  readonly stores?: readonly string[]
  readonly inboxes?: readonly string[]
}

/** The keys of a person's device for an app. */
export function entryOf(person: Person, device: string, app: string = CHAT): CardEntry {
  const name = `${person.name}'s ${device} for ${app}`
  return {
    tag: seedOf(`tag of ${name}`).slice(0, 8),
    sig: engine.signKeyPair(seedOf(`sig of ${name}`)).publicKey,
    enc: engine.boxPublicKey(seedOf(`enc of ${name}`)),
  }
}

/** A card of these devices, signed by the person's present key. */
export function cardOf(
  person: Person,
  devices: readonly string[],
  { app = CHAT, seq = 1, issuedAtSec = START_SEC, stores = [], inboxes = [] }: CardWishes = {},
): string {
  const card = {
    chain: person.position,
    app,
    seq,
    prev: seq === 1 ? null : new Uint8Array(32).fill(seq),
    issuedAtSec,
    expiresAtSec: issuedAtSec + 30 * DAY_SEC,
    devices: devices.map((device) => entryOf(person, device, app)),
    inboxes,
    stores,
  }
  return signCard(card, person.sign)
}

export interface TestCards {
  readonly cards: HeldCards
  readonly sealed: Sealed
  readonly clock: ManualClock
  /** Persona and app of each call to a listener. */
  readonly changed: string[]
  readonly warnings: string[]
}

/** Opens the cards on a keeper, as the daemon does. */
export async function cardsOn(test: TestKeeper, stores: CardStores | null = null): Promise<TestCards> {
  const warnings: string[] = []
  const quiet = (): void => {}
  const warn = (event: string, fields: unknown): void => void warnings.push(`${event} ${JSON.stringify(fields)}`)
  const log = { debug: quiet, info: quiet, warn } as unknown as Log
  const paths = { apps: join(test.stateDir, 'apps') }
  const sealed = await Sealed.open({ keeper: test.keeper, paths, setting: null, log, kinds: [APP_KEYS] })
  const clock = new ManualClock()
  const reader = test.cardReader
  const cards = new HeldCards({ keeper: test.keeper, reader, sealed: sealed.records, stores, clock, log })
  const changed: string[] = []
  cards.onChanged((personaId, app) => void changed.push(`${personaId} ${app}`))
  test.onEvent = (event) => cards.onEvent(event)
  await cards.start()
  return { cards, sealed, clock, changed, warnings }
}

/** Meets a peer, as a channel does whose handshake is good. */
export async function meets(test: TestKeeper, { cards }: { readonly cards: HeldCards }, card: string): Promise<void> {
  await test.keeper.change(() => cards.meet(card))
}

/** The device keys of a card that a handshake would accept; null if it is refused. */
export function judged(judge: JudgeCard, card: string, app: string = CHAT): number | null {
  return judge(card, app)?.deviceKeys.length ?? null
}
