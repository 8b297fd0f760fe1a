/** Large contents of apps, piece by piece on the disk until the message is sealed. Each app has one that is not whole. */
import { MAX_PIECE_BYTES } from '../../../ipc/methods/app-params.ts'
import type { Upload } from '../../wing/pieces.ts'
import { badForm } from '../records/errors.ts'
import { inChange, onDisk, type MessagesMeans } from '../records/means.ts'
import { numbered } from '../../sealed/numbered.ts'
import { hashed } from '../../sealed/hashed.ts'
import { UPLOAD } from '../records/kinds.ts'

/** Keeps a piece. @throws {MessagesError} MESSAGE_FORM */
export async function keepPiece(app: string, upload: Upload, bytes: Uint8Array, means: MessagesMeans): Promise<void> {
  const { total, offset } = upload
  if (offset === 0) await dropOthers(app, upload, means)
  else if (onDisk(means, UPLOAD).get(pieceId(app, upload.name, offset - MAX_PIECE_BYTES, means)) === undefined)
    throw badForm(`the piece before ${offset} of ${total} bytes has not come`, 'send the pieces in order')
  await means.keeper.change(() => inChange(means, UPLOAD).put(pieceId(app, upload.name, offset, means), bytes))
}

/** The pieces of a whole upload. @throws {MessagesError} MESSAGE_FORM if one is missing */
export async function* piecesOf(
  app: string,
  { name, total }: Upload,
  means: MessagesMeans,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < total; offset += MAX_PIECE_BYTES) {
    const piece = onDisk(means, UPLOAD).get(pieceId(app, name, offset, means))
    if (piece === undefined) throw badForm('a piece of the upload is missing', 'begin it anew')
    yield piece
  }
}

/** Inside of a change. */
export function dropPieces(app: string, { name, total }: Upload, means: MessagesMeans): void {
  const pieces = inChange(means, UPLOAD)
  for (let offset = 0; offset < total; offset += MAX_PIECE_BYTES) pieces.delete(pieceId(app, name, offset, means))
}

/** An app that begins another upload has given up the one before, so no app can fill the disk. */
async function dropOthers(app: string, { name }: Upload, means: MessagesMeans): Promise<void> {
  const own = `${hashed(app, name, means.keeper.engine)}/`
  const ids = await Array.fromAsync(onDisk(means, UPLOAD).ids(`${app}/`))
  const stale = ids.filter((id) => !id.startsWith(own))
  if (stale.length === 0) return
  await means.keeper.change(() => {
    for (const id of stale) inChange(means, UPLOAD).delete(id)
  })
}

function pieceId(app: string, name: string, offset: number, { keeper }: MessagesMeans): string {
  return numbered(hashed(app, name, keeper.engine), offset)
}
