/** Errors of carriers. Each code has one cause; `passes` says whether the same call may succeed later. */
import { PersonadError, type PersonadErrorOptions } from '../../errors/personad-error.ts'

export type CarrierErrorCode =
  | 'NO_CARRIER' // neither a relay nor a folder is configured
  | 'CARRIER_UNKNOWN' // no carrier here serves the address, or the directory is not a configured one
  | 'CARRIER_AWAY' // the folder or the relay cannot be reached now
  | 'CARRIER_FULL' // it takes nothing more now: the disk or the box is full, or somebody was too often there
  | 'CARRIER_READ_ONLY' // the daemon cannot write there now
  | 'CARRIER_DENIED' // it takes nothing from here, for good: no right to send, or an address that is not allowed
  | 'CARRIER_STRANGE' // what it answers is not of a carrier
  | 'DATA_TOO_LARGE' // the data is larger than the carrier takes
  | 'DIRECT_OFF' // the configuration does not allow the direct way

const PASSING: ReadonlySet<CarrierErrorCode> = new Set([
  'CARRIER_AWAY',
  'CARRIER_FULL',
  'CARRIER_READ_ONLY',
  'CARRIER_STRANGE', // a network that asks for a login answers like this, too
])

export interface CarrierErrorOptions extends PersonadErrorOptions {
  readonly hint: string
  readonly retryAfterMs?: number
}

export class CarrierError extends PersonadError<CarrierErrorCode> {
  override readonly name = 'CarrierError'
  declare readonly hint: string
  /** After how many milliseconds a repeat has a chance; null where none has, or where nobody knows. */
  readonly retryAfterMs: number | null

  constructor(code: CarrierErrorCode, message: string, { retryAfterMs, ...options }: CarrierErrorOptions) {
    super(code, message, options)
    this.retryAfterMs = retryAfterMs ?? null
  }

  /** Whether the same call may succeed later, with nothing changed but the time. */
  get passes(): boolean {
    return PASSING.has(this.code)
  }
}
