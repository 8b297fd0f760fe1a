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
  /** Nickname, by the rules of docs/format.md free of control and bidi characters; escape it for your sink all the same. */
  readonly name: string
  /** ToxPk, 64 upper-case hex digits. */
  readonly key: string
  /** Only with a device that does not chat: it is never the active one. */
  readonly companion?: true
}

/** A table whose signature, chain and document are good. */
export interface VerifiedTable {
  /** K_0, 64 upper-case hex digits: who this is, for ever. */
  readonly personaId: string
  /** c_0, 64 upper-case hex digits. Keep it beside the PersonaID: a table with another one is not of the same persona. */
  readonly chainRoot: string
  /** 0..16. A higher epoch replaces every table of a lower one. */
  readonly epoch: number
  /** 1..2^32-1. Within an epoch the higher one is the newer table. */
  readonly seq: number
  /** The writer's clock, unix seconds: how fresh the table is, never which of two is newer. */
  readonly timeSec: number
  /** In the order of the table; the first that is no companion is the active device. Empty when every device is gone. */
  readonly devices: readonly TableDevice[]
  /** Whether the table lists the device that shows it; null without {@link ReadOptions.from}. What is not listed shows a copy. */
  readonly listsSender: boolean | null
}

/**
 * What a status message says. `none`: a friend without a persona. `refused`: a token that is damaged, forged or of another version;
 * whatever was known of the friend before stays as it is.
 */
export type StatusReading =
  | { readonly kind: 'none'; readonly words: string }
  | { readonly kind: 'table'; readonly words: string; readonly table: VerifiedTable }
  | { readonly kind: 'refused'; readonly words: string; readonly error: BlobError }

export interface ReadOptions {
  /** ToxPk of the device that shows the text, hex digits of either case. */
  readonly from?: string
  /** Nickname last known for a key, for tables that are published without names. */
  readonly nickname?: (key: string) => string | undefined
}

/**
 * Reads one status message and verifies what it holds, in some milliseconds of plain JavaScript. Nothing is remembered: that a table is
 * newer than the one before, and of the same persona, is for the caller to compare (epoch, then seq; personaId and chainRoot).
 *
 * A valid table proves who signed it, not that its devices agree: a device belongs to the persona once it shows such a table itself, over
 * its own Tox connection (`from`, `listsSender`). Until then it is claimed, and nothing for it should be sent there.
 * @param text any text, of any length
 * @returns never throws for what the text holds; `words` is the text without the token
 */
export function readStatus(text: string, options: ReadOptions = {}): StatusReading {
  try {
    const { blob, words } = judgeStatus(text, portableVerifier)
    if (blob === null) return { kind: 'none', words }
    // The names stand for the keys on every screen: a table whose names cannot be read is not shown at all.
    if (!blob.content.ok) throw new BlobError(blob.content.code, blob.content.message)
    return { kind: 'table', words, table: tableOf(blob, options) }
  } catch (error) {
    if (!(error instanceof BlobError)) throw error
    return { kind: 'refused', words: ownWords(text), error }
  }
}

function tableOf(blob: VerifiedBlob, { from, nickname }: ReadOptions): VerifiedTable {
  const devices = nameDevices(blob, nickname ?? ((): undefined => undefined))
  const sender = from?.toUpperCase()
  return {
    personaId: formatHex(blob.personaId),
    chainRoot: formatHex(blob.root),
    epoch: blob.epoch,
    seq: blob.seq,
    timeSec: blob.timeSec,
    devices,
    listsSender: sender === undefined ? null : devices.some((device) => device.key === sender),
  }
}
