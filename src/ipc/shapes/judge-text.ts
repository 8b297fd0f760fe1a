/** Judges a status message for display (docs/ipc.md, section 3, VerifyResult). The daemon adds its knowledge; the CLI alone has none. */
import { parseShort } from '../../core/announce/short.ts'
import { BLOB_VERSION } from '../../core/blob.ts'
import { encodeUtf8, formatHex } from '../../core/encoding/bytes.ts'
import type { Engine } from '../../core/engine.ts'
import { BlobError } from '../../core/errors.ts'
import { MAX_STATUS_BYTES } from '../../core/limits.ts'
import { freshness, isClockAhead } from '../../core/order.ts'
import { nameDevices, type Device } from '../../core/table.ts'
import { ownWords } from '../../core/token.ts'
import { judgeStatus, type VerifiedBlob } from '../../core/verify.ts'
import type { BlobView, OrderVerdict, VerifyResult } from './judged.ts'
import type { TableDevice } from './contact.ts'

/** The daemon's knowledge of a persona. Without a daemon there is none. */
export interface Knowledge {
  /** Verdict on the blob against the head. */
  verdict(blob: VerifiedBlob): OrderVerdict | null
  /** Last known nickname of a key of the blob's persona. */
  nickname(blob: VerifiedBlob, key: string): string | undefined
}

const NOTHING_KNOWN: Knowledge = { verdict: () => null, nickname: () => undefined }

/**
 * Judges one status message without storing anything; also texts over the limit.
 * @param from ToxPk of the device that shows it, 64 upper-case hex digits, or null if it is not known
 */
export function judgeText(
  text: string,
  from: string | null,
  engine: Engine,
  nowSec: number,
  known: Knowledge = NOTHING_KNOWN,
): VerifyResult {
  const bytes = encodeUtf8(text).length
  const about = { bytes, overLimit: bytes > MAX_STATUS_BYTES }
  try {
    const { blob, words, isShown, short } = judgeStatus(text, engine)
    if (blob === null) return refused('NO_TOKEN', messageWithout(short, engine), words, about)
    const view = viewOf(blob, nowSec, known)
    // A quoted token confirms nothing.
    const listsSender = from === null ? null : isShown && view.devices.some((device) => device.key === from)
    const verdict = known.verdict(blob)
    if (!blob.content.ok) {
      return { ...refused(blob.content.code, blob.content.message, words, about), blob: view, verdict, listsSender }
    }
    return { valid: true, code: null, message: 'valid', blob: view, words, ...about, verdict, listsSender }
  } catch (error) {
    if (!(error instanceof BlobError)) throw error
    return refused(error.code, error.message, ownWords(text), about)
  }
}

function messageWithout(short: string | null, engine: Engine): string {
  return short !== null && parseShort(short, engine) !== null
    ? 'the text has a short status, which names a table on the DHT and does not hold it'
    : 'the text has no persona token'
}

function refused(
  code: string,
  message: string,
  words: string,
  about: Pick<VerifyResult, 'bytes' | 'overLimit'>,
): VerifyResult {
  return { valid: false, code, message, blob: null, words, ...about, verdict: null, listsSender: null }
}

/** A device as it travels over the socket. */
export function tableDeviceOf({ name, key, companion }: Device): TableDevice {
  return companion ? { name, key, companion } : { name, key }
}

function viewOf(blob: VerifiedBlob, nowSec: number, known: Knowledge): BlobView {
  return {
    version: BLOB_VERSION,
    personaId: formatHex(blob.personaId),
    epoch: blob.epoch,
    seq: blob.seq,
    timeSec: blob.timeSec,
    freshness: freshness(blob.timeSec, nowSec),
    clockAhead: isClockAhead(blob.timeSec, nowSec),
    chainRoot: formatHex(blob.root),
    prev: formatHex(blob.prev),
    tableHash: formatHex(blob.tableHash),
    devices: nameDevices(blob, (key) => known.nickname(blob, key)).map(tableDeviceOf),
    documentCode: blob.content.ok ? null : blob.content.code,
    bytes: blob.bytes.length,
  }
}
