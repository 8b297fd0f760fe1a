/** Companions: devices that do not chat, and how the document of a table marks them (docs/format.md, section 11). */
import type { Document } from './document.ts'

/** The document key whose value is a list of device key prefixes in lower-case hex. */
export const COMPANIONS = 'companions'

const MIN_MARK_DIGITS = 4 // format: a shorter prefix marks nothing
const mark = new RegExp(`^[0-9a-f]{${MIN_MARK_DIGITS},64}$`)

/**
 * Finds the device keys that the document marks as companions. It ignores a value that is not a mark or matches no device, so that
 * readers with and without companions accept the same blobs.
 * @param keys device keys of the table, 64 upper-case hex digits each
 */
export function markedCompanions(document: Document, keys: readonly string[]): ReadonlySet<string> {
  const value = document.find(([key]) => key === COMPANIONS)?.[1]
  if (value === undefined || typeof value === 'string') return new Set()
  const marks = value.filter((text) => mark.test(text)).map((text) => text.toUpperCase())
  return new Set(keys.filter((key) => marks.some((digits) => key.startsWith(digits))))
}

/**
 * The marks of a table: for each companion the shortest key prefix that no other device shares. A position in the table would take fewer
 * bytes, but an older writer that reorders devices would move the mark to another one.
 */
export function companionMarks(devices: readonly { readonly key: string; readonly companion?: true }[]): string[] {
  return devices
    .filter((device) => device.companion)
    .map(({ key }) => {
      const others = devices.filter((device) => device.key !== key)
      let digits = MIN_MARK_DIGITS
      while (others.some((device) => device.key.startsWith(key.slice(0, digits)))) digits++
      return key.slice(0, digits).toLowerCase()
    })
}
