/** The base of the daemon's refusals: the daemon works, and says no to what an owner or an app asks (docs/ipc.md, "Errors"). */
import { PersonadError } from './personad-error.ts'

export abstract class Refusal<Code extends string = string> extends PersonadError<Code> {
  declare readonly hint: string

  constructor(code: Code, message: string, hint: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message, { hint, details })
  }
}
