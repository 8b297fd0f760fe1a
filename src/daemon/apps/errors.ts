/** Why an app's call is refused, or a call of the owner about an app. */
import { Refusal } from '../../errors/refusal.ts'

export type AppErrorCode =
  | 'APP_EXISTS'
  | 'APP_EXPIRED'
  | 'APP_NAME_FIXED' // it speaks to the apps of others under another name already
  | 'APP_NAME_NEEDED' // its own name is none for the apps of others
  | 'APP_NAME_TAKEN' // another app has the name, or had it and was revoked
  | 'APP_NAME_USED' // the app that has the name was not revoked
  | 'APP_PENDING' // the owner has not answered its request yet
  | 'APP_TOKEN_UNKNOWN'
  | 'APP_TOO_MANY' // too many apps wait for the owner's answer
  | 'QUOTA_EXCEEDED' // an app reports or requests too much

export class AppError extends Refusal<AppErrorCode> {
  override readonly name = 'AppError'
}
