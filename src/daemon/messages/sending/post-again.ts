/**
 * Leaves the entry of a message once more, where the devices in the card of its reader have changed since, and one of them lacks it. A relay waits for
 * the devices of the card that it had when the entry came: siblings that rotated apart may each have signed one without the other. Who has the
 * message sends the receipt again.
 */
import type { CardEntry } from '../../../card/card.ts'
import { formatHex } from '../../../core/encoding/bytes.ts'
import type { VerifiedCard } from '../../../card/verify.ts'
import { numbersIn } from '../../sealed/numbered.ts'
import { hashed } from '../../sealed/hashed.ts'
import { currentId } from '../../state/view.ts'
import { onDisk, type MessagesMeans } from '../records/means.ts'
import { SENT, type StoredSent } from '../records/kinds.ts'
import type { Queue } from '../tasks/queue.ts'
import { changeSent } from './sent-states.ts'
import { SENT_LIFE_SEC } from './sender.ts'

export type Side = 'own' | 'peer'

/** The devices that a card lists, whatever their keys `enc`. */
export function devicesMark(app: string, epoch: number, devices: readonly CardEntry[], means: MessagesMeans): string {
  const sigs = devices.map(({ sig }) => formatHex(sig)).toSorted()
  return hashed(app, `${epoch} ${sigs.join(' ')}`, means.keeper.engine)
}

/** The card of a persona for an app may have changed. @throws {CustodyError} APPS_LOCKED @throws {StoreError} */
export async function postAgain(app: string, queue: Queue, means: MessagesMeans): Promise<void> {
  const { keeper } = means
  const device = means.cards.deviceNow(app)
  if (device === null) return
  const lacking: [number, Side, string][] = []
  const peers = new Map<string, VerifiedCard | null>()
  for await (const [id, sent] of onDisk(means, SENT).iterate(`${app}/`)) {
    if (!isPosted(sent) || sent.sentSec + SENT_LIFE_SEC <= keeper.nowSec) continue
    const persona = currentId(sent.to, keeper.onDisk)
    const peer = peers.get(persona) ?? means.cards.counting(persona, app)
    peers.set(persona, peer)
    for (const [side, card] of [
      ['own', device.card],
      ['peer', peer],
    ] as const) {
      const mark = card === null ? undefined : devicesMark(app, card.chain.epoch, card.devices, means)
      const before = sent.posted?.[side]
      if (mark === undefined || before === undefined || before === mark || !lacks(sent, side, card!)) continue
      lacking.push([numbersIn(id)[0]!, side, mark])
    }
  }
  for (const [number, side, mark] of lacking)
    await keeper.change(() => {
      const after = changeSent(app, number, ({ posted }) => ({ posted: { ...posted, [side]: mark } }), means)
      if (after === undefined) return
      const persona = side === 'own' ? device.personaId : after.to
      const task = { do: 'post', persona, sent: number, receipt: null, done: [] } as const
      queue.add(app, task, after.sentSec + SENT_LIFE_SEC)
    })
}

function isPosted({ state, store }: StoredSent): boolean {
  return store !== null && (state === 'notified' || state === 'received')
}

/** Whether a device of this side, which the card lists, has sent no receipt. */
function lacks({ devices, receipts }: StoredSent, side: Side, card: VerifiedCard): boolean {
  const listed = new Set(card.devices.map(({ sig }) => formatHex(sig)))
  return devices.some(({ sig, isOwn }) => isOwn === (side === 'own') && listed.has(sig) && !receipts.includes(sig))
}
