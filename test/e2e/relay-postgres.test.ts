/** A relay on PostgreSQL. One server is for all tests of this file: to make one takes two seconds. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Database } from '../../src/relayd/postgres/database.ts'
import { loadDriver } from '../../src/relayd/postgres/driver.ts'
import { prepareSchema } from '../../src/relayd/postgres/schema.ts'
import { lockByKeys, putRecords } from '../../src/relayd/postgres/tables.ts'
import { testBoxes } from '../contract/relay-store/boxes.ts'
import { testCards } from '../contract/relay-store/cards.ts'
import { testInboxes } from '../contract/relay-store/inboxes.ts'
import { testObjects } from '../contract/relay-store/objects.ts'
import { POSTGRES_ABSENCE, TestPostgres } from '../support/postgres/server.ts'
import { testTwoRelays } from '../support/postgres/stories.ts'
import { testFaults } from '../support/postgres/fault-stories.ts'
import { testMoves } from '../support/postgres/move-stories.ts'
import { testProxied } from '../support/postgres/proxied.ts'
import { postgresSubject } from '../support/postgres/subject.ts'

const START_MS = 60_000 // sanity: initdb takes two seconds, and ten times that where others want the processors

describe.skipIf(POSTGRES_ABSENCE !== '')(`a relay on PostgreSQL${POSTGRES_ABSENCE}`, () => {
  let server: TestPostgres

  beforeAll(async () => {
    // Nothing here cuts the power, so nothing waits for the disk.
    server = await TestPostgres.start({ fsync: 'off', full_page_writes: 'off', shared_buffers: '32MB' })
  }, START_MS)
  afterAll(async () => {
    await server.remove()
  })

  const subject = postgresSubject(() => server)
  for (const suite of [testBoxes, testCards, testInboxes, testObjects]) suite([subject])
  it('rows are found by their index, also in new tables of which the server has no counts', async () => {
    await server.sql('CREATE SCHEMA planned')
    const database = new Database(await loadDriver(), server.url('planned'))
    onTestFinished(() => database.close())
    await prepareSchema(database)
    const keys = Array.from({ length: 64 }, (_, n) => `box/${n}`)
    await database.query(
      putRecords(
        'record',
        keys.map((key) => [key, new Uint8Array(9)] as const),
      ),
    )
    const { text, values } = lockByKeys('record', keys)
    const { rows } = await database.query({ text: `EXPLAIN ${text}`, values: values! })
    expect(rows.join('\n')).not.toContain('Seq Scan')
  })
  describe('a move', () => testMoves(() => server))
  describe('two relays', () => testTwoRelays(() => server))
  testProxied(() => server)
  describe('two processes', () => testFaults(() => server))
})
