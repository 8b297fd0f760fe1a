/** Errors of records. Each code has one cause; `passes` says whether the same call may succeed later. */
import { PersonadError } from '../errors/personad-error.ts'

export type RecordErrorCode =
  | 'RECORD_ADDRESS' // the text is no address of this engine
  | 'RECORD_SLOT' // the record has no such slot, or no record may have so many
  | 'RECORD_TOO_LARGE' // the value is larger than a slot of this record takes
  | 'RECORD_KEY' // the key does not write this record, or the record was opened without one
  | 'RECORD_FORGED' // a slot holds what the key of the record has not signed for it
  | 'RECORD_TORN' // the parts of a value do not fit together: it is being written, or some are lost
  | 'RECORD_ROLLED_BACK' // a slot holds an older value than the one that was known
  | 'RECORD_SECOND_WRITER' // somebody else has the key and writes with it
  | 'RECORD_SPENT' // a slot holds the highest seq there is, so no value can follow
  | 'RECORD_VANISHED' // what was known is not found any more
  | 'RECORD_AWAY' // the network, or the program that reaches it, does not answer now
  | 'RECORD_OLD_SERVER' // the program that reaches the network is too old
  | 'RECORD_STRANGE' // the program that reaches the network answers with something that it never should
  | 'RECORD_CLOSED' // the record was closed before

const PASSING: ReadonlySet<RecordErrorCode> = new Set(['RECORD_TORN', 'RECORD_VANISHED', 'RECORD_AWAY'])

const LOSSES: ReadonlySet<RecordErrorCode> = new Set(['RECORD_VANISHED', 'RECORD_FORGED', 'RECORD_TORN'])

/** Whether a slot holds nothing that can be read, and had something before, perhaps. */
export function isLoss(code: RecordErrorCode): boolean {
  return LOSSES.has(code)
}

export class RecordError extends PersonadError<RecordErrorCode> {
  override readonly name = 'RecordError'
  declare readonly hint: string

  constructor(code: RecordErrorCode, message: string, hint: string, options: ErrorOptions = {}) {
    super(code, message, { hint, ...options })
  }

  /** Whether the same call may succeed later, with nothing changed but the time. */
  get passes(): boolean {
    return PASSING.has(this.code)
  }
}

/** The result, or null if the work fails with a code that is meant. */
export async function nullIf<Result>(
  isMeant: (code: RecordErrorCode) => boolean,
  work: () => Promise<Result>,
): Promise<Result | null> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof RecordError && isMeant(error.code)) return null
    throw error
  }
}
