/** The carriers of records in the networks that the daemon reaches: the DHT through personad-net, and Veilid through a veilid-server (docs/record.md). */
import type { Duplex } from 'node:stream'
import { RecordCarrier } from '../../../channel/carriers/records/record-carrier.ts'
import type { CryptoEngine } from '../../../crypto/engine.ts'
import { NetError } from '../../../netnode/errors.ts'
import type { Clock } from '../../../process/pulse.ts'
import { DhtRecordEngine } from '../../../record/dht/dht-engine.ts'
import type { DhtValues } from '../../../record/dht/dht-record.ts'
import type { PollTimes } from '../../../record/poll.ts'
import { VeilidRecordEngine } from '../../../record/veilid/veilid-engine.ts'

export interface RecordsMeans {
  readonly engine: CryptoEngine
  readonly clock: Clock
  /** The client of the DHT; null if the configuration turns it off. */
  readonly dht: DhtValues | null
  /** Opens a connection to veilid-server. @throws {RecordError} RECORD_AWAY */
  readonly dialVeilid: () => Promise<Duplex>
  /** Between two looks at a watched slot; by default as each network has it. */
  readonly poll?: PollTimes
}

/** A network that keeps records, and the carrier over it. */
export interface RecordWay {
  readonly network: 'dht' | 'veilid'
  readonly carrier: RecordCarrier
  /** Why no new place can be there; null if one can. */
  readonly offBecause: string | null
  close(): Promise<void>
}

const DHT_OFF = 'the DHT is off: net.bootstrap names no node, or there is a proxy'
/** Places of an earlier configuration wait until the DHT is on again. */
const NO_DHT: DhtValues = {
  get: async () => await Promise.reject(new NetError('NET_OFF', DHT_OFF)),
  put: async () => await Promise.reject(new NetError('NET_OFF', DHT_OFF)),
}

/** Nothing is loaded from a network, and no connection opened, before a place or a peer is there. */
export function recordWays({ engine, clock, dht, dialVeilid, poll }: RecordsMeans): RecordWay[] {
  const common = { engine, clock, ...(poll === undefined ? {} : { poll }) }
  const veilid = new VeilidRecordEngine({ ...common, dial: dialVeilid })
  const overDht = new DhtRecordEngine({ ...common, values: dht ?? NO_DHT })
  return [
    {
      network: 'dht',
      carrier: new RecordCarrier({ records: overDht, engine, clock }),
      offBecause: dht === null ? DHT_OFF : null,
      close: async () => await Promise.resolve(),
    },
    {
      network: 'veilid',
      carrier: new RecordCarrier({ records: veilid, engine, clock }),
      offBecause: null,
      close: async () => await veilid.close(),
    },
  ]
}
