/** Which cards of the own persona are due to be signed by this device, and why (docs/card.md, section 5). Pure. */
import { CARD_RESIGN_SEC, type CardEntry } from '../../card/card.ts'
import { lists, wasTakenOut } from '../../card/edit.ts'
import { isExpired, type VerifiedCard } from '../../card/verify.ts'
import { equalBytes } from '../../core/encoding/bytes.ts'
import { MAX_CLOCK_AHEAD_SEC } from '../../core/limits.ts'
import type { OwnApp } from './kept/records.ts'
import { lacksSaid } from './own-places.ts'

/**
 * - `no`: the card that counts lists this device with its present keys.
 * - `epoch`: no card of the present key is there.
 * - `entry`: the card lacks this device, or has other keys of it. It does not know of this device yet.
 * - `places`: the card lacks an inbox or a store that the owner named here.
 * - `time`: the keys are a week old, or the card is over.
 * - `asks`: somebody took this device out of the card, so the owner is asked.
 */
export type Due = 'no' | 'epoch' | 'entry' | 'places' | 'time' | 'asks'

/**
 * @param head the card that counts, of whatever epoch; null if there is none
 * @param own the entry of this device
 * @param epoch of the key that signs
 */
export function dueOf(head: VerifiedCard | null, own: CardEntry, known: OwnApp, epoch: number, nowSec: number): Due {
  const { encSec, listedAt } = known
  if (head === null || head.chain.epoch < epoch) return 'epoch'
  if (!lists(head, own)) {
    const isListed = head.devices.some(({ sig }) => equalBytes(sig, own.sig))
    return !isListed && wasTakenOut(head, own.tag, listedAt) ? 'asks' : 'entry'
  }
  // A clock that was once years ahead must not keep one key for years.
  const isOld = nowSec >= encSec + CARD_RESIGN_SEC || nowSec < encSec - MAX_CLOCK_AHEAD_SEC
  if (isOld || isExpired(head, nowSec)) return 'time'
  return lacksSaid(known, own, head) ? 'places' : 'no'
}
