/** The contract of records on the DHT, in nets of nodes that others wrote. */
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import { libtorrentAbsence } from '../support/dht-peers.ts'
import { seedOf } from '../support/person.ts'
import { holdRecordContract } from '../support/record-contract.ts'
import { dhtRecords } from '../support/record-dht.ts'
import { meetAndTalk } from '../support/record-story.ts'

/** libtorrent waits 15 s in a lookup for each client that has ended, so its whole contract takes minutes. */
const HAS_ALL = process.env['RECORD_CONTRACTS'] === '1'
const ABSENCE = libtorrentAbsence()

describe.each([dhtRecords('bittorrent-dht')])('records in $name', holdRecordContract)

describe.skipIf(!HAS_ALL || ABSENCE !== null).each([dhtRecords('libtorrent')])('records in $name', holdRecordContract)

describe('a value of several parts', () => {
  it('is never put together from parts of two values, and its writer puts it right', async () => {
    const network = await dhtRecords('bittorrent-dht').make()
    const [mine, theirs] = [await network.start(), await network.start()]
    const record = await mine.create(4, seedOf('torn'))
    await record.set(1, new Uint8Array(3000).fill(1))
    const putBack = await network.mischief!.keep(record.address, 1)
    await record.set(1, new Uint8Array(3000).fill(2))
    await putBack()
    const read = await theirs.open(record.address, { writerSeed: null })
    const error = await read.get(1).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'RECORD_TORN', passes: true })
    const third = new Uint8Array(3000).fill(3)
    expect(await record.set(1, third)).toEqual({ seq: 2n, bytes: third })
    expect(await read.get(1)).toEqual({ seq: 2n, bytes: third })
  })
})

describe('two ends over records on the DHT', () => {
  it('meet and talk, through nodes of bittorrent-dht', async () => {
    const network = await dhtRecords('bittorrent-dht').make()
    await meetAndTalk(await network.start(), await network.start())
  })
})

describe('records in a DHT of libtorrent', () => {
  it.skipIf(ABSENCE !== null)(
    `carry a value of several parts (${ABSENCE ?? 'python3-libtorrent is here'})`,
    async () => {
      const network = await dhtRecords('libtorrent').make()
      const [mine, theirs] = [await network.start(), await network.start()]
      const record = await mine.create(4, seedOf('libtorrent'))
      const read = await theirs.open(record.address, { writerSeed: null })
      const large = new Uint8Array(3000).map((_, i) => i * 7)
      await record.set(1, large)
      expect(await read.get(1)).toEqual({ seq: 0n, bytes: large })
      await record.set(1, encodeUtf8('small'))
      expect(await read.get(1)).toEqual({ seq: 1n, bytes: encodeUtf8('small') })
    },
  )
})
