/**
 * Opens an announcement that any program took from the DHT: open-announcement.ts STATUS < VALUE
 *
 * STATUS is a status message that the friend showed at some time. VALUE is one line of JSON with `seq` (decimal), `value` and `signature`
 * (hex), as a node of libtorrent gives them for the place. Without a VALUE it prints the place: key and salt in hex.
 */
import { readFileSync } from 'node:fs'
import { judgeItem, type ChainPlace } from '../src/core/announce/judge.ts'
import { readingKey, secretSalt } from '../src/core/announce/place.ts'
import { readSettings } from '../src/core/announce/settings.ts'
import { bencodeValue } from '../src/core/announce/signed-value.ts'
import { formatHex, parseHex } from '../src/core/encoding/bytes.ts'
import { nameDevices } from '../src/core/table.ts'
import { judgeStatus } from '../src/core/verify.ts'
import { portableEngine } from '../src/crypto/portable.ts'

interface Value {
  readonly seq: string
  readonly value: string
  readonly signature: string
}

/** Where the friend's announcements are, by the table in a status message. */
function placeOf(status: string): ChainPlace {
  const { blob } = judgeStatus(status, portableEngine)
  if (blob === null) throw new Error('the status message holds no table')
  const { personaId, root, epoch, signingKey } = blob
  const { read } = readSettings(blob.content.ok ? blob.content.document : [])
  return { personaId, root, epoch, signingKey, readingKey: readingKey(root, read, portableEngine) }
}

function open(place: ChainPlace, salt: Uint8Array, { seq, value, signature }: Value): string {
  const signed = {
    publicKey: place.signingKey,
    salt,
    seq: BigInt(seq),
    bencoded: bencodeValue(parseHex(value)!),
    signature: parseHex(signature)!,
  }
  const verdict = judgeItem(signed, place, { engine: portableEngine, deviceKeys: [] })
  const proof = verdict.provesTheft ? '; somebody else has the signing key' : ''
  if (verdict.verdict === 'refused') return `refused: ${verdict.code}${proof}`
  const { epoch, seq: tableSeq } = verdict.blob
  const devices = nameDevices(verdict.blob, () => undefined).map(({ name, key }) => `${name} (…${key.slice(-8)})`)
  const whose = verdict.verdict === 'blob' ? 'table' : 'table of another chain'
  return `${whose} ${epoch}.${tableSeq}: ${devices.join(', ')}${proof}`
}

const [status] = process.argv.slice(2)
if (status === undefined) {
  console.error('usage: open-announcement.ts STATUS < VALUE')
  process.exit(2)
}
const place = placeOf(status)
const salt = secretSalt(place.readingKey!, place.signingKey, portableEngine)
const line = process.stdin.isTTY ? '' : readFileSync(0, 'utf8').trim()
if (line === '') console.log(`key ${formatHex(place.signingKey)}\nsalt ${formatHex(salt)}`)
else console.log(open(place, salt, JSON.parse(line) as Value))
