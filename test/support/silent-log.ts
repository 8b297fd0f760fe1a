/** A log that nobody reads. */
import type { Log } from '../../src/process/log.ts'

export const silentLog: Log = {
  error: (...entry) => void (process.env['TEST_LOG'] && console.error(...entry)),
  warn: (...entry) => void (process.env['TEST_LOG'] && console.error(...entry)),
  info: () => {},
  debug: (...entry) => void (process.env['TEST_LOG'] && console.error(...entry)),
  setLevel: () => {},
}
