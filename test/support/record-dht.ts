/** Records on a DHT of nodes that others wrote, on loopback. */
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { DhtError } from '../../src/dht/errors.ts'
import { systemClock } from '../../src/process/pulse.ts'
import { parseDhtAddress } from '../../src/record/dht/dht-address.ts'
import { DhtRecordEngine } from '../../src/record/dht/dht-engine.ts'
import type { DhtValues } from '../../src/record/dht/dht-record.ts'
import { targetOf } from './dht-net.ts'
import { DhtPeers, loopbackClient } from './dht-peers.ts'
import { engine } from './person.ts'
import type { Mischief, RecordNetwork, RecordSubject } from './record-networks.ts'

export function dhtRecords(kind: Kind): RecordSubject {
  return {
    name: `a DHT of ${kind}`,
    make: async () => await dhtNetwork(kind),
    forged: 'RECORD_AWAY',
    hasMischief: kind === 'bittorrent-dht',
    tellsUnknown: false,
  }
}

/** The nodes of each kind, for all tests of a file. */
const dhtPeers = new Map<string, Promise<DhtPeers>>()

type Kind = Parameters<typeof DhtPeers.start>[0]

async function dhtNetwork(kind: Kind): Promise<RecordNetwork> {
  const starting = dhtPeers.get(kind) ?? DhtPeers.start(kind, 4, [], { atEnd: endWithProcess, heedReadOnly: true })
  dhtPeers.set(kind, starting)
  const peers = await starting
  let isAway = false
  return {
    start: async () => {
      const { client } = await loopbackClient(peers.ports)
      const check = (): void => {
        if (isAway) throw new DhtError('DHT_NO_NODES', 'no node can be asked')
      }
      const values: DhtValues = {
        get: async (place) => {
          check()
          return await client.get(place)
        },
        put: async (signed) => {
          check()
          return await client.put(signed)
        },
      }
      return new DhtRecordEngine({ values, engine, clock: systemClock, poll: { firstMs: 50, maxMs: 50 } })
    },
    unknown: `dht:${'A'.repeat(43)}.1`,
    mischief: kind === 'bittorrent-dht' ? dhtMischief(peers, (away) => (isAway = away)) : null,
  }
}

function endWithProcess(end: () => void): void {
  process.once('exit', end)
}

function dhtMischief(peers: DhtPeers, setAway: (isAway: boolean) => void): Mischief {
  const targetAt = (address: string, slot: number): string => {
    const { publicKey } = parseDhtAddress(address, 256)
    return formatHex(targetOf({ publicKey, salt: Uint8Array.of(slot, 0) })).toLowerCase()
  }
  return {
    takeAway: () => {
      setAway(true)
      return () => setAway(false)
    },
    flip: async (address, slot) => void (await peers.order({ do: 'flip', target: targetAt(address, slot) })),
    keep: async (address, slot) => {
      await peers.order({ do: 'keep', target: targetAt(address, slot) })
      return async () => void (await peers.order({ do: 'putBack', target: targetAt(address, slot) }))
    },
    lose: async () => void (await peers.order({ do: 'forget' })),
  }
}
