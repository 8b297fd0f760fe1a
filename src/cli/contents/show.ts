/** Shows contents: a text as lines, bytes as they are. */
import { once } from 'node:events'
import { decodeUtf8 } from '../../core/encoding/bytes.ts'
import { escapeText } from '../io/escape.ts'
import { countOf } from '../io/layout.ts'
import type { FirstPiece } from './pieces.ts'

/** Writes bytes to stdout as they are. */
export async function writeBytes(bytes: Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
}

/** The lines of a text, escaped. One line with the length stands in for other bytes, and for a text of which only a piece is here. */
export function contentLines({ bytes: length }: Pick<FirstPiece, 'bytes'>, bytes: Uint8Array): string[] {
  const text = length > bytes.length ? null : decodeUtf8(bytes)
  if (text === null) return [`(${countOf(length, 'byte')} that are no text; print them with --raw)`]
  return text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .map(escapeText)
}
