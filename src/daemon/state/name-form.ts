/** Names of contacts: the form in which we keep one, and how we compare two. Pure. */
import { foldNickname } from '../../core/nickname.ts'

const MAX_NAME_CODE_POINTS = 64 // sanity: a Tox name has at most 128 bytes; a column of a list has less

/** Makes a client's name one line of well-formed text. It is still foreign text, so escape it wherever it is shown. */
export function tidyName(name: string): string {
  const line = name
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
  const tidy = [...line].slice(0, MAX_NAME_CODE_POINTS).join('').trim()
  return tidy === '' ? 'unnamed' : tidy
}

/** The form in which names are compared and sorted. It replaces characters that no key of the store may hold. */
export function foldName(name: string): string {
  return foldNickname(name).toWellFormed().replaceAll('\u{10FFFF}', '\uFFFD')
}
