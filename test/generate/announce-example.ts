/** Makes the worked example of docs/announce.md. `node test/generate/announce-example.ts` writes it; a test compares it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { signForwards, signItems, type AnnounceDraft } from '../../src/core/announce/items.ts'
import { readingKey } from '../../src/core/announce/place.ts'
import { formatRead } from '../../src/core/announce/settings.ts'
import { formatShort, shortOf } from '../../src/core/announce/short.ts'
import { signedValueMessage, valueOf, type SignedValue } from '../../src/core/announce/signed-value.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import type { VerifiedBlob } from '../../src/core/verify.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { READ } from '../support/announced.ts'
import { makePersona, makeVerified, NOW_SEC } from '../support/made-persona.ts'

export const ANNOUNCE_DOC: string = fileURLToPath(new URL('../../docs/announce.md', import.meta.url))

const ada = makePersona(1)
const DOCUMENT = `names: [laptop,phone]\nread: ${formatRead(READ)}\nannounce: devices`

function block(...entries: readonly (readonly [name: string, value: Uint8Array | string])[]): string {
  const lines = entries.map(([name, value]) => {
    const text =
      typeof value === 'string'
        ? value
        : formatHex(value)
            .match(/.{1,64}/g)!
            .join('\n')
    return text.length > 64 ? `${name}\n${text.replaceAll(/^/gm, '    ')}` : `${name.padEnd(22)}${text}`
  })
  return ['```', ...lines, '```'].join('\n')
}

function describeItem(signed: SignedValue): string {
  return block(
    ['k', signed.publicKey],
    ['salt', signed.salt],
    ['seq', String(signed.seq)],
    ['v', valueOf(signed)!],
    ['bytes of v', String(valueOf(signed)!.length)],
    ['signed message', signedValueMessage(signed)],
    ['signature', signed.signature],
  )
}

function example(): string {
  const blob = makeVerified(ada, { devices: [0, 1], document: DOCUMENT })
  const rotated = makeVerified(ada, {
    epoch: 1,
    timeSec: NOW_SEC + 3600,
    devices: [0],
    document: `read: ${formatRead(READ)}`,
  })
  const draft = (of: VerifiedBlob): AnnounceDraft => ({ blob: of, read: READ, kind: 'devices', removedKeys: [] })
  const sign = (message: Uint8Array): Uint8Array => ada.sign(0, message)
  const [secret, open] = signItems(draft(blob), portableEngine, sign).items as [SignedValue, SignedValue]
  const forward = signForwards(draft(rotated), blob.signingKey, portableEngine, sign).items[0]!
  return [
    'Epoch 0, seq 1, two devices, and a document with `read`:',
    block(
      ['document', DOCUMENT.replaceAll('\n', '; ')],
      ['read', READ],
      ['c_0', blob.root],
      ['r', readingKey(blob.root, READ, portableEngine)],
      ['blob', blob.bytes],
      ['short status', formatShort(shortOf(blob, portableEngine)!, portableEngine)],
    ),
    'The item at the secret place:',
    describeItem(secret),
    'The item of the kind `devices`, at the open place, with slots for r, the laptop and the phone:',
    describeItem(open),
    'The forward at the secret place of epoch 0, after a rotation that leaves the laptop:',
    block(['blob', rotated.bytes]),
    describeItem(forward),
  ].join('\n\n')
}

/** The document with its example made anew. @throws when it has no place for it */
export function withExample(document: string): string {
  const [begin, end] = ['<!-- example: made by test/generate/announce-example.ts -->\n', '<!-- end example -->']
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error('docs/announce.md has no place for the example')
  return `${document.slice(0, from + begin.length)}\n${example()}\n\n${document.slice(to)}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(ANNOUNCE_DOC, withExample(readFileSync(ANNOUNCE_DOC, 'utf8')))
}
