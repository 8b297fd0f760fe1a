/** Why an app is refused, or the owner's answer to it. */
import { Refusal } from '../../errors/refusal.ts'

export type AppErrorCode =
  | 'APP_EXISTS'
  | 'APP_EXPIRED'
  | 'APP_PENDING' // asked for, and not yet answered
  | 'APP_TOKEN_UNKNOWN'
  | 'APP_TOO_MANY' // wait for the owner's answer
  | 'QUOTA_EXCEEDED' // an app reports or asks too much

export class AppError extends Refusal<AppErrorCode> {
  override readonly name = 'AppError'
}
