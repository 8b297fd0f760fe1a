/**
 * Judges on its own what a device shows: its key and its text, without the head of any persona (docs/format.md, sections 2 and 5). Only a
 * short status needs a head: it stands for one.
 */
import { checkDeviceKey } from '../../core/blob.ts'
import { parseHex } from '../../core/encoding/bytes.ts'
import { BlobError } from '../../core/errors.ts'
import { newestSighting } from '../../core/consent.ts'
import { judgeStatus, type VerifiedBlob } from '../../core/verify.ts'
import type { ShortStatus } from '../../core/announce/short.ts'
import { sameHead } from '../personas/heads.ts'
import type { DeviceRecord } from '../state/device-record.ts'
import type { State } from '../state/state.ts'
import { headShownBy, shortIn } from './short.ts'

/** Codes of a token that a client cut or altered. All others mean that somebody forged it. */
const DAMAGED: ReadonlySet<string> = new Set([
  'TOKEN_DAMAGED',
  'TOKEN_NOT_CANONICAL',
  'BLOB_TRUNCATED',
  'TOKEN_TOO_LONG',
])

/** `short`: what stands for the blob, if no blob was in the text. */
export type Shown =
  | {
      readonly shown: 'valid'
      readonly blob: VerifiedBlob
      readonly isQuote: boolean
      readonly short: ShortStatus | null
    }
  | { readonly shown: 'short'; readonly short: ShortStatus }
  | { readonly shown: 'none' | 'empty' }
  | { readonly shown: 'damaged' | 'invalid'; readonly code: string }

/** @param named a verified blob that the text is known to name, if it is a short status; null to look for one among the records */
export function readShown(
  text: string,
  key: string,
  { reports }: DeviceRecord,
  named: VerifiedBlob | null,
  state: State,
): Shown {
  if (text === '') return { shown: 'empty' }
  try {
    const {
      blob,
      fragment,
      isShown,
      short: encoded,
    } = judgeStatus(text, state.engine, state.inceptions, (token) => sameHead(token, state))
    if (blob !== null) return { shown: 'valid', blob, isQuote: !isShown, short: null }
    const short = shortIn(encoded, state)
    if (short !== null) {
      const head = named ?? headShownBy(key, short, state)
      return head === null ? { shown: 'short', short } : { shown: 'valid', blob: head, isQuote: false, short }
    }
    const hadBlob = newestSighting(reports) !== null
    return fragment && hadBlob ? { shown: 'damaged', code: 'TOKEN_DAMAGED' } : { shown: 'none' }
  } catch (error) {
    if (!(error instanceof BlobError)) throw error
    return { shown: DAMAGED.has(error.code) ? 'damaged' : 'invalid', code: error.code }
  }
}

/** A client may have any 32 bytes in its friend list. Returns why they cannot be a device key; null if they can. */
export function deviceKeyFault(key: string): string | null {
  try {
    checkDeviceKey(parseHex(key) ?? new Uint8Array())
    return null
  } catch (error) {
    if (error instanceof BlobError) return error.code
    throw error
  }
}
