/** A relay on PostgreSQL. One server is for all tests of this file: to make one takes two seconds. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Database } from '../../src/relayd/postgres/database.ts'
import { loadDriver } from '../../src/relayd/postgres/driver.ts'
import { openPostgres } from '../../src/relayd/postgres/postgres.ts'
import { prepareSchema } from '../../src/relayd/postgres/schema.ts'
import { lockByKeys, putRecords } from '../../src/relayd/postgres/tables.ts'
import { testBoxes } from '../contract/relay-store/boxes.ts'
import { testCards } from '../contract/relay-store/cards.ts'
import { testInboxes } from '../contract/relay-store/inboxes.ts'
import { testObjects } from '../contract/relay-store/objects.ts'
import { POSTGRES_ABSENCE, TestPostgres } from '../support/postgres/server.ts'
import { testChecks } from '../support/postgres/check-stories.ts'
import { testPeople } from '../support/postgres/people-stories.ts'
import { testTwoRelays } from '../support/postgres/stories.ts'
import { testFaults } from '../support/postgres/fault-stories.ts'
import { testMoves } from '../support/postgres/move-stories.ts'
import { testProxied } from '../support/postgres/proxied.ts'
import { LIMITS, MINUTE, START } from '../support/relay-stores.ts'
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
  it('an operator reads what is wrong with a database, and what to do', async () => {
    await server.sql('CREATE SCHEMA owned; CREATE ROLE guest LOGIN; CREATE ROLE barred')
    const open = async (change: (url: string) => string): Promise<string> => {
      const options = { limits: LIMITS, answerUs: MINUTE, nowUs: START }
      return await openPostgres(change(server.url('owned')), options, (bytes) => new Uint8Array(bytes)).then(
        async ({ store }) => (await store.close(), 'opened'),
        (error: Error) => error.message,
      )
    }
    const cases: readonly (readonly [(url: string) => string, RegExp])[] = [
      [(url) => url.replace('/postgres?', '/absent?'), /^there is no such database .*: make it with createdb/],
      [(url) => url.replace('postgres@', 'nobody@'), /^the database refused the user .*: check the user in the URL/],
      [(url) => url.replace('postgres@', 'barred@'), /^the database refused the user /],
      [
        (url) => url.replace('postgres@', 'guest@'),
        /^the user may not do that in the database .*: make the user its owner/,
      ],
      [
        (url) => `${url}%20-c%20default_transaction_read_only%3Don`,
        /^the database takes no changes .*: name the primary/,
      ],
      [(url) => url.replace(/host=[^&]*/, 'host=%2Fabsent'), /^the database cannot be reached .*: check that it runs/],
      [(url) => `${url}&sslrootcert=%2Fabsent`, /^the URL of the database cannot be used \(ENOENT.*\): correct it/],
      [(url) => url, /^opened$/],
    ]
    for (const [change, words] of cases) expect(await open(change)).toMatch(words)
    await server.sql('UPDATE owned.persona_relay SET version = 99')
    expect(await open((url) => url)).toMatch(/^the tables have version 99, .*: install the later relay/)
  })
  describe('check', () => testChecks())
  describe('a move', () => testMoves(() => server))
  describe('two relays', () => testTwoRelays(() => server))
  testProxied(() => server)
  describe('people', () => testPeople(() => server))
  describe('two processes', () => testFaults(() => server))
})
