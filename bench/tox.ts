/** Inspects a profile of 500 friends, against reading its bytes and checking its signatures, which nobody can avoid. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspectProfile } from '../src/cli/tox/inspect.ts'
import { decodeBlob, signedMessage } from '../src/core/blob.ts'
import { formatHex, parseHex } from '../src/core/encoding/bytes.ts'
import { parseStatus } from '../src/core/token.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { newSave } from '../src/tox/save/new-profile.ts'
import { readProfile } from '../src/tox/profile/profile-file.ts'
import { encodeSave } from '../src/tox/save/savefile.ts'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'
import { friend, nowSec } from './people.ts'

const FRIENDS = 500

/** The signature check of one blob. */
interface Check {
  readonly signature: Uint8Array
  readonly message: Uint8Array
  readonly signingKey: Uint8Array
}

export async function benchTox(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const shown = Array.from({ length: FRIENDS }, (_, i) => friend(engine, i))
  const save = newSave(
    {
      name: 'Many',
      statusMessage: 'at home',
      secretKey: engine.randomBytes(32),
      nospam: engine.randomBytes(4),
      friends: shown.map(({ from, name, text }) => {
        return { publicKey: parseHex(from)!, name: name ?? '', statusMessage: text, lastSeenSec: nowSec() }
      }),
    },
    engine,
  )
  const directory = mkdtempSync(join(tmpdir(), 'personad-bench-'))
  try {
    const file = join(directory, 'many.tox')
    const bytes = encodeSave(save)
    writeFileSync(file, bytes)
    const checks = shown.map(({ text }) => checkOf(text))
    const bare = (): void => {
      readFileSync(file)
      if (!checks.every(({ signature, message, signingKey }) => engine.verify(signature, message, signingKey)))
        throw new Error('a signature just made is not valid')
    }
    const whole = async (): Promise<void> => {
      const profile = await readProfile(file, { engine })
      const key = formatHex(profile.save.sections[0]!.data.subarray(4, 36))
      const report = inspectProfile({ file, profile, access: { engine }, key }, nowSec(), false)
      if (report.friends.filter(({ status }) => status.valid).length !== FRIENDS)
        throw new Error('not every friend was judged')
    }
    const [bareUs, wholeUs] = await medians(isQuick ? 3 : 25, bare, whole)
    const size = `${(bytes.length / 1_000_000).toFixed(1)} MB`
    return [
      {
        what: `inspect a profile of ${FRIENDS} friends, ${size}`,
        figure: `${formatUs(wholeUs)}; ${formatRatio(wholeUs / bareUs)} times reading it and checking its signatures (${formatUs(bareUs)})`,
      },
    ]
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function checkOf(text: string): Check {
  const content = parseStatus(text)
  if (content.kind !== 'token') throw new Error('the text just made has no token')
  const blob = decodeBlob(content.blob)
  return { signature: blob.signature, message: signedMessage(blob.bytes), signingKey: blob.signingKey }
}

/** Median times of one call of each, in microseconds, measured in turn after some warm-up calls. */
async function medians(
  rounds: number,
  bare: () => void,
  whole: () => Promise<void>,
): Promise<readonly [number, number]> {
  const times: { bare: number[]; whole: number[] } = { bare: [], whole: [] }
  const warmUps = 3
  for (let round = -warmUps; round < rounds; round++) {
    const started = performance.now()
    bare()
    const between = performance.now()
    await whole()
    if (round < 0) continue
    times.bare.push((between - started) * 1000)
    times.whole.push((performance.now() - between) * 1000)
  }
  return [quantile(times.bare, 0.5), quantile(times.whole, 0.5)]
}
