/** `persona version`. */
import { ownVersion } from '../../process/version.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'

export function version(context: Context): Promise<number> {
  print(context, { version: ownVersion() }, [ownVersion()])
  return Promise.resolve(EXIT_DONE)
}
