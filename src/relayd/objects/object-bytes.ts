/** The bytes of objects, wherever a relay keeps them. They count only by a record, which comes first and goes first. */
import type { Readable } from 'node:stream'
import { PersonadError } from '../../errors/personad-error.ts'
import type { ObjectPlace } from '../store/object-store.ts'

/** The bytes of an object are not as its record says: somebody else changed them, or the disk lost them. */
export class ObjectFileError extends PersonadError<'OBJECT_DAMAGED'> {
  override readonly name = 'ObjectFileError'
}

/** A part of an object: the positions of its first and of its last byte. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

export interface ObjectBytes {
  /**
   * Writes an object. When it returns, the object survives a power cut; when it throws, no byte of it is left.
   * @param counted resolves once the object has its record: before that, no byte of it is in its place
   * @throws the error of `parts`, or of `counted`
   */
  write(place: ObjectPlace, parts: AsyncIterable<Uint8Array>, counted?: () => Promise<void>): Promise<void>
  /**
   * Reads a part of an object, as fast as it is taken. The reader ends or destroys the stream.
   * @param bytes that the object has
   * @throws {ObjectFileError} OBJECT_DAMAGED; the error of the system
   */
  read(place: ObjectPlace, bytes: number, range: ByteRange): Promise<Readable>
  /** Removes an object. One that is not there is no error. */
  remove(place: ObjectPlace): Promise<void>
  /** Gives the place of each object that may have no record. */
  places(): AsyncIterable<ObjectPlace>
}
