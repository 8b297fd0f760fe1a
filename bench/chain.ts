/**
 * The cost for a friend of following a persona that rotated: a status message of epoch 16 whose rotations they never
 * saw, against one of epoch 0.
 */
import { decodeBlob } from '../src/core/blob.ts'
import { MAX_EPOCH } from '../src/core/limits.ts'
import { judge, type KnownPersona } from '../src/core/order.ts'
import { parseStatus } from '../src/core/token.ts'
import { judgeStatus, verifyBlob, type VerifiedBlob } from '../src/core/verify.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { formatUs, medianUs, type Row } from './measure.ts'
import { nowSec, randomDevices, tokensAt } from './people.ts'

const DEVICES = 2
const ASKED_US = 1000

export function benchChain(engine: CryptoEngine, isQuick: boolean): Row[] {
  const devices = randomDevices(engine, DEVICES)
  const [head, same, later] = tokensAt(engine, [0, 0, MAX_EPOCH], devices)
  const known = pinnedBy(verified(head!, engine))
  const follow = (token: string, verdict: string) => (): void => {
    const { blob } = judgeStatus(`Working from the garden ${token}`, engine)
    if (blob === null || judge(blob, known, nowSec()).verdict !== verdict)
      throw new Error('the verdict is not the expected one')
  }
  const [rounds, calls] = isQuick ? [5, 200] : [25, 1000]
  const [noneUs, allUs] = medianUs(rounds, calls, [follow(same!, 'refresh'), follow(later!, 'accept')])
  const figure = `${formatUs(allUs!)}; ${formatUs(allUs! - noneUs!)} more than none (asked: under ${formatUs(ASKED_US)})`
  return [{ what: `follow ${MAX_EPOCH} rotations in one step`, figure }]
}

function verified(token: string, engine: CryptoEngine): VerifiedBlob {
  const content = parseStatus(token)
  if (content.kind !== 'token') throw new Error('the token just made is not found')
  return verifyBlob(decodeBlob(content.blob), engine)
}

function pinnedBy(head: VerifiedBlob): KnownPersona {
  return { root: head.root, minEpoch: 0, head }
}
