/**
 * The anchor: a small file beside LevelDB that holds the number of the last acknowledged commit, so that a loss is noticed (docs/decisions/0004).
 *
 * LevelDB drops what it cannot read and goes on: after one flipped byte in its log it opens without an error and without 50 of 100
 * synced keys. So each batch carries its number (commit-mark.ts), and a commit goes: (1) LevelDB writes batch n and syncs it;
 * (2) slot n mod 2 of the anchor gets n, synced; (3) the callers are told. One batch is under way at a time. A crash
 *   - before or in (1): LevelDB ends at n-1, or at n if the batch got to disk; the anchor says n-1; nobody was told. Old or new: both fine.
 *   - between (1) and (2): LevelDB ends at n, the anchor says n-1. The commit took effect though nobody was told: allowed, as for any
 *     caller that loses its connection at the wrong moment.
 *   - in (2), slot half written: its checksum fails, and the other slot says n-1.
 *   - after (2): both say n.
 * Thus LevelDB at or above the anchor is always right, and LevelDB below it has always lost something that was acknowledged. Several
 * callers in one batch change nothing: they are told together. An error instead of a crash stops the store, and the next start finds
 * one of the same states. The anchor is made after the first batch, when there is nothing to lose: no anchor is right only up to commit 1.
 * One slot damaged costs one commit of sharpness; both cannot come from a crash, since only one is ever being written.
 *
 * Measured on ext4: 0.17 ms for a commit without, 0.30 ms with (0.22 ms if both were written at once, but then the loss of the
 * last commit would look like a crash for ever).
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { concatBytes, encodeUtf8, equalBytes, readU32, u32be } from '../core/encoding/bytes.ts'
import { writeFileDurably } from '../durable/file.ts'
import { decodeMark, encodeMark, MARK_BYTES } from './commit-mark.ts'
import type { CommitMark } from './commit-mark.ts'
import { crc32c } from './crc32c.ts'
import { corruptFile } from './errors.ts'

const MAGIC = encodeUtf8('personad-anchor\n')
const SLOT_BYTES = MAGIC.length + MARK_BYTES + 4 // magic || mark || CRC-32C of both
const SLOT_STRIDE = 4096 // each slot in a sector of its own, also on disks with large ones: a torn write spares the other
const FILE_BYTES = 2 * SLOT_STRIDE

function encodeSlot(mark: CommitMark): Uint8Array {
  const body = concatBytes(MAGIC, encodeMark(mark))
  return concatBytes(body, u32be(crc32c(body)))
}

function decodeSlot(slot: Uint8Array): CommitMark | null {
  const body = slot.subarray(0, SLOT_BYTES - 4)
  if (!equalBytes(body.subarray(0, MAGIC.length), MAGIC) || readU32(slot, body.length) !== crc32c(body)) return null
  return decodeMark(body.subarray(MAGIC.length))
}

function slotOffset(number: number): number {
  return (number % 2) * SLOT_STRIDE
}

/** An open anchor. One call of write at a time. */
export class Anchor {
  readonly #handle: FileHandle
  readonly mark: CommitMark

  /** @param mark what the file said when it was opened */
  constructor(handle: FileHandle, mark: CommitMark) {
    this.#handle = handle
    this.mark = mark
  }

  /** Resolves when the mark is on disk. Rejects with the system's error. */
  async write(mark: CommitMark): Promise<void> {
    const { bytesWritten } = await this.#handle.write(encodeSlot(mark), 0, SLOT_BYTES, slotOffset(mark.number))
    if (bytesWritten !== SLOT_BYTES) throw new Error(`only ${bytesWritten} of ${SLOT_BYTES} bytes were written`)
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

/** Makes the anchor of a new store; the caller saw that there is none. */
export async function createAnchor(path: string, mark: CommitMark): Promise<void> {
  const bytes = new Uint8Array(FILE_BYTES)
  bytes.set(encodeSlot(mark), slotOffset(mark.number))
  await writeFileDurably(path, bytes, { mode: 0o600 })
}

/**
 * Opens the anchor, or gives null when there is none.
 * @throws {StoreError} STORE_CORRUPT when neither slot can be read; the system's error otherwise
 */
export async function openAnchor(path: string): Promise<Anchor | null> {
  let handle: FileHandle
  try {
    // O_DSYNC: each write returns when it is on disk, in one call instead of two.
    handle = await open(path, constants.O_RDWR | constants.O_DSYNC | constants.O_NOFOLLOW)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw cause
  }
  try {
    const bytes = new Uint8Array(FILE_BYTES)
    await handle.read(bytes, 0, FILE_BYTES, 0)
    const marks = [0, SLOT_STRIDE].map((at) => decodeSlot(bytes.subarray(at, at + SLOT_BYTES)))
    const newest = marks.filter((mark) => mark !== null).sort((a, b) => b.number - a.number)[0]
    if (newest === undefined) throw corruptFile(path, 0, 'neither of its two entries can be read')
    return new Anchor(handle, newest)
  } catch (cause) {
    await handle.close()
    throw cause
  }
}
