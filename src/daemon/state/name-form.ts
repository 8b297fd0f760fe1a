/** Names of contacts: the form in which we keep one, and how we compare two. Pure. */
import { foldNickname, withoutInvisible } from '../../core/nickname.ts'

const MAX_NAME_CODE_POINTS = 64 // sanity: a Tox name has at most 128 bytes; a column of a list has less

/**
 * Makes a client's name one line of well-formed text without invisible characters, so that nobody stands beside a friend under a name that
 * looks the same. It is still foreign text, so escape it wherever it is shown.
 */
export function tidyName(name: string): string {
  const line = name.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
  const tidy = [...withoutInvisible(line).normalize('NFC').trim()].slice(0, MAX_NAME_CODE_POINTS).join('').trim()
  return tidy === '' ? 'unnamed' : tidy
}

/** A name from another device of the owner, which may be longer than a client's. */
export function visibleName(name: string): string {
  const visible = withoutInvisible(name).normalize('NFC').trim()
  return visible === '' ? 'unnamed' : visible
}

/** The form in which names are compared and sorted. It replaces characters that no key of the store may hold. */
export function foldName(name: string): string {
  return foldNickname(name).toWellFormed().replaceAll('\u{10FFFF}', '\uFFFD')
}
