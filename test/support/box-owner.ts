/** The owner of a box at a relay, with nothing but requests: for tests that look at the answers themselves. */
import { answerQuestion } from '../../src/relay/answer-question.ts'
import type { BoxMessage } from '../../src/relay/wire.ts'
import { formatBoxKey } from '../../src/seal/box-key.ts'
import { generateBoxKeyPair, type BoxKeyPair } from '../../src/seal/key-pair.ts'

const MAX_TRIES = 2000 // sanity: each takes at least a millisecond, and a second has to pass at most

/** Sends one request to a relay. */
export type Post = (body: unknown) => Promise<unknown>

interface Answer {
  readonly ok: boolean
  readonly error?: string
  readonly question?: string
  readonly messages?: readonly BoxMessage[]
}

export class BoxOwner {
  readonly pair: BoxKeyPair
  readonly pub: string

  private constructor(pair: BoxKeyPair) {
    this.pair = pair
    this.pub = formatBoxKey(pair.key)
  }

  static async make(): Promise<BoxOwner> {
    return new BoxOwner(await generateBoxKeyPair('x25519'))
  }

  /** Asks for a question and answers it. @param origin of the relay that is called */
  async answer(post: Post, origin: string): Promise<string> {
    const checked = (await post({ pub: this.pub, ext: null, action: 'check', at: 0, ask: true })) as Answer
    if (checked.question === undefined) throw new Error(`no question: ${JSON.stringify(checked)}`)
    return await answerQuestion(this.pair, origin, checked.question, Math.floor(Date.now() / 1000))
  }

  /**
   * Reads all messages after `at`, at most 128. A relay that started in this second takes no answer yet: the question could be from before its
   * start, and the answer used. So it asks again, as an app does.
   */
  async receive(post: Post, origin: string, at = 0): Promise<readonly BoxMessage[]> {
    let got: Answer = { ok: false }
    for (let n = 0; n < MAX_TRIES; n++) {
      const answer = await this.answer(post, origin)
      got = (await post({ pub: this.pub, ext: null, action: 'receive', answer, at, limit: 128 })) as Answer
      if (got.messages !== undefined) return got.messages
      if (got.error !== 'Wrong answer') break
    }
    throw new Error(`nothing received: ${JSON.stringify(got)}`)
  }
}

/** A key that nobody has a secret of. */
export function madeUpKey(random: (bytes: number) => Uint8Array): string {
  const bytes = random(32)
  bytes[31]! &= 0x7f
  return Buffer.from(bytes).toString('base64url')
}
