/** Reads status messages without a daemon and without native code: the public entry `personad/blob` (docs/format.md, section 5). */
import { formatHex } from '../core/encoding/bytes.ts'
import { BlobError } from '../core/errors.ts'
import { nameDevices } from '../core/table.ts'
import { ownWords } from '../core/token.ts'
import { judgeStatus, type VerifiedBlob } from '../core/verify.ts'
import { portableVerifier } from './portable-verify.ts'

export { BlobError }
export type { BlobErrorCode, DocumentErrorCode, NicknameErrorCode } from '../core/errors.ts'

/** One device of a table. */
export interface TableDevice {
  /** Nickname. The format allows no control or bidi characters in it; still escape it for your output. */
  readonly name: string
  /** ToxPk, 64 upper-case hex digits. */
  readonly key: string
  /** Set only on a device that does not chat. It is never the active device. */
  readonly companion?: true
}

/** A table whose signature, chain and document are good. */
export interface VerifiedTable {
  /** K_0, 64 upper-case hex digits. It identifies the persona forever. */
  readonly personaId: string
  /** c_0, 64 upper-case hex digits. Store it with the PersonaID: a table with another c_0 is not of the same persona. */
  readonly chainRoot: string
  /** 0..16. A table of a higher epoch replaces every table of a lower one. */
  readonly epoch: number
  /** 1..2^32-1. Within an epoch, the table with the higher seq is newer. */
  readonly seq: number
  /** The writer's clock, unix seconds. It shows how fresh a table is, never which of two tables is newer. */
  readonly timeSec: number
  /** Devices in the order of the table. The first that is not a companion is the active device. Empty when every device is gone. */
  readonly devices: readonly TableDevice[]
  /**
   * Whether the table lists the device that shows it; null without {@link ReadOptions.from}. A device that is not listed shows a copy. False
   * also if the token is not the last word of the text: then the device quotes it.
   */
  readonly listsSender: boolean | null
}

/**
 * The result of reading a status message.
 * - `none`: the friend shows no persona.
 * - `refused`: the token is damaged, forged or of another version. Keep what you knew about the friend before.
 */
export type StatusReading =
  | { readonly kind: 'none'; readonly words: string }
  | { readonly kind: 'table'; readonly words: string; readonly table: VerifiedTable }
  | { readonly kind: 'refused'; readonly words: string; readonly error: BlobError }

export interface ReadOptions {
  /** ToxPk of the device that shows the text, 64 hex digits of either case. */
  readonly from?: string
  /** Gives the nickname last known for a key, for tables published without names. */
  readonly nickname?: (key: string) => string | undefined
}

/**
 * Reads one status message and verifies its blob, in some milliseconds of plain JavaScript (docs/format.md, section 5). It remembers
 * nothing. The caller checks that a table is of the same persona (personaId and chainRoot) and newer than the last one (epoch, then seq).
 *
 * A valid table proves who signed it, but not that its devices agree. A device belongs to the persona only after it showed such a table
 * itself, over its own Tox connection (`from`, `listsSender`). Until then the device is unconfirmed: send it nothing for the persona.
 * @param text any text of any length; no text makes this function throw
 * @returns `words` is the text without the token
 */
export function readStatus(text: string, options: ReadOptions = {}): StatusReading {
  try {
    const { blob, words, isShown } = judgeStatus(text, portableVerifier)
    if (blob === null) return { kind: 'none', words }
    // People see names instead of keys on every screen, so a table with unreadable names is not shown at all.
    if (!blob.content.ok) throw new BlobError(blob.content.code, blob.content.message)
    return { kind: 'table', words, table: tableOf(blob, isShown, options) }
  } catch (error) {
    if (!(error instanceof BlobError)) throw error
    return { kind: 'refused', words: ownWords(text), error }
  }
}

function tableOf(blob: VerifiedBlob, isShown: boolean, { from, nickname }: ReadOptions): VerifiedTable {
  const devices = nameDevices(blob, nickname ?? ((): undefined => undefined))
  const sender = from?.toUpperCase()
  return {
    personaId: formatHex(blob.personaId),
    chainRoot: formatHex(blob.root),
    epoch: blob.epoch,
    seq: blob.seq,
    timeSec: blob.timeSec,
    devices,
    listsSender: sender === undefined ? null : isShown && devices.some((device) => device.key === sender),
  }
}
