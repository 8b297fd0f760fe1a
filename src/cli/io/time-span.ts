/** Time spans as people type them: minutes, hours, days or weeks. */
import { CliError } from './errors.ts'

const MAX_SPAN_SEC = 3660 * 86_400 // sanity: the daemon's own limit
const UNIT_SEC: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 7 * 86_400 }

/** Reads minutes, hours, days or weeks. @returns seconds @throws {CliError} USAGE */
export function parseTimeSpan(text: string | undefined): number | null {
  if (text === undefined) return null
  const [, count, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? []
  const seconds = Number(count) * (UNIT_SEC[unit ?? ''] ?? 0)
  if (seconds > MAX_SPAN_SEC) throw new CliError('USAGE', `"${text}" is too long; at most 3660d`)
  if (seconds > 0) return seconds
  throw new CliError('USAGE', `"${text}" is not a time span`, { hint: 'for example: 90m, 12h, 30d or 8w' })
}
