/** The base of every error that this project makes. Its code is stable and has one cause; its texts hold nothing secret. */

export interface PersonadErrorOptions extends ErrorOptions {
  /** Tells what to do, in words that fit every client: it names no command. */
  readonly hint?: string
  /** Further facts for programs. */
  readonly details?: Readonly<Record<string, unknown>>
}

export abstract class PersonadError<Code extends string = string> extends Error {
  readonly code: Code
  /** Advice for the user; null where the caller knows better. */
  readonly hint: string | null
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: Code, message: string, options: PersonadErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.hint = options.hint ?? null
    this.details = options.details ?? {}
  }
}
