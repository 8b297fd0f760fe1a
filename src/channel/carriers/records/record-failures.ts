/** Errors of records as errors of a carrier. */
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
