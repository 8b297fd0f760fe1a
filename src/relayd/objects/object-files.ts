/**
 * The bytes of objects, one file each:
 *
 *   objects/kept/PERSONA.NAME     an object that is whole and durable
 *   objects/coming/PERSONA.NAME   an object that its sender is sending
 *
 * A file counts only by its record. Whoever keeps one has made the record before; whoever removes one has removed the record before. So a crash
 * leaves files without a record at most, and {@link ObjectFiles.places} finds those that were kept.
 */
import { constants } from 'node:fs'
import { open, opendir, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { makeDirectoryDurably, writeFileDurably } from '../../durable/file.ts'
import { checkStateDir, isErrno } from '../../store/state-dir.ts'
import type { ObjectPlace } from '../store/object-store.ts'
import { ObjectFileError, type ByteRange, type ObjectBytes } from './object-bytes.ts'

const OPEN_TO_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const READ_BYTES: number = 64 << 10 // sanity: held in memory for each reader, twice
const [DIRECTORY_MODE, FILE_MODE] = [0o700, 0o600]

export class ObjectFiles implements ObjectBytes {
  readonly #kept: string
  readonly #coming: string

  private constructor(kept: string, coming: string) {
    this.#kept = kept
    this.#coming = coming
  }

  /**
   * Opens the files of a data directory whose lock the caller holds, and removes those that their senders did not finish.
   * @throws {StoreError} the codes of checkStateDir; {DurableError} if a directory cannot be made; the error of the system
   */
  static async open(dataDir: string): Promise<ObjectFiles> {
    const [objects, kept, coming] = ['objects', 'objects/kept', 'objects/coming'].map((name) => join(dataDir, name))
    for (const directory of [objects!, kept!, coming!]) {
      await makeDirectoryDurably(directory, { mode: DIRECTORY_MODE })
      await checkStateDir(directory)
    }
    for (const name of await readdir(coming!)) await unlink(join(coming!, name))
    return new ObjectFiles(kept!, coming!)
  }

  /** @throws {DurableError} any of its codes; the error of `parts`, or of `counted` */
  async write(
    place: ObjectPlace,
    parts: AsyncIterable<Uint8Array>,
    counted: () => Promise<void> = async () => {},
  ): Promise<void> {
    const name = fileOf(place)
    const tempPath = join(this.#coming, name)
    await writeFileDurably(join(this.#kept, name), parts, { mode: FILE_MODE, tempPath, beforeRename: counted })
  }

  async read(place: ObjectPlace, bytes: number, { first, last }: ByteRange): Promise<Readable> {
    const path = join(this.#kept, fileOf(place))
    const handle = await open(path, OPEN_TO_READ).catch((cause: unknown) => {
      if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ELOOP')) throw damaged(path, { cause })
      throw cause
    })
    try {
      const found = await handle.stat()
      if (!found.isFile() || found.size !== bytes) throw damaged(path)
      return handle.createReadStream({ start: first, end: last, highWaterMark: READ_BYTES })
    } catch (cause) {
      await handle.close()
      throw cause
    }
  }

  /** The bytes stay on the disk until others take their place. */
  async remove(place: ObjectPlace): Promise<void> {
    await unlink(join(this.#kept, fileOf(place))).catch((cause: unknown) => {
      if (!isErrno(cause, 'ENOENT')) throw cause
    })
  }

  /** Gives the place of each file that has one, a few at a time. */
  async *places(): AsyncGenerator<ObjectPlace, void, void> {
    for await (const { name } of await opendir(this.#kept)) {
      const [, persona, object] = /^([0-9A-F]{64})\.([0-9A-F]{64})$/.exec(name) ?? []
      if (persona !== undefined && object !== undefined) yield { persona, name: object }
    }
  }
}

function fileOf({ persona, name }: ObjectPlace): string {
  return `${persona}.${name}`
}

function damaged(path: string, options?: ErrorOptions): ObjectFileError {
  const message = `${path} is gone, or is not the object that was kept there; restore it from a backup, or delete the object`
  return new ObjectFileError('OBJECT_DAMAGED', message, options)
}
