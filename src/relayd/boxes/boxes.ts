/** The answers of a box to send, check, receive and retire, over any store (docs/relay.md). */
import type { RelayLimits } from '../../relay/limits.ts'
import type {
  BoxAnswer,
  BoxError,
  BoxMessage,
  CheckAnswer,
  ReceiveAnswer,
  Refused,
  RetireAnswer,
  SendAnswer,
} from '../../relay/wire.ts'
import type { Bucket, Message, RelayStore } from '../store/relay-store.ts'
import type { Awaited, BoxCaller, BoxNews, BoxService } from './box-service.ts'
import { Questions } from './questions.ts'
import {
  boxIdOf,
  canBeAsked,
  parseAt,
  readCall,
  readKey,
  type CheckCall,
  type ReceiveCall,
  type RetireCall,
  type SendCall,
} from './request.ts'
import { hasRight } from './send-rights.ts'
import { Watchers } from './watchers.ts'

export interface BoxesOptions {
  readonly store: RelayStore
  /** Scheme, host and port of the relay, as its clients call it: `https://relay.example`. */
  readonly origin: string
  /** 32 random bytes that outlive a restart: questions are made and checked with them. */
  readonly key: Uint8Array
  /** The tokens of which a sender must prove one; null where everybody may send. With an empty list nobody may. */
  readonly tokens: (() => readonly string[]) | null
  readonly limits: RelayLimits
  readonly nowUs: () => number
  readonly random: (bytes: number) => Uint8Array
}

const FULL_SEC = 60 // sanity: a full box has room when its owner reads, or an hour later; asking once a minute costs little

export class Boxes implements BoxService {
  readonly #options: BoxesOptions
  readonly #questions: Questions
  readonly #watchers: Watchers

  constructor(options: BoxesOptions) {
    const { origin, key, random, limits, store } = options
    this.#options = options
    this.#questions = new Questions({ origin, key, random, questionSec: limits.questionSec })
    this.#watchers = new Watchers(store)
  }

  async answer(body: unknown, caller: BoxCaller): Promise<BoxAnswer> {
    const call = readCall(body, this.#options.limits)
    if (typeof call === 'string') return refused(call)
    switch (call.action) {
      case 'send':
        return await this.#send(call, caller)
      case 'check':
        return (await this.#spend([this.#ofAddress(caller)])) ?? (await this.#check(call, caller))
      case 'receive':
        return await this.#receive(call, caller)
      case 'retire':
        return await this.#retire(call, caller)
    }
  }

  async check({ pub, at }: Awaited, caller: BoxCaller): Promise<BoxAnswer> {
    const key = readKey(pub)
    if (key === null || !canBeAsked(key)) return refused('Bad request')
    if (parseAt(at) === null) return refused('Bad at')
    const { checks } = this.#options.limits.wait
    const call: CheckCall = { action: 'check', key, box: boxIdOf(key, pub), at, ask: false }
    return (await this.#spend([{ key: `wait:${caller.address}`, ...checks }])) ?? (await this.#check(call, caller))
  }

  async read({ pub, at }: Awaited, limit: number): Promise<readonly BoxMessage[]> {
    const key = readKey(pub)
    if (key === null) return []
    const messages = await this.#options.store.read(boxIdOf(key, pub), at, limit, this.#options.nowUs())
    return messages.map(shown)
  }

  watch(pubs: readonly string[], listener: BoxNews): () => void {
    return this.#watchers.watch(pubs, listener)
  }

  /** Ends all watches. The store stays open. */
  close(): void {
    this.#watchers.close()
  }

  async #send({ key, box, ext, data }: SendCall, caller: BoxCaller): Promise<SendAnswer> {
    const { store, tokens, limits, nowUs } = this.#options
    // Before the box is charged: who has no right to send must not use up the sends of those who have.
    if (tokens !== null && !hasRight(tokens(), key, ext)) return refused('Bad ext')
    const isBusy = await this.#spend([this.#ofAddress(caller), { key: `box:${box}`, ...limits.boxSends }])
    if (isBusy !== null) return isBusy
    const { outcome } = await store.send(box, data, caller.address, nowUs())
    switch (outcome) {
      case 'stored':
      case 'renewed':
        return { ok: true }
      case 'used':
        return refused('Used')
      case 'full':
      case 'crowded':
        return refused('Too often', FULL_SEC)
    }
  }

  /** Without a charge: anybody may check, and the question is made anew each time, so a stranger takes nothing from the owner. */
  async #check({ key, box, at, ask }: CheckCall, caller: BoxCaller): Promise<CheckAnswer> {
    const { store, nowUs } = this.#options
    const state = await store.check(box, at, caller.address, nowUs())
    if (state === null) return refused('Too often', FULL_SEC)
    if (!state.found && !ask) return { ok: true, found: false }
    return { ok: true, found: state.found, question: await this.#questions.ask(key, nowUs()) }
  }

  async #receive({ key, box, answer, at, limit }: ReceiveCall, caller: BoxCaller): Promise<ReceiveAnswer> {
    const { store, nowUs } = this.#options
    const isBusy = await this.#spend([this.#ofAddress(caller)])
    if (isBusy !== null) return isBusy
    // A wrong answer never reaches the store. So it takes as long for a box that exists as for one that does not.
    const used = this.#questions.judge(key, answer, nowUs())
    const messages = used === null ? null : await store.receive(box, used, at, limit, nowUs())
    if (messages === null) return refused('Wrong answer')
    const [first] = messages
    return {
      ok: true,
      at: first?.atUs ?? at,
      data: first?.data ?? null,
      ...(limit > 1 ? { messages: messages.map(shown) } : {}),
    }
  }

  async #retire({ key, box, answer }: RetireCall, caller: BoxCaller): Promise<RetireAnswer> {
    const { store, nowUs } = this.#options
    const isBusy = await this.#spend([this.#ofAddress(caller)])
    if (isBusy !== null) return isBusy
    const used = this.#questions.judge(key, answer, nowUs())
    const outcome = used === null ? 'used' : await store.retire(box, used, nowUs())
    if (outcome === 'used') return refused('Wrong answer')
    return outcome === 'full' ? refused('Too often', FULL_SEC) : { ok: true }
  }

  #ofAddress({ address }: BoxCaller): Bucket {
    return { key: `address:${address}`, ...this.#options.limits.address }
  }

  /** @returns null, or the refusal */
  async #spend(buckets: readonly Bucket[]): Promise<Refused | null> {
    const waitMs = await this.#options.store.spend(buckets, this.#options.nowUs())
    return waitMs === 0 ? null : refused('Too often', Math.ceil(waitMs / 1000))
  }
}

function shown({ atUs, data }: Message): BoxMessage {
  return { at: atUs, data }
}

function refused(error: BoxError, retryAfter?: number): Refused {
  return { ok: false, error, ...(retryAfter === undefined ? {} : { retryAfter }) }
}
