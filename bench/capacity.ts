/**
 * Prints how many devices a status message holds, as the table of docs/format.md, section 6: `node
 * bench/capacity.ts`.
 */
import { zlibSync } from 'fflate'
import { fileURLToPath } from 'node:url'
import { blobBytesWithoutDocument } from '../src/core/blob.ts'
import { encodeUtf8, formatHex, u32be } from '../src/core/encoding/bytes.ts'
import { DOCUMENT_DICTIONARY } from '../src/core/encoding/dictionary.ts'
import { formatDocument } from '../src/core/document.ts'
import { TableError } from '../src/core/errors.ts'
import { MAX_BLOB_BYTES, MAX_DEVICES, MAX_STATUS_BYTES } from '../src/core/limits.ts'
import { checkRoomToRotate } from '../src/core/table.ts'
import { portableVerifier } from '../src/crypto/portable-verify.ts'
import { compress } from '../src/daemon/own/compress.ts'

const EPOCHS = [0, 1, 3, 8, 16]
const DRAWS = 200
const NAME_LETTERS = 8

/** Pseudorandom bytes, the same at every run: SHA-512 of a label, the draw and a count. */
function drawBytes(label: string, draw: number, count: number): Uint8Array {
  return portableVerifier.sha512(encodeUtf8(label), u32be(draw), u32be(count))
}

function drawName(draw: number, device: number): string {
  return [...drawBytes('name', draw, device).subarray(0, NAME_LETTERS)]
    .map((byte) => String.fromCharCode(0x61 + (byte % 26)))
    .join('')
}

/** The largest number of devices that fits, at most MAX_DEVICES. */
function most(fits: (devices: number) => boolean): number {
  let devices = 0
  while (devices < MAX_DEVICES && fits(devices + 1)) devices++
  return devices
}

interface Draw {
  /** Bytes of the deflated document, by number of names. */
  readonly deflated: readonly number[]
  /** Bytes of the literal form's status message, by number of devices. */
  readonly literal: readonly number[]
}

function makeDraw(draw: number): Draw {
  const names = Array.from({ length: MAX_DEVICES }, (_, device) => drawName(draw, device))
  const lines = names.map((name, device) => `${name}: ${formatHex(drawBytes('key', draw, device)).slice(0, 64)}\n`)
  const counts = Array.from({ length: MAX_DEVICES + 1 }, (_, devices) => devices)
  return {
    deflated: counts.map((devices) => {
      return compress(formatDocument(devices === 0 ? [] : [['names', names.slice(0, devices)]]), DOCUMENT_DICTIONARY)
        .length
    }),
    literal: counts.map((devices) => literalBytes(lines.slice(0, devices).join(''))),
  }
}

// Signature and key as hex, a space after each, then the YAML mapping of nicknames to hex keys in zlib and base64.
function literalBytes(yaml: string): number {
  return 128 + 1 + 64 + 1 + 4 * Math.ceil(zlibSync(encodeUtf8(yaml), { level: 9 }).length / 3)
}

function fits(epoch: number, devices: number, documentBytes: number): boolean {
  return blobBytesWithoutDocument(epoch, devices) + documentBytes <= MAX_BLOB_BYTES
}

function isRotatable(epoch: number, devices: number): boolean {
  try {
    checkRoomToRotate(epoch, devices)
    return true
  } catch (error) {
    if (error instanceof TableError) return false
    throw error
  }
}

function summary(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const [least, median, greatest] = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!]
  return least === greatest ? String(median) : `${median} (${least}..${greatest})`
}

/** The table as markdown, without a final line break. */
export function capacityTable(): string {
  const draws = Array.from({ length: DRAWS }, (_, draw) => makeDraw(draw))
  const emptyDocument = compress(new Uint8Array(0), DOCUMENT_DICTIONARY).length
  const named = (epoch: number): string =>
    summary(draws.map(({ deflated }) => most((devices) => fits(epoch, devices, deflated[devices]!))))
  const unnamed = (epoch: number): string => String(most((devices) => fits(epoch, devices, emptyDocument)))
  const literal = summary(draws.map((draw) => most((devices) => draw.literal[devices]! <= MAX_STATUS_BYTES)))
  const bare = String(Math.floor((MAX_BLOB_BYTES - 64 - 32) / 32))
  const rows: readonly (readonly [string, (epoch: number) => string])[] = [
    [`this format, nicknames of ${NAME_LETTERS} random letters`, named],
    ['this format, without names', unnamed],
    ['this format, what an edit accepts', (epoch) => String(most((devices) => isRotatable(epoch, devices)))],
    ['hex keys in YAML, zlib, base64, hex signature and key', () => literal],
    ['keys, signature and PersonaID alone', () => bare],
  ]
  return [
    `| devices in ${MAX_STATUS_BYTES} bytes | ${EPOCHS.map((epoch) => `epoch ${epoch}`).join(' | ')} |`,
    `|---|${EPOCHS.map(() => '--:|').join('')}`,
    ...rows.map(([title, cell]) => `| ${title} | ${EPOCHS.map(cell).join(' | ')} |`),
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(capacityTable())
