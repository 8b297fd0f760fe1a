/** The findings of `status` and `doctor` about the networks of records that lines use. */
import { notice, type Finding } from '../../ipc/shapes/doctor.ts'
import type { RecordError, RecordErrorCode } from '../../record/errors.ts'
import type { RecordWay } from './carriers/record-carriers.ts'
import { nameOf } from './findings.ts'
import type { Runner } from './runner.ts'

const LABELS: Readonly<Record<RecordWay['network'], string>> = { dht: 'the DHT', veilid: 'Veilid' }

/** These concern one record. All others are about the network. */
const OF_ONE_RECORD: ReadonlySet<RecordErrorCode> = new Set([
  'RECORD_FORGED',
  'RECORD_ROLLED_BACK',
  'RECORD_SECOND_WRITER',
  'RECORD_SPENT',
  'RECORD_VANISHED',
])

export function recordFindings(ways: readonly RecordWay[], { known, means }: Runner): Finding[] {
  const ids = new Set([...known.ends, ...known.joins, ...known.invites.unused()].map(({ id }) => id))
  return ways.flatMap(({ network, carrier }) => {
    const troubles = carrier.troubles.list((id) => ids.has(id))
    const away = troubles.find(({ error }) => !OF_ONE_RECORD.has(error.code))
    const changed = troubles.filter(({ error }) => OF_ONE_RECORD.has(error.code))
    return [
      ...(away === undefined ? [] : [awayFinding(network, away.error)]),
      ...changed.map(({ lineId, error }) => changedFinding(network, lineId, nameOf(lineId, means), error)),
    ]
  })
}

function awayFinding(network: RecordWay['network'], { code, message, hint }: RecordError): Finding {
  const text = `channels over ${LABELS[network]} wait: ${message}`
  return notice('RECORDS_AWAY', text, hint, { network, reason: code })
}

function changedFinding(
  network: RecordWay['network'],
  id: string,
  channel: string,
  { code, message }: RecordError,
): Finding {
  const text = `a record on ${LABELS[network]}, of the channel with ${channel}, is not as it was: ${message}; nothing of it was taken`
  return notice('RECORDS_CHANGED', text, 'ask the other side whether their daemon runs', {
    network,
    id,
    channel,
    reason: code,
  })
}
