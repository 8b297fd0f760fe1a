/** Errors of records as errors of a carrier, and the trouble that lines have with them now. */
import { RecordError, type RecordErrorCode } from '../../../record/errors.ts'
import { CarrierError, type CarrierErrorCode } from '../errors.ts'

export const RETRY_MS = 10_000 // sanity: as soon as a reader looks again

const CODES: Readonly<Record<RecordErrorCode, CarrierErrorCode>> = {
  RECORD_ADDRESS: 'CARRIER_DENIED',
  RECORD_SLOT: 'CARRIER_DENIED',
  RECORD_KEY: 'CARRIER_DENIED',
  RECORD_SPENT: 'CARRIER_DENIED',
  RECORD_OLD_SERVER: 'CARRIER_DENIED',
  RECORD_TOO_LARGE: 'DATA_TOO_LARGE',
  RECORD_FORGED: 'CARRIER_STRANGE',
  RECORD_ROLLED_BACK: 'CARRIER_STRANGE',
  RECORD_SECOND_WRITER: 'CARRIER_STRANGE',
  RECORD_STRANGE: 'CARRIER_STRANGE',
  RECORD_TORN: 'CARRIER_AWAY',
  RECORD_VANISHED: 'CARRIER_AWAY',
  RECORD_AWAY: 'CARRIER_AWAY',
  RECORD_CLOSED: 'CARRIER_AWAY',
}

/** Does work with records. @throws {CarrierError} any code but NO_CARRIER */
export async function withRecords<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof RecordError)) throw cause
    const { code, message, hint } = cause
    throw new CarrierError(CODES[code], message, { hint, retryAfterMs: RETRY_MS, cause })
  }
}

/** Work for a line that failed, and has not succeeded since. */
export interface Trouble {
  readonly lineId: string
  readonly error: RecordError
}

/** The trouble of all lines of a carrier. */
export class Troubles {
  /** By line and kind of work. */
  readonly #last = new Map<string, Trouble>()

  /** Does work for a line, and notes how it ended. @throws {CarrierError} any code but NO_CARRIER */
  async during<Result>(lineId: string, kind: 'send' | 'receive', work: () => Promise<Result>): Promise<Result> {
    const key = `${kind} ${lineId}`
    try {
      const result = await withRecords(work)
      this.#last.delete(key)
      return result
    } catch (failure) {
      const cause = failure instanceof CarrierError ? failure.cause : null
      if (cause instanceof RecordError) this.#last.set(key, { lineId, error: cause })
      throw failure
    }
  }

  /** Whether the network did not answer the last reader of a line. */
  wasAway(lineId: string): boolean {
    return this.#last.get(`receive ${lineId}`)?.error.code === 'RECORD_AWAY'
  }

  /** Notes what a reader found missing. */
  note(lineId: string, error: RecordError): void {
    this.#last.set(`receive ${lineId}`, { lineId, error })
  }

  /** @param isLine whether there is still such a line; the trouble of others is forgotten */
  list(isLine: (lineId: string) => boolean): Trouble[] {
    for (const [key, { lineId }] of this.#last) if (!isLine(lineId)) this.#last.delete(key)
    return [...this.#last.values()]
  }
}
