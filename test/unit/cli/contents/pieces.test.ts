import { describe, expect, test } from 'vitest'
import { eachContent, joinPieces, putContent, type PieceParams } from '../../../../src/cli/contents/pieces.ts'
import { MAX_PIECE_BYTES } from '../../../../src/ipc/methods/app-params.ts'
import { codeOf } from '../../../support/code-of.ts'

describe('a content', () => {
  /** The calls that a daemon gets; the last piece gives the number. */
  async function put(bytes: Uint8Array): Promise<readonly PieceParams[]> {
    const pieces: PieceParams[] = []
    const number = await putContent(bytes, async (piece) => {
      pieces.push(piece)
      const isLast = !('upload' in piece) || piece.offset + MAX_PIECE_BYTES >= piece.total
      return await Promise.resolve({ number: isLast ? 7 : null })
    })
    expect(number).toBe(7)
    return pieces
  }

  test.each([MAX_PIECE_BYTES - 1, MAX_PIECE_BYTES])('of %i bytes goes in one call', async (length) => {
    const [piece, ...more] = await put(new Uint8Array(length))
    expect(more).toEqual([])
    expect(piece).not.toHaveProperty('upload')
  })

  test('of more bytes goes in pieces of one upload, and comes back whole', async () => {
    const bytes = Uint8Array.from({ length: 2 * MAX_PIECE_BYTES + 1 }, (_, i) => i % 251)
    const pieces = await put(bytes)
    expect(pieces.map((piece) => 'offset' in piece && piece.offset)).toEqual([0, MAX_PIECE_BYTES, 2 * MAX_PIECE_BYTES])
    expect(new Set(pieces.map((piece) => 'upload' in piece && piece.upload)).size).toBe(1)
    const first = { number: 7, bytes: bytes.length, content: pieces[0]!.content }
    const whole = await joinPieces(
      first,
      async (offset) => await Promise.resolve(pieces[offset / MAX_PIECE_BYTES]?.content),
    )
    expect(Buffer.from(whole.content, 'base64').equals(bytes)).toBe(true)
  })

  test('whose pieces end before its length is an error', async () => {
    const first = { number: 7, bytes: 9, content: '' }
    expect(await codeOf(joinPieces(first, async () => await Promise.resolve(undefined)))).toBe('OUTPUT_FAILED')
  })

  test('comes after the one before it, on every page', async () => {
    const seen: [number, number][] = []
    const content = (number: number): { number: number; bytes: number; content: string } => ({
      number,
      bytes: 0,
      content: '',
    })
    const last = await eachContent(
      2,
      async (after) =>
        await Promise.resolve({
          contents: [content(after + 1), content(after + 2)],
          next: after < 4 ? after + 2 : null,
        }),
      async ({ number }, before) => {
        seen.push([number, before])
        await Promise.resolve()
      },
    )
    expect(seen).toEqual([
      [3, 2],
      [4, 3],
      [5, 4],
      [6, 5],
    ])
    expect(last).toBe(6)
  })
})
