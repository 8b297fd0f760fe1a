/** The owner's own words beside the token: where they come from, and whether they fit. */
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { BlobError } from '../../core/errors.ts'
import { MAX_STATUS_BYTES } from '../../core/limits.ts'
import { ownWords, parseStatus } from '../../core/token.ts'
import type { Client } from '../../ipc/client.ts'
import type { StatusForm, StatusMessage } from '../../ipc/shapes/own.ts'
import { readStatusMessage, type ToxSave } from '../../tox/save/savefile.ts'
import { countOf } from '../io/layout.ts'

/** The status message for a profile, and the words that it has no room for. */
export interface Fitted {
  readonly status: StatusMessage
  /** Empty if all words fit. */
  readonly leftOut: string
  readonly bytesOver: number
}

/** The words that a profile shows. Clients cut at a NUL, and writing one is refused. */
export function shownWords(save: ToxSave): string {
  return ownWords(readStatusMessage(save).text).replaceAll('\0', '')
}

/** The words that an earlier writing left out; empty if there are none. */
export async function keptWords(client: Client, key: string): Promise<string> {
  return (await client.call('profile.words', { key })).words
}

/** The status message with these words, or without them if they do not fit. @param form `short` leads to the table and does not hold it */
export async function fitWords(client: Client, words: string, form: StatusForm = 'table'): Promise<Fitted> {
  const short = form === 'short' ? { short: true } : {}
  const bare = await client.call('blob.get', { words: '', ...short })
  const own = ownWords(words)
  if (own === '') return { status: bare, leftOut: '', bytesOver: 0 }
  const bytesOver = encodeUtf8(`${own} `).length + bare.bytes - MAX_STATUS_BYTES
  if (bytesOver > 0) return { status: bare, leftOut: own, bytesOver }
  return { status: await client.call('blob.get', { words: own, ...short }), leftOut: '', bytesOver: 0 }
}

/** Whether a profile shows a short status. */
export function showsShort(save: ToxSave): boolean {
  try {
    const content = parseStatus(readStatusMessage(save).text)
    return content.kind === 'none' && content.short !== null
  } catch (error) {
    if (error instanceof BlobError) return false
    throw error
  }
}

/** Tells people which words are missing, and what to do. */
export function formatLeftOut({ leftOut, bytesOver }: Pick<Fitted, 'leftOut' | 'bytesOver'>): string[] {
  if (leftOut === '') return []
  return [
    `your own words are left out: they are ${countOf(bytesOver, 'byte')} too long beside the table`,
    'they come back with the next persona publish that has room for them; for other words add --text WORDS',
  ]
}
