/** Makes the generated parts of docs/format.md. `node test/generate/format-blocks.ts` writes them; a test compares them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { capacityTable } from '../../bench/capacity.ts'
import { decodeBlob, encodeBlob, PREV_BYTES, signedMessage, type BlobFields } from '../../src/core/blob.ts'
import { concatBytes, formatHex, u32be } from '../../src/core/encoding/bytes.ts'
import { chainRoot, inceptionMessage, linkOf } from '../../src/core/chain.ts'
import { DOCUMENT_DICTIONARY } from '../../src/core/encoding/dictionary.ts'
import { formatDocument } from '../../src/core/document.ts'
import { MAX_EVIDENCE_PER_PERSONA, MAX_EVIDENCE_PER_SEQ } from '../../src/core/evidence.ts'
import * as labels from '../../src/core/labels.ts'
import * as limits from '../../src/core/limits.ts'
import { formatLink, parseLink } from '../../src/core/link.ts'
import { FRESH_SEC, RESIGN_AFTER_SEC, RESIGN_STEP_SEC, STALE_SEC } from '../../src/core/order.ts'
import { groupSafetyNumber, safetyNumber } from '../../src/core/safety-number.ts'
import { composeStatus } from '../../src/core/token.ts'
import { tableHash } from '../../src/core/verify.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { LABEL_BACKUP } from '../../src/crypto/sealed-stream.ts'
import { LABEL_SEAL } from '../../src/crypto/seal.ts'
import { deriveSigningSeed, formatWords, LABEL_SIGN } from '../../src/crypto/seed.ts'
import { compress } from '../../src/daemon/own/compress.ts'
import { makeDevice, makeDeviceKey, makePersona, sodium } from '../support/made-persona.ts'
import { makeVectors } from './vectors.ts'

export const FORMAT_DOC: string = fileURLToPath(new URL('../../docs/format.md', import.meta.url))

/** The name, bytes and use of every label. */
export const LABELS: readonly (readonly [name: string, bytes: Uint8Array, use: string])[] = [
  ['LABEL_BLOB', labels.LABEL_BLOB, 'signature of a blob (section 3)'],
  ['LABEL_APP', labels.LABEL_APP, 'stored token of a local app (docs/ipc.md, section 3)'],
  ['LABEL_HISTORY', labels.LABEL_HISTORY, 'history of this device (docs/ipc.md, section 4)'],
  ['LABEL_TABLE', labels.LABEL_TABLE, 'table hash T (section 3)'],
  ['LABEL_INCEPTION', labels.LABEL_INCEPTION, 'inception signature (section 4)'],
  ['LABEL_KEY', labels.LABEL_KEY, 'h_i (section 4)'],
  ['LABEL_NEXT', labels.LABEL_NEXT, 'c_i (section 4)'],
  ['LABEL_SIGN', LABEL_SIGN, 'signing keys from the seed (section 4)'],
  ['LABEL_LINK', labels.LABEL_LINK, 'checksum of a contact link (section 13)'],
  ['LABEL_NUMBER', labels.LABEL_NUMBER, 'safety number (section 13)'],
  ['LABEL_SUCCESSOR', labels.LABEL_SUCCESSOR, 'successor statement (section 14)'],
  ['LABEL_COMPANION', labels.LABEL_COMPANION, 'nospam of a companion (docs/tox.md)'],
  ['LABEL_SEAL', LABEL_SEAL, 'secrets on disk; they never travel'],
  ['LABEL_BACKUP', LABEL_BACKUP, 'key of a backup (docs/backup.md)'],
  ['LABEL_PAIR_MEET', labels.LABEL_PAIR_MEET, 'prologue of a pairing (docs/pairing.md)'],
  ['LABEL_PAIR_PSK', labels.LABEL_PAIR_PSK, 'pre-shared key of a pairing code'],
  ['LABEL_PAIR_ANNOUNCE', labels.LABEL_PAIR_ANNOUNCE, 'announcement of a pairing on the local network'],
  ['LABEL_PAIR_WORDS', labels.LABEL_PAIR_WORDS, 'words that both screens of a pairing show'],
  ['LABEL_ANNOUNCE_READ', labels.LABEL_ANNOUNCE_READ, 'reading key of announcements (docs/announce.md)'],
  ['LABEL_ANNOUNCE_AT', labels.LABEL_ANNOUNCE_AT, 'place of an announcement'],
  ['LABEL_ANNOUNCE_NONCE', labels.LABEL_ANNOUNCE_NONCE, 'nonce of an announcement'],
  ['LABEL_ANNOUNCE_KEY', labels.LABEL_ANNOUNCE_KEY, 'key of the box of an announcement'],
  ['LABEL_ANNOUNCE_SLOT', labels.LABEL_ANNOUNCE_SLOT, 'slot of a device key in an announcement'],
  ['LABEL_ANNOUNCE_CEK', labels.LABEL_ANNOUNCE_CEK, 'content key of an announcement with slots'],
  ['LABEL_SHORT', labels.LABEL_SHORT, 'check of a short status (docs/announce.md)'],
  ['LABEL_CARD_AT', labels.LABEL_CARD_AT, 'place of a card (docs/card.md)'],
  ['LABEL_CARD_DEVICE', labels.LABEL_CARD_DEVICE, 'tag of a device in a card'],
  ['LABEL_CHANNEL_M1', labels.LABEL_CHANNEL_M1, 'seal of the first message of a handshake (docs/channel.md)'],
  ['LABEL_CHANNEL_M2', labels.LABEL_CHANNEL_M2, 'seal of the second message'],
  ['LABEL_CHANNEL_USED', labels.LABEL_CHANNEL_USED, 'seal of the answer to a late guest'],
  ['LABEL_CHANNEL_EXPORT', labels.LABEL_CHANNEL_EXPORT, 'secrets that a seal of a handshake exports'],
  ['LABEL_CHANNEL_PSK', labels.LABEL_CHANNEL_PSK, 'pre-shared key of an invite'],
  ['LABEL_CHANNEL_SIG', labels.LABEL_CHANNEL_SIG, 'signature of a message of a handshake'],
  ['LABEL_CHANNEL_ROOT', labels.LABEL_CHANNEL_ROOT, 'root of a channel'],
  ['LABEL_CHANNEL_COMMIT', labels.LABEL_CHANNEL_COMMIT, "the guest's promise of nB"],
  ['LABEL_CHANNEL_WORDS', labels.LABEL_CHANNEL_WORDS, 'words that two people compare'],
  ['LABEL_CHANNEL_STEP', labels.LABEL_CHANNEL_STEP, 'step of the ratchet'],
  ['LABEL_CHANNEL_CHAIN', labels.LABEL_CHANNEL_CHAIN, 'next key of a chain'],
  ['LABEL_CHANNEL_KEY', labels.LABEL_CHANNEL_KEY, 'message key of a frame'],
  ['LABEL_CHANNEL_FRAME', labels.LABEL_CHANNEL_FRAME, 'key of the body of a frame'],
  ['LABEL_CHAT_PSK', labels.LABEL_CHAT_PSK, 'secret of an invite between two keys'],
  ['LABEL_CEK', labels.LABEL_CEK, 'commitment to the content key of an object (docs/messages.md)'],
  ['LABEL_MESSAGE_OBJECT', labels.LABEL_MESSAGE_OBJECT, 'seal of a content key'],
  ['LABEL_MESSAGE_ENTRY', labels.LABEL_MESSAGE_ENTRY, 'seal of an entry'],
  ['LABEL_MESSAGE_SIG', labels.LABEL_MESSAGE_SIG, 'signature of a message'],
  ['LABEL_MESSAGE_RECEIPT', labels.LABEL_MESSAGE_RECEIPT, 'signature of a receipt'],
]

const LIMITS: readonly (readonly [what: string, value: string])[] = [
  ['status message', `${limits.MAX_STATUS_BYTES} bytes`],
  ['characters of a token after the prefix', `${limits.MIN_TOKEN_CHARS}..${limits.MAX_TOKEN_CHARS}`],
  ['blob', `${limits.MAX_BLOB_BYTES} bytes`],
  ['epoch', `0..${limits.MAX_EPOCH}`],
  ['devices', `0..${limits.MAX_DEVICES}`],
  ['seq', `1..${limits.MAX_SEQ}`],
  ['greatest step of seq', String(limits.MAX_SEQ_STEP)],
  ['document, inflated', `${limits.MAX_DOCUMENT_BYTES} bytes`],
  ['nickname', `${limits.MAX_NICKNAME_CODE_POINTS} code points, ${limits.MAX_NICKNAME_BYTES} bytes`],
  ['time ahead of the reader', `${limits.MAX_CLOCK_AHEAD_SEC} s`],
  ['fresh, stale', `${FRESH_SEC} s, ${STALE_SEC} s`],
  ['re-sign after, and further for each place', `${RESIGN_AFTER_SEC} s, ${RESIGN_STEP_SEC} s`],
  ['evidence for a seq, for a persona', `${MAX_EVIDENCE_PER_SEQ}, ${MAX_EVIDENCE_PER_PERSONA}`],
]

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [tableLine(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(tableLine)].join('\n')
}

function formatLabel(bytes: Uint8Array): string {
  return `\`${String.fromCharCode(...bytes).replace('\0', '` 00')}${bytes.at(-1) === 0 ? '' : '`'}`
}

/** Hex in lines of 32 bytes. */
function hexLines(bytes: Uint8Array): string {
  return formatHex(bytes)
    .match(/.{1,64}/g)!
    .join('\n')
}

class Example {
  readonly #lines: string[] = []

  text(line: string): void {
    this.#lines.push('', line, '')
  }

  values(...entries: readonly (readonly [name: string, value: Uint8Array | string])[]): void {
    const block = entries.map(([name, value]) => {
      const lines = typeof value === 'string' ? value : hexLines(value)
      return lines.length > 64 ? `${name}\n${lines.replaceAll(/^/gm, '    ')}` : `${name.padEnd(22)}${lines}`
    })
    this.#lines.push('```', ...block, '```')
  }

  toString(): string {
    return this.#lines.join('\n').trim()
  }
}

const TIME_SEC = 1_800_000_000

function blobOf(epoch: number, fields: Omit<BlobFields, 'chain'>): Uint8Array {
  const persona = makePersona(1)
  return encodeBlob({ chain: persona.positions[epoch]!, ...fields }, (message) => persona.sign(epoch, message))
}

function describeBlob(example: Example, blob: Uint8Array, document: Uint8Array): void {
  const { signature, deflated } = decodeBlob(blob)
  example.values(
    ['document', String.fromCharCode(...document)],
    ['deflated', deflated],
    ['signed message', signedMessage(blob)],
    ['signature', signature],
    ['T', tableHash(blob, portableEngine)],
    ['blob', blob],
    ['bytes', String(blob.length)],
  )
}

function workedExample(): string {
  const { seed, positions } = makePersona(1)
  const example = new Example()
  const words = formatWords(seed)
  const [first, second] = positions as [(typeof positions)[0], (typeof positions)[0]]
  example.text('The persona:')
  example.values(
    ['seed', seed],
    ['words', [0, 8, 16].map((at) => words.slice(at, at + 8).join(' ')).join('\n')],
    ['HKDF info of K_0', concatBytes(LABEL_SIGN, u32be(0))],
    ['Ed25519 seed of K_0', deriveSigningSeed(seed, 0, portableEngine)],
    ['K_0, the PersonaID', first.personaId],
    ['Ed25519 seed of K_1', deriveSigningSeed(seed, 1, portableEngine)],
    ['K_1', second.signingKey],
    ...positions.slice(1).map(({ signingKey, epoch }) => [`h_${epoch}`, linkOf(signingKey, portableEngine)] as const),
    ...positions.toReversed().map(({ next, epoch }) => [`c_${epoch}`, next] as const),
    ['inception message', inceptionMessage(first.personaId, first.next)],
    ['inception', second.inception!],
  )
  example.text(`Epoch 0, seq 1, time ${TIME_SEC}, two devices:`)
  const devices = [makeDevice(0), makeDevice(1)]
  example.values(...devices.map(({ name, key }) => [name, key] as const))
  const named = formatDocument([['names', devices.map(({ name }) => name)]])
  const deflated = compress(named, DOCUMENT_DICTIONARY)
  const deviceKeys = [makeDeviceKey(0), makeDeviceKey(1)]
  const prev = new Uint8Array(PREV_BYTES)
  const blob = blobOf(0, { seq: 1, timeSec: TIME_SEC, prev, deviceKeys, deflated })
  describeBlob(example, blob, named)
  const status = composeStatus('In the garden', blob)
  example.values(['status message', status.text.match(/.{1,100}/g)!.join('\n')], ['bytes', String(status.bytes)])
  example.text(
    'Epoch 1, seq 1, an hour later: the phone is lost, and the laptop is left. prev leads to the table above:',
  )
  const leftDocument = formatDocument([['names', ['laptop']]])
  const rotated = blobOf(1, {
    seq: 1,
    timeSec: TIME_SEC + 3600,
    prev: tableHash(blob, portableEngine).subarray(0, PREV_BYTES),
    deviceKeys: deviceKeys.slice(0, 1),
    deflated: compress(leftDocument, DOCUMENT_DICTIONARY),
  })
  describeBlob(example, rotated, leftDocument)
  example.values(['c_0 computed from it', chainRoot(decodeBlob(rotated), sodium)])
  const link = { personaId: first.personaId, root: first.next, epoch: 1 }
  example.text('The contact link made now, and the safety number, which is what it was at epoch 0:')
  const text = formatLink(link, portableEngine)
  const { personaId, root } = parseLink(text, portableEngine)
  const groups = groupSafetyNumber(safetyNumber(personaId, root, portableEngine))
  example.values(
    ['contact link', text.match(/.{1,100}/g)!.join('\n')],
    ['hash of the number', portableEngine.sha512(labels.LABEL_NUMBER, personaId, root)],
    ['safety number', [groups.slice(0, 6), groups.slice(6)].map((line) => line.join(' ')).join('\n')],
  )
  return example.toString()
}

function vectorCounts(): string {
  const counts = new Map<string, number>()
  for (const { kind } of makeVectors().values()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return table(
    ['kind', 'files in test/vectors/'],
    [...counts].map(([kind, count]) => [`\`${kind}\``, String(count)]),
  )
}

/** Every generated part by its name. */
export function formatBlocks(): ReadonlyMap<string, string> {
  return new Map([
    [
      'labels',
      table(
        ['label', 'bytes', 'use'],
        LABELS.map(([name, bytes, use]) => [name, formatLabel(bytes), use]),
      ),
    ],
    ['limits', table(['what', 'limit'], LIMITS)],
    ['capacity', capacityTable()],
    ['dictionary', `\`\`\`\n${hexLines(DOCUMENT_DICTIONARY)}\n\`\`\`\n\n${DOCUMENT_DICTIONARY.length} bytes of UTF-8.`],
    ['example', workedExample()],
    ['vectors', vectorCounts()],
  ])
}

/** The document with its generated parts replaced. @throws when the document lacks one of them */
export function withBlocks(document: string): string {
  let text = document
  for (const [name, block] of formatBlocks()) {
    const begin = `<!-- ${name}: made by test/generate/format-blocks.ts -->\n`
    const end = `<!-- end ${name} -->`
    const from = text.indexOf(begin)
    const to = text.indexOf(end)
    if (from < 0 || to < from) throw new Error(`docs/format.md has no place for ${name}`)
    text = `${text.slice(0, from + begin.length)}\n${block}\n\n${text.slice(to)}`
  }
  return text
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(FORMAT_DOC, withBlocks(readFileSync(FORMAT_DOC, 'utf8')))
}
