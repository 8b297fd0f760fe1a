/** One thing that `check` tries, and the relay that it tries. */
import { PersonadError } from '../../errors/personad-error.ts'
import type { Outside } from './outside.ts'

export interface CheckedRelay {
  readonly url: string
  readonly outside: Outside
  readonly token: string | null
  readonly nowMs: () => number
  /** The answer of /info; the check `info` sets it. */
  info: Info | null
}

/** The part of /info that checks use. */
export interface Info {
  readonly url: string
  readonly senders: string
  readonly limits: { readonly dataChars: number; readonly objectBytes?: number }
}

export interface Check {
  readonly name: string
  /** Nothing else can be tried without it. */
  readonly isNeeded: boolean
  /** @returns what it found @throws {Failure} */
  run(relay: CheckedRelay): Promise<string>
}

/** A check that failed, with what the operator can do. */
export class Failure extends PersonadError<'CHECK_FAILED'> {
  override readonly name = 'Failure'

  constructor(message: string, options?: ErrorOptions) {
    super('CHECK_FAILED', message, options)
  }
}
