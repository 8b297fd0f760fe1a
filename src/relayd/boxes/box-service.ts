/** The seam between the relay's HTTP server and its boxes. */
import type { BoxAnswer, BoxMessage } from '../../relay/wire.ts'

export interface BoxCaller {
  /** The caller's address as HMAC under the key of the day: never the address itself. */
  readonly address: string
}

/** A box that a client waits for, and what it has processed there. */
export interface Awaited {
  readonly pub: string
  readonly at: number
}

/** A message that still goes to the disk, and the moment after which it is the first one. */
export interface ComingMessage extends BoxMessage {
  readonly after: number
}

/** @param pub as it was given @param coming null once a message can be read */
export type BoxNews = (pub: string, coming: ComingMessage | null) => void

export interface BoxService {
  /** Answers the body of `POST /`, already parsed from JSON. Never rejects for bad input. */
  answer(body: unknown, caller: BoxCaller): Promise<BoxAnswer>
  /** Answers as `check` does, for a stream of `POST /wait`. */
  check(awaited: Awaited, caller: BoxCaller): Promise<BoxAnswer>
  /** Reads messages after `at`, at most `limit`, without a proof: for a stream that the owner has named beside one. */
  read(awaited: Awaited, limit: number): Promise<readonly BoxMessage[]>
  /** Calls the listener after a message came into a box, and perhaps before, with the message. @returns the end of it */
  watch(pubs: readonly string[], listener: BoxNews): () => void
}
