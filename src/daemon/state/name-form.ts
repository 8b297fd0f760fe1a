/** Names of contacts: how one is kept, and how two are compared. Pure. */
import { foldNickname } from '../../core/nickname.ts'

const MAX_NAME_CODE_POINTS = 64 // sanity: a Tox name has at most 128 bytes; a column of a list has less

/** A name from a client as it is kept: one line of well-formed text. It is still foreign, and escaped wherever it is shown. */
export function tidyName(name: string): string {
  const line = name
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
  const tidy = [...line].slice(0, MAX_NAME_CODE_POINTS).join('').trim()
  return tidy === '' ? 'unnamed' : tidy
}

/** How names are compared and sorted; what no key of the store may hold is replaced. */
export function foldName(name: string): string {
  return foldNickname(name).toWellFormed().replaceAll('\u{10FFFF}', '\uFFFD')
}
