/**
 * Leaves the entry of a message once more, where the devices in the card of its reader have changed since, and one of them lacks it. A relay waits for
 * the devices of the card that it has: siblings that rotated apart may each have signed one without the other, and nobody else may have read that
 * one. A device that has the message sends the receipt again.
 */
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

/** The devices that the cards of the reader and of the sender list, whatever their keys `enc`, and the cards themselves. A receipt goes by the second one. */
export function cardsMark(app: string, reader: VerifiedCard, own: VerifiedCard, means: MessagesMeans): string {
  return [reader, own].map((card) => markOf(app, card, means)).join(' ')
}

function markOf(app: string, { chain, devices, hash }: VerifiedCard, { keeper }: MessagesMeans): string {
  const sigs = devices.map(({ sig }) => formatHex(sig)).toSorted()
  return `${hashed(app, `${chain.epoch} ${sigs.join(' ')}`, keeper.engine)} ${formatHex(hash)}`
}

/** Whether the devices were the same in each card since: the one of then, or the next one. Others may have been between, which nobody here read. */
function isSameSince(before: string, mark: string, cards: readonly VerifiedCard[]): boolean {
  const [was, is] = [before.split(' '), mark.split(' ')]
  return cards.every(({ prev }, i) => {
    const [devices, hash] = was.slice(2 * i)
    if (devices !== is[2 * i]) return false
    return hash === is[2 * i + 1] || (prev !== null && formatHex(prev) === hash)
  })
}

/** The card of a persona for an app may have changed. @throws {CustodyError} APPS_LOCKED @throws {StoreError} */
export async function postAgain(app: string, queue: Queue, means: MessagesMeans): Promise<void> {
  const { keeper } = means
  const device = means.cards.deviceNow(app)
  if (device === null) return
  const changed: { number: number; side: Side; mark: string; isLacking: boolean }[] = []
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
      const before = sent.posted?.[side]
      if (card === null || before === undefined || !lacks(sent, side, card)) continue
      const mark = cardsMark(app, card, device.card, means)
      const isLacking = !isSameSince(before, mark, [card, device.card])
      if (before !== mark) changed.push({ number: numbersIn(id)[0]!, side, mark, isLacking })
    }
  }
  for (const { number, side, mark, isLacking } of changed)
    await keeper.change(() => {
      const after = changeSent(app, number, ({ posted }) => ({ posted: { ...posted, [side]: mark } }), means)
      if (after === undefined || !isLacking) return
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
