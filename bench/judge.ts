/**
 * Judging a status message (find, decode, verify, inflate, parse, verdict), against only the signature checks in it.
 */
import { decodeBlob, signedMessage } from '../src/core/blob.ts'
import { chainRoot, inceptionMessage } from '../src/core/chain.ts'
import { judge } from '../src/core/order.ts'
import { parseStatus } from '../src/core/token.ts'
import { judgeStatus } from '../src/core/verify.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { formatRatio, formatUs, medianUs, type Row } from './measure.ts'
import { nowSec, randomDevices, tokenAt } from './people.ts'

const CASES = [
  { epoch: 0, devices: 2 },
  { epoch: 0, devices: 14 },
  { epoch: 3, devices: 2 },
  { epoch: 3, devices: 10 },
]

export function benchJudge(engine: CryptoEngine, portable: CryptoEngine, isQuick: boolean): Row[] {
  const [rounds, calls, warmUp, portableCalls] = isQuick ? [2, 100, 100, 3] : [25, 1000, 3000, 20]
  return CASES.map(({ epoch, devices }) => {
    const text = `Working from the garden ${tokenAt(engine, epoch, randomDevices(engine, devices))}`
    const content = parseStatus(text)
    if (content.kind !== 'token') throw new Error('the text just made has no token')
    const blob = decodeBlob(content.blob)
    const message = signedMessage(blob.bytes)
    const inception = inceptionMessage(blob.personaId, chainRoot(blob, engine))
    const bare = (by: CryptoEngine) => () => {
      const isGood = by.verify(blob.signature, message, blob.signingKey)
      const isBegun = blob.inception === null || by.verify(blob.inception, inception, blob.personaId)
      if (!isGood || !isBegun) throw new Error('the signature just made is not valid')
    }
    const whole = (): void => {
      const judged = judgeStatus(text, engine)
      if (judged.blob === null || judge(judged.blob, null, nowSec()).verdict !== 'new')
        throw new Error('the verdict is not the expected one')
    }
    const [bareUs, wholeUs] = medianUs(rounds, calls, [bare(engine), whole], warmUp)
    const [portableUs] = medianUs(3, portableCalls, [bare(portable)], portableCalls)
    const checks = epoch === 0 ? 'one bare verify' : 'two bare verifies'
    return {
      what: `judge, epoch ${epoch}, ${devices} devices`,
      figure: `${formatUs(wholeUs!)}; ${formatRatio(bareUs! / wholeUs!)} of the rate of ${checks} (${formatUs(bareUs!)}); ${formatRatio(portableUs! / wholeUs!)} times that of tweetnacl's (${formatUs(portableUs!)})`,
    }
  })
}
