/** The boxes of a relay: whether the time of a wrong answer shows if there is such a box, and the cost of a question. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { RELAY_LIMITS, type RelayLimits } from '../src/relay/limits.ts'
import { Boxes } from '../src/relayd/boxes/boxes.ts'
import { openLevelRelayStore } from '../src/relayd/records/level-relay-store.ts'
import { storeLimitsOf } from '../src/relayd/store/rules.ts'
import { formatBoxKey } from '../src/seal/box-key.ts'
import { generateBoxKeyPair } from '../src/seal/key-pair.ts'
import { makeHome, removeHome } from './daemon.ts'
import { formatRatio, formatUs, quantile, timedMs, type Row } from './measure.ts'

const FREE = { burst: 1e9, perSec: 1e9 }
const LIMITS: RelayLimits = { ...RELAY_LIMITS, address: FREE, boxSends: FREE }
const CALLER = { address: 'bench' }
const CALLS = 20 // of one round
const KNOWN = 128 // messages of the box that exists

export async function benchRelayBoxes(isQuick: boolean): Promise<Row[]> {
  const home = makeHome()
  const nowUs = (): number => Date.now() * 1000
  const store = await openLevelRelayStore(join(home, 'relay'), {
    limits: storeLimitsOf(LIMITS),
    answerUs: LIMITS.questionSec * 1e6,
    nowUs: nowUs(),
  })
  const options = { store, origin: 'https://relay.example', key: randomBytes(32), tokens: null, limits: LIMITS }
  const boxes = new Boxes({ ...options, nowUs, random: randomBytes })
  const [known, unknown] = await Promise.all([generateBoxKeyPair('x25519'), generateBoxKeyPair('x25519')])
  const pub = formatBoxKey(known.key)
  await boxes.answer({ pub, action: 'check', at: 0 }, CALLER)
  for (let n = 0; n < KNOWN; n++)
    await boxes.answer({ pub, action: 'send', data: randomBytes(900).toString('base64url') }, CALLER)
  const wrong = (key: string) => async (): Promise<void> => {
    const answer = `${randomBytes(16).toString('base64url')}.${Math.floor(Date.now() / 1000) + 30}.${randomBytes(32).toString('base64url')}`
    await boxes.answer({ pub: key, answer, action: 'receive', at: 0, limit: 1 }, CALLER)
  }
  const ask = async (): Promise<void> => void (await boxes.answer({ pub, action: 'check', at: 0 }, CALLER))
  const [there, notThere, question] = await medians(isQuick ? 3 : 200, [
    wrong(pub),
    wrong(formatBoxKey(unknown.key)),
    ask,
  ])
  boxes.close()
  await store.close()
  removeHome(home)
  const ratio = `${formatRatio(notThere! / there!)} for a box that is not there (goal: 0.7 to 1.3)`
  return [
    { what: 'relay: wrong answer', figure: `${formatUs(there!)}; ${ratio}` },
    { what: 'relay: check with a question', figure: formatUs(question!) },
  ]
}

/** The median microseconds of one call of each, in alternating rounds. */
async function medians(rounds: number, functions: readonly (() => Promise<void>)[]): Promise<number[]> {
  const times: number[][] = functions.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of functions.entries()) {
      const ms = await timedMs(async () => {
        for (let call = 0; call < CALLS; call++) await run()
      })
      times[i]!.push((ms * 1000) / CALLS)
    }
  }
  return times.map((list) => quantile(list, 0.5))
}
