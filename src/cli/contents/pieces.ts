/** Contents that people send and read by hand: in pieces to the daemon, and back. */
import { MAX_PIECE_BYTES } from '../../ipc/methods/app-params.ts'
import { CliError } from '../io/errors.ts'

/** The params of a method that takes a content, or one piece of it. */
export type PieceParams =
  | { readonly content: string }
  | { readonly content: string; readonly upload: string; readonly total: number; readonly offset: number }

/**
 * Hands a content to the daemon, in as many pieces as it takes.
 * @param put makes the call @returns the number that the daemon gave it
 */
export async function putContent(
  bytes: Uint8Array,
  put: (params: PieceParams) => Promise<{ readonly number: number | null }>,
): Promise<number> {
  const piece = (offset: number): string => base64(bytes.subarray(offset, offset + MAX_PIECE_BYTES))
  if (bytes.length <= MAX_PIECE_BYTES) return (await put({ content: piece(0) })).number!
  const upload = crypto.randomUUID()
  for (let offset = 0; ; offset += MAX_PIECE_BYTES) {
    const { number } = await put({ content: piece(offset), upload, total: bytes.length, offset })
    if (number !== null) return number
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** A content, or its first piece. */
export interface FirstPiece {
  readonly number: number
  /** Bytes of the whole content. */
  readonly bytes: number
  /** base64 */
  readonly content: string
}

/**
 * A content with all of its pieces.
 * @param pieceAt the piece that begins at an offset, in base64
 * @throws {CliError} OUTPUT_FAILED
 */
export async function joinPieces<T extends FirstPiece>(
  first: T,
  pieceAt: (offset: number) => Promise<string | undefined>,
): Promise<T> {
  const parts = [Buffer.from(first.content, 'base64')]
  for (let at = parts[0]!.length; at < first.bytes;) {
    const part = Buffer.from((await pieceAt(at)) ?? '', 'base64')
    if (part.length === 0) throw new CliError('OUTPUT_FAILED', `number ${first.number} ends before its length`)
    parts.push(part)
    at += part.length
  }
  return { ...first, content: Buffer.concat(parts).toString('base64') }
}

/**
 * Takes each content after a number in its order, page by page.
 * @param pageAfter a page, and the number to go on after
 * @param take gets a content, or its first piece, and the number before it
 * @returns the number of the last one, or `after`
 */
export async function eachContent<T extends FirstPiece>(
  after: number,
  pageAfter: (after: number) => Promise<{ readonly contents: readonly T[]; readonly next: number | null }>,
  take: (content: T, before: number) => Promise<void>,
): Promise<number> {
  let last = after
  for (let from: number | null = after; from !== null;) {
    const page = await pageAfter(from)
    for (const content of page.contents) {
      await take(content, last)
      last = content.number
    }
    from = page.next
  }
  return last
}
