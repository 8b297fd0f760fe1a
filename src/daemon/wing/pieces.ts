/** The contents that apps give to channels and messages: whole in one call, or in pieces. */
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { Refusal } from '../../errors/refusal.ts'
import { MAX_PIECE_BYTES } from '../../ipc/methods/app-params.ts'

/** The params of a call that has to do with contents. */
export interface ContentParams {
  readonly content?: string
  readonly text?: string
  readonly key?: string
  readonly upload?: string
  readonly total?: number
  readonly offset?: number
}

/** A piece of a larger content. */
export interface Upload {
  readonly name: string
  readonly total: number
  readonly offset: number
}

/**
 * Reads a content, or a piece of one.
 * @param refuse makes the error for params of another form
 * @returns the upload is null for a content that is whole
 */
export function readPiece(
  params: ContentParams,
  refuse: (message: string, hint: string) => Refusal,
): { readonly bytes: Uint8Array; readonly upload: Upload | null } {
  const { content, text } = params
  if ((content === undefined) === (text === undefined))
    throw refuse('a content is given either as base64 or as a text', 'give one of both')
  const bytes = content === undefined ? encodeUtf8(text!) : new Uint8Array(Buffer.from(content, 'base64'))
  if (bytes.length > MAX_PIECE_BYTES)
    throw refuse(`a call takes ${MAX_PIECE_BYTES} bytes, not ${bytes.length}`, 'send a larger content in pieces')
  return { bytes, upload: uploadOf(params, bytes, refuse) }
}

function uploadOf(
  { upload: name, total, offset, key }: ContentParams,
  { length }: Uint8Array,
  refuse: (message: string, hint: string) => Refusal,
): Upload | null {
  if (name === undefined && total === undefined && offset === undefined) return null
  if (name === undefined || total === undefined || offset === undefined || key !== undefined)
    throw refuse('a piece has an upload, a total and an offset, and no key', 'the upload stands for the key')
  const expected = Math.min(MAX_PIECE_BYTES, total - offset)
  if (offset % MAX_PIECE_BYTES !== 0 || length !== expected || expected < 1)
    throw refuse(
      `the piece at ${offset} of ${total} bytes has ${length} bytes`,
      `cut pieces of ${MAX_PIECE_BYTES} bytes`,
    )
  return { name, total, offset }
}
