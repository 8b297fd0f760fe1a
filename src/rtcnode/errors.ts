/** Errors of personad-rtc, and of connections that it does not make. */
import { PersonadError } from '../errors/personad-error.ts'

export type RtcErrorCode =
  | 'RTC_OFF' // the configuration does not allow the direct way
  | 'RTC_LIBRARY' // node-datachannel is not installed, or not made for this machine
  | 'RTC_UNIT_MISSING' // the daemon is a service, and the unit of personad-rtc is not installed
  | 'RTC_FAILED' // personad-rtc crashed, hung, or sent something impossible

export class RtcError extends PersonadError<RtcErrorCode> {
  override readonly name = 'RtcError'
}
