/** Daemons of one owner that show cards, for stories about them. */
import { signCard, type Card, type CardEntry } from '../../src/card/card.ts'
import { verifyCard, type VerifiedCard } from '../../src/card/verify.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { positionOf } from '../../src/daemon/own/own-records.ts'
import { OWN_APPS, OWN_APPS_ID, type OwnApp } from '../../src/daemon/cards/kept/records.ts'
import { tagUnder, readOf } from '../../src/daemon/cards/tags.ts'
import { ownOf } from '../../src/daemon/state/view.ts'
import type { TestKeeper } from './keeper.ts'
import { CHAT, DAY_SEC } from './people-cards.ts'
import { engine, seedOf } from './person.ts'

/** The card of the own persona that counts here. */
export function ownCardOf(
  { cards }: { readonly cards: { own(app: string): string | null } },
  app: string = CHAT,
): VerifiedCard {
  return verifyCard(cards.own(app)!, engine)
}

/** How this device stands in the card of an app. */
export function ownAppOf(test: TestKeeper, app: string = CHAT): OwnApp {
  const record = test.keeper.onDisk.of(OWN_APPS).get(OWN_APPS_ID)!
  return record.apps.find((one) => one.app === app)!
}

/** The keys of devices in a card, by what the names of their keys stand for. */
export function sigsOf({ devices }: Pick<VerifiedCard, 'devices'>): string[] {
  return devices.map(({ sig }) => formatHex(sig))
}

/** An entry under the tag of one of the owner's devices. */
export function entryFor(test: TestKeeper, device: string, keys: string = device): CardEntry {
  const { persona } = ownOf(test.keeper.onDisk)!
  return {
    tag: tagUnder(readOf(persona, test.keeper), persona.root, device, engine),
    sig: engine.signKeyPair(seedOf(`own sig ${keys}`)).publicKey,
    enc: engine.boxPublicKey(seedOf(`own enc ${keys}`)),
  }
}

/** A card signed by the key that this device holds: by a sibling, or by a thief. */
export function forgeCard(test: TestKeeper, wishes: Partial<Card> & { readonly seq: number }): string {
  const { own } = ownOf(test.keeper.onDisk)!
  const card: Card = {
    chain: positionOf(own),
    app: CHAT,
    prev: wishes.seq === 1 ? null : new Uint8Array(32).fill(3),
    issuedAtSec: test.nowSec,
    expiresAtSec: test.nowSec + 30 * DAY_SEC,
    devices: [],
    inboxes: [],
    stores: [],
    ...wishes,
  }
  return signCard(card, test.custody.signer(own.epoch))
}
