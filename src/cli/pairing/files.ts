/** Carries the messages of a pairing in files that a person moves between the devices, one file a leg (docs/pairing.md, section 6). */
import { open, rm, type FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { concatBytes, encodeUtf8, equalBytes, u32be } from '../../core/encoding/bytes.ts'
import { writeFileDurably } from '../../durable/file.ts'
import { MAX_NOISE_BYTES } from '../../pairing/session.ts'
import { CliError } from '../io/errors.ts'
import type { Line } from './connection.ts'

const MAGIC = encodeUtf8('persona-pair')
const HEADER_BYTES = 12 + 1 + 4 // format: magic, leg, u32 big-endian length of the body
const LENGTH_BYTES = 2 // format: big-endian, as over a connection
const LAST_LEG = 3
const MAX_LEG_BYTES = 512 * 1024 * 1024 // sanity: held in memory; more than the daemon lets one pairing move
const LOOK_EVERY_MS = 300 // sanity: notices a plugged-in stick or a synced directory soon enough

/** The file of one leg. The device with the persona writes legs 1 and 3, the joining device writes leg 2. */
export function legFile(path: string, leg: number): string {
  return `${path}.${leg}`
}

export function encodeLeg(leg: number, messages: readonly Uint8Array[]): Uint8Array {
  const frames = messages.flatMap((message) => [Uint8Array.of(message.length >> 8, message.length & 255), message])
  const body = concatBytes(...frames)
  return concatBytes(MAGIC, Uint8Array.of(leg), u32be(body.length), body)
}

/**
 * Returns the messages of a leg's file.
 * @returns null if the file is not complete yet: some programs copy a file under its final name
 * @throws {CliError} PAIRING_FILE
 */
export function decodeLeg(leg: number, bytes: Uint8Array): Uint8Array[] | null {
  if (bytes.length < HEADER_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const length = view.getUint32(MAGIC.length + 1)
  const isOurs = equalBytes(bytes.subarray(0, MAGIC.length), MAGIC) && bytes[MAGIC.length] === leg
  if (!isOurs || bytes.length > HEADER_BYTES + length) throw notALeg(`is not leg ${leg} of a pairing`)
  if (bytes.length < HEADER_BYTES + length) return null
  const messages: Uint8Array[] = []
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const size = at + LENGTH_BYTES <= bytes.length ? view.getUint16(at) : 0
    at += LENGTH_BYTES
    if (size === 0 || size > MAX_NOISE_BYTES || at + size > bytes.length) throw notALeg('is damaged')
    messages.push(bytes.slice(at, at + size))
    at += size
  }
  return messages
}

/** Removes the files of an earlier pairing with the same name. @throws {CliError} PAIRING_FILE */
export async function removeLegs(path: string): Promise<void> {
  for (let leg = 1; leg <= LAST_LEG; leg++) {
    const file = legFile(path, leg)
    await rm(file, { force: true }).catch((cause: unknown) => {
      throw new CliError('PAIRING_FILE', `cannot remove ${file} (${codeOf(cause)})`, { cause })
    })
  }
}

export class FileLine implements Line {
  readonly isGone = false
  readonly #path: string
  readonly #onWait: (file: string) => void
  /** The leg that is written or read next. */
  #leg: number
  #unsent: Uint8Array[] = []
  #unread: Uint8Array[] = []
  #isClosed = false

  /** @param onWait called with the file that it waits for */
  constructor(path: string, onWait: (file: string) => void) {
    this.#path = path
    this.#leg = 1
    this.#onWait = onWait
  }

  send(message: Uint8Array): Promise<void> {
    this.#unsent.push(message)
    return Promise.resolve()
  }

  async flush(): Promise<void> {
    if (this.#unsent.length === 0) return
    const leg = this.#leg++
    const bytes = encodeLeg(leg, this.#unsent)
    this.#unsent = []
    await writeFileDurably(legFile(this.#path, leg), bytes, { mode: 0o600 })
  }

  async receive(timeoutMs: number): Promise<Uint8Array> {
    if (this.#unread.length === 0) this.#unread = await this.#waitForLeg(this.#leg++, timeoutMs)
    return this.#unread.shift()!
  }

  close(): void {
    this.#isClosed = true
  }

  async #waitForLeg(leg: number, timeoutMs: number): Promise<Uint8Array[]> {
    const file = legFile(this.#path, leg)
    const deadlineMs = performance.now() + timeoutMs
    this.#onWait(file)
    while (!this.#isClosed && performance.now() < deadlineMs) {
      const bytes = await readBounded(file)
      const messages = bytes === null ? null : decodeLeg(leg, bytes)
      if (messages !== null && messages.length > 0) return messages
      await sleep(LOOK_EVERY_MS)
    }
    throw new CliError('PAIRING_PEER_SILENT', `${file} did not arrive in time`, { hint: 'start the pairing again' })
  }
}

/** @returns null if there is no such file, for example because the directory is not mounted yet */
async function readBounded(file: string): Promise<Uint8Array | null> {
  let handle: FileHandle | null = null
  try {
    handle = await open(file, 'r')
    const { size } = await handle.stat()
    if (size > MAX_LEG_BYTES) throw notALeg('is too long')
    return await handle.readFile()
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    if (codeOf(cause) === 'ENOENT') return null
    throw new CliError('PAIRING_FILE', `cannot read ${file} (${codeOf(cause)})`, { cause })
  } finally {
    await handle?.close()
  }
}

function notALeg(why: string): CliError {
  const hint = 'give both devices the same path, and start the pairing again'
  return new CliError('PAIRING_FILE', `the pairing file ${why}`, { hint })
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
}
