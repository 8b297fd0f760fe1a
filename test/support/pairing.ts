/** Pairs two keepers, with an optional attacker between them. */
import type { Carrier, PairingStep } from '../../src/ipc/shapes/pairing.ts'
import type { JoinParams } from '../../src/ipc/methods/custody.ts'
import type { TestKeeper } from './keeper.ts'

export interface PairStory {
  readonly carrier?: Carrier
  readonly join?: Partial<JoinParams>
  /** Sees, and may change, every message in transit. The old device's messages are `old`. */
  readonly onWay?: (message: string, from: 'old' | 'joining') => string
  /** Called when both screens show the words. */
  readonly onCompare?: (old: PairingStep, joining: PairingStep) => Promise<void> | void
}

export interface Paired {
  readonly code: string
  readonly old: PairingStep
  readonly joining: PairingStep
  readonly messages: readonly { readonly from: 'old' | 'joining'; readonly message: string }[]
}

/** A complete pairing, as two command lines run it. */
export async function pair(old: TestKeeper, joining: TestKeeper, story: PairStory = {}): Promise<Paired> {
  const carrier = story.carrier ?? 'connection'
  const messages: Paired['messages'][number][] = []
  const over = (from: 'old' | 'joining', step: PairingStep): string => {
    const message = story.onWay?.(step.send!, from) ?? step.send!
    messages.push({ from, message })
    return message
  }
  const { words } = await old.call('pairing.offer', { carrier })
  const code = words.join(' ')
  await joining.call('pairing.join', { code, carrier, ...story.join })
  const first = over('old', await old.call('pairing.carry'))
  const there = await joining.call('pairing.carry', { message: first })
  const here = await old.call('pairing.carry', { message: over('joining', there) })
  await story.onCompare?.(here, there)
  await old.call('pairing.confirm')
  const confirmed = await joining.call('pairing.confirm')
  if (carrier === 'connection') await old.call('pairing.carry', { message: over('joining', confirmed) })
  let [mine, theirs] = [here, there]
  while (theirs.state !== 'done') {
    mine = await old.call('pairing.carry')
    theirs = await joining.call('pairing.carry', { message: over('old', mine) })
  }
  if (carrier === 'connection') mine = await old.call('pairing.carry', { message: over('joining', theirs) })
  return { code, old: mine, joining: theirs, messages }
}
