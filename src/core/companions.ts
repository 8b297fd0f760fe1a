/** Devices that do not chat, and how the document of a table marks them (docs/format.md, section 11). */
import type { Document } from './document.ts'

/** The key of the document: a list of beginnings of device keys, in lower-case hex. */
export const COMPANIONS = 'companions'

const MIN_MARK_DIGITS = 4 // format: a beginning shorter than this marks nothing
const mark = new RegExp(`^[0-9a-f]{${MIN_MARK_DIGITS},64}$`)

/**
 * The keys among these that the document marks. What is no mark, or marks no device, says nothing: a reader that does not know the key
 * takes the same blobs.
 * @param keys 64 upper-case hex digits each
 */
export function markedCompanions(document: Document, keys: readonly string[]): ReadonlySet<string> {
  const value = document.find(([key]) => key === COMPANIONS)?.[1]
  if (value === undefined || typeof value === 'string') return new Set()
  const marks = value.filter((text) => mark.test(text)).map((text) => text.toUpperCase())
  return new Set(keys.filter((key) => marks.some((digits) => key.startsWith(digits))))
}

/**
 * The marks of a table: as few digits of each companion's key as tell it from all other devices. A place in the table would take fewer
 * bytes, but a writer that does not know the mark would move it to another device.
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
