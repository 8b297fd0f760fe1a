/** The boxes of a relay over a store in memory, with a clock that the test moves, and their owners. */
import { createHash } from 'node:crypto'
import { answerQuestion } from '../../src/relay/answer-question.ts'
import { RELAY_LIMITS, type RelayLimits } from '../../src/relay/limits.ts'
import type { BoxAnswer } from '../../src/relay/wire.ts'
import { Boxes } from '../../src/relayd/boxes/boxes.ts'
import { MemoryRelayStore } from '../../src/relayd/store/memory-relay-store.ts'
import { storeLimitsOf } from '../../src/relayd/store/rules.ts'
import type { RelayStore } from '../../src/relayd/store/relay-store.ts'
import { formatBoxKey, type BoxSuite } from '../../src/seal/box-key.ts'
import { generateBoxKeyPair, importBoxKeyPair, type BoxKeyPair } from '../../src/seal/key-pair.ts'

export const ORIGIN = 'https://relay.example'
export const START_US = 1_700_000_000_500_000 // half a second after a full one

export interface TestRelay {
  readonly boxes: Boxes
  readonly store: RelayStore
  /** Sends the body of a `POST /`, by default from an address of its own each time, which no limit of addresses hits. */
  ask(body: unknown, address?: string): Promise<BoxAnswer>
  nowUs: number
  /** Moves the clock. */
  pass(sec: number): void
}

export interface TestRelayOptions {
  readonly origin?: string
  readonly key?: Uint8Array
  readonly tokens?: readonly string[]
  readonly limits?: Partial<RelayLimits>
  readonly store?: (store: RelayStore) => RelayStore
}

export function testRelay(options: TestRelayOptions = {}): TestRelay {
  const limits = { ...RELAY_LIMITS, ...options.limits }
  const memory = new MemoryRelayStore(storeLimitsOf(limits))
  const store = options.store?.(memory) ?? memory
  let randoms = 0
  let addresses = 0
  const { tokens } = options
  const boxes = new Boxes({
    store,
    origin: options.origin ?? ORIGIN,
    key: options.key ?? new Uint8Array(32).fill(1),
    tokens: tokens === undefined ? null : () => tokens,
    limits,
    nowUs: () => relay.nowUs,
    random: (bytes) => new Uint8Array(createHash('sha512').update(`nonce ${randoms++}`).digest()).subarray(0, bytes),
  })
  const relay: TestRelay = {
    boxes,
    store,
    nowUs: START_US,
    ask: async (body, address = `caller ${addresses++}`) => await boxes.answer(body, { address }),
    pass: (sec) => void (relay.nowUs += sec * 1_000_000),
  }
  return relay
}

/** A box with its key pair, which it makes once a name. */
export class TestOwner {
  readonly pair: BoxKeyPair
  readonly pub: string

  private constructor(pair: BoxKeyPair) {
    this.pair = pair
    this.pub = formatBoxKey(pair.key)
  }

  static async of(name: string): Promise<TestOwner> {
    const secret = createHash('sha256').update(`box ${name}`).digest()
    return new TestOwner(await importBoxKeyPair('x25519', secret))
  }

  static async new(suite: BoxSuite): Promise<TestOwner> {
    return new TestOwner(await generateBoxKeyPair(suite))
  }

  send(data: string, ext: string | null = null): Record<string, unknown> {
    return { pub: this.pub, ext, action: 'send', data }
  }

  check(at = 0, ask?: boolean): Record<string, unknown> {
    return { pub: this.pub, ext: null, action: 'check', at, ...(ask === undefined ? {} : { ask }) }
  }

  /** The question that the relay asks. */
  async question(relay: TestRelay): Promise<string> {
    const checked = await relay.ask(this.check(0, true))
    if (!checked.ok || !('question' in checked)) throw new Error(`no question: ${JSON.stringify(checked)}`)
    return checked.question
  }

  /** An answer to a new question. */
  async answer(relay: TestRelay): Promise<string> {
    const question = await this.question(relay)
    return await answerQuestion(this.pair, ORIGIN, question, Math.floor(relay.nowUs / 1_000_000))
  }

  async receive(relay: TestRelay, at = 0, limit = 1): Promise<BoxAnswer> {
    return await relay.ask(this.receiveBody(await this.answer(relay), at, limit))
  }

  receiveBody(answer: string, at: unknown = 0, limit: unknown = 1): Record<string, unknown> {
    return { pub: this.pub, ext: null, answer, action: 'receive', at, limit }
  }

  retireBody(answer: string): Record<string, unknown> {
    return { pub: this.pub, ext: null, answer, action: 'retire' }
  }
}
