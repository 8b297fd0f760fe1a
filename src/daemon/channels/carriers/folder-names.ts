/** The names of a folder carrier: subdirectories, files in them, and the first messages of guests (docs/channel.md, section 13). */
import { randomBytes } from 'node:crypto'

const SCHEME = 'folder:'
const DIGITS_BYTES = 8 // format: 16 hex digits; two ends of one folder never get the same

/** Stands in the subdirectory of an end that takes nothing more. */
export const CLOSED_NAME = 'closed'

const FRAME_NAME = /^([1-9][0-9]{0,15})\.frame$/
const FIRST_NAME = /^([0-9a-f]{16})-([0-9a-f]{16})\.m1$/
const DIGITS = /^[0-9a-f]{16}$/

/** The name of a subdirectory, for a new intake. */
export function newDigits(): string {
  return randomBytes(DIGITS_BYTES).toString('hex')
}

export function formatFolderUrl(digits: string): string {
  return SCHEME + digits
}

/** The subdirectory of an intake. @returns null for the intake of another carrier */
export function parseFolderUrl(url: string): string | null {
  const digits = url.startsWith(SCHEME) ? url.slice(SCHEME.length) : ''
  return DIGITS.test(digits) ? digits : null
}

export function isSubdirectoryName(name: string): boolean {
  return DIGITS.test(name)
}

export function frameName(number: number): string {
  return `${number}.frame`
}

/** @returns the number of a frame's file; null for any other name */
export function parseFrameName(name: string): number | null {
  const digits = FRAME_NAME.exec(name)?.[1]
  const number = Number(digits)
  return digits !== undefined && Number.isSafeInteger(number) ? number : null
}

/** The name of a guest's first message, which stands in the folder itself: the host does not know the guest's subdirectory yet. */
export function firstName(host: string, guest: string): string {
  return `${host}-${guest}.m1`
}

/** @returns the subdirectories that a first message names; null for any other name */
export function parseFirstName(name: string): { readonly host: string; readonly guest: string } | null {
  const [, host, guest] = FIRST_NAME.exec(name) ?? []
  return host !== undefined && guest !== undefined ? { host, guest } : null
}
