/**
 * Watched profiles: the time from a rename to its event, and how long callers wait while 10 000 friends are scanned.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '../src/ipc/client.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { formatHex, parseHex } from '../src/core/encoding/bytes.ts'
import { newSave, type NewFriend } from '../src/tox/save/new-profile.ts'
import { encodeSave } from '../src/tox/save/savefile.ts'
import { makeHome, removeHome, startDaemon } from './daemon.ts'
import { formatUs, quantile, type Row } from './measure.ts'
import { friend, nowSec } from './people.ts'

const EVENT_ROUNDS = 10

export function friendsOf(engine: CryptoEngine, count: number): NewFriend[] {
  return Array.from({ length: count }, (_, i) => {
    const { from, name, text } = friend(engine, i)
    const lastSeenSec = nowSec() - 60
    return { publicKey: parseHex(from)!, name: name ?? '', statusMessage: text, lastSeenSec }
  })
}

export function profileOf(engine: CryptoEngine, friends: readonly NewFriend[]): Uint8Array {
  const owner = { name: 'Bench', statusMessage: '', secretKey: engine.randomBytes(32), nospam: engine.randomBytes(4) }
  return encodeSave(newSave({ ...owner, friends }, engine))
}

/** Replaces a file as clients do: writes a new file beside it and renames it. */
function replaceFile(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.tmp`, bytes, { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

function watchingHome(): { home: string; directory: string } {
  const home = makeHome()
  const directory = join(home, 'tox')
  mkdirSync(directory)
  mkdirSync(join(home, 'config'))
  writeFileSync(join(home, 'config/personad.yaml'), `watch:\n  profiles: [${directory}]\n`, { mode: 0o600 })
  return { home, directory }
}

/**
 * Measures both: how soon a replaced profile gives its event, and how fast lookups are while a long friend list is
 * read.
 */
export async function benchWatch(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const { home, directory } = watchingHome()
  try {
    const daemon = await startDaemon(home)
    const app = await connect({ socketPath: daemon.appSocket })
    const eventMs: number[] = []
    for (let round = 0; round < (isQuick ? 2 : EVENT_ROUNDS); round++) {
      const bytes = profileOf(engine, friendsOf(engine, 1))
      const event = new Promise((done) => void app.subscribe(['contact.changed'], done))
      await app.call('status')
      const started = performance.now()
      replaceFile(join(directory, 'one.tox'), bytes)
      await event
      eventMs.push(performance.now() - started)
    }
    await app.close()
    const rows: Row[] = [
      { what: 'profile replaced, until its event', figure: `${Math.max(...eventMs).toFixed(0)} ms at most` },
    ]
    const count = isQuick ? 500 : 10_000
    rows.push(...(await benchScan(engine, daemon.appSocket, join(directory, 'many.tox'), count)))
    await daemon.stop()
    return rows
  } finally {
    removeHome(home)
  }
}

async function benchScan(engine: CryptoEngine, appSocket: string, path: string, count: number): Promise<Row[]> {
  const friends = friendsOf(engine, count)
  replaceFile(path, profileOf(engine, friends))
  const app = await connect({ socketPath: appSocket })
  // Friends are reported in order: once the last one is known, all are.
  const query = formatHex(friends.at(-1)!.publicKey)
  const us: number[] = []
  const started = performance.now()
  for (let isKnown = false; !isKnown;) {
    const asked = performance.now()
    isKnown = (await app.call('lookup', { query })).by !== 'none'
    us.push((performance.now() - asked) * 1000)
  }
  const tookSec = (performance.now() - started) / 1000
  await app.close()
  const [p99, slowest] = [quantile(us, 0.99), Math.max(...us)].map(formatUs)
  const figure = `${p99}; the slowest of ${us.length} ${slowest}; all known after ${tookSec.toFixed(1)} s`
  return [{ what: `lookup while ${count} friends are scanned, p99`, figure }]
}
