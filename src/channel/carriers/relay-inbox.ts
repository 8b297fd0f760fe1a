/** The state of an own box of a relay: how far it was processed, and the messages that a stream gave by itself (docs/relay.md, "Waiting"). */
import type { News } from '../../relay/client.ts'
import type { Given, Received } from '../../relay/read-answer.ts'

const QUESTION_MS = 50_000 // sanity: a question is good for 60 s, and its answer has to travel back
const MAX_GIVEN = 16 // sanity: with the greatest data 200 KB a box; where more come at once, one call gets them all
const MAX_KEPT_THERE = 32 // sanity: a quarter of a box: its sender has a window of 64 more
const MAX_KEPT_THERE_BYTES = 131_072 // sanity: an eighth of a box

export class RelayInbox {
  /** Up to where the messages were processed here. */
  processedAt = 0
  /** Up to where the relay knows that, and has deleted them. */
  namedAt = 0
  /** Up to where the relay has given everything; null where that is not known. */
  #givenAt: number | null = null
  /** Not processed yet, in order. */
  #given: Given[] = []
  /** How often given messages were left out here. */
  drops = 0
  /** So many of these times the relay has given all since. */
  #mendedDrops = 0
  #keptThere = 0
  #keptThereBytes = 0
  #question: { readonly question: string; readonly cameMs: number } | null = null

  /** Notes news of a stream. */
  note({ question, message }: Pick<News, 'question' | 'message'>, nowMs: number): void {
    if (question !== null) {
      this.#question = { question, cameMs: nowMs }
      // No stream gives what the relay asks for.
      this.#givenAt = null
    }
    if (message === null) return
    if (this.#given.length >= MAX_GIVEN) {
      this.#given = []
      this.#givenAt = null
      this.drops++
    } else this.#given.push(message)
  }

  /** A question that can still be answered, once; or null. */
  takeQuestion(nowMs: number): string | null {
    const kept = this.#question
    this.#question = null
    return kept !== null && nowMs - kept.cameMs < QUESTION_MS ? kept.question : null
  }

  /**
   * @param at up to where everything is processed
   * @param isFollowed whether a stream gives what comes
   * @returns the messages after it, as far as they are here; null if the relay has to be asked
   */
  after(at: number, isFollowed: boolean): Received[] | null {
    this.processedAt = at
    this.#given = this.#given.filter((each) => each.at > at)
    // A box that is full takes nothing more.
    if (this.#keptThere >= MAX_KEPT_THERE || this.#keptThereBytes >= MAX_KEPT_THERE_BYTES) return null
    let last = at
    const found: Received[] = []
    for (const each of this.#given) {
      // A gap: something that came between them has not come here.
      if (each.after > last) break
      found.push({ at: each.at, data: each.data })
      last = each.at
    }
    if (found.length === 0) return isFollowed && at === this.#givenAt && this.#given.length === 0 ? [] : null
    this.#givenAt = Math.max(last, this.#givenAt ?? 0)
    this.#keptThere += found.length
    for (const { data } of found) this.#keptThereBytes += data.length
    return found
  }

  /**
   * The relay was asked for the messages after `at`, and gave these.
   * @param drops as they were when it was asked
   */
  asked(at: number, messages: readonly Received[], drops: number): void {
    this.named(at)
    // An answer has a limit: what was left out may lie after it, until one is empty.
    if (messages.length === 0) this.#mendedDrops = drops
    this.#givenAt = this.#mendedDrops === this.drops ? (messages.at(-1)?.at ?? at) : null
    this.#keptThere = messages.length
    for (const { data } of messages) this.#keptThereBytes += data.length
  }

  /** The relay has deleted the messages up to `at`. */
  named(at: number): void {
    this.processedAt = Math.max(this.processedAt, at)
    this.namedAt = at
    this.#keptThere = 0
    this.#keptThereBytes = 0
  }
}
