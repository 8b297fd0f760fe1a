/** The command `check` with the URL of a real database: each line once good and once bad. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { openPostgres } from '../../../src/relayd/postgres/postgres.ts'
import { checkRelay } from '../../../src/relayd/program/check.ts'
import { runRelayCommand } from '../relay-process.ts'
import { LIMITS, MINUTE, START } from '../relay-stores.ts'
import { tempDir } from '../temp-dir.ts'
import { TestPostgres } from './server.ts'

const START_MS = 60_000 // sanity: initdb takes two seconds, and ten times that where others want the processors

async function check(url: string): Promise<{ status: number; lines: string[] }> {
  const lines: string[] = []
  const status = await checkRelay({ url, ca: undefined, tokenFile: undefined }, (line) => lines.push(line))
  return { status, lines }
}

export function testChecks(): void {
  let server: TestPostgres

  beforeAll(async () => {
    // With its own settings: what a crash loses is one of the lines.
    server = await TestPostgres.start({ shared_buffers: '32MB' })
  }, START_MS)
  afterAll(() => server.remove())

  const open = (): ReturnType<typeof openPostgres> =>
    openPostgres(server.url(), { limits: LIMITS, answerUs: MINUTE, nowUs: START }, (bytes) => new Uint8Array(bytes))

  /** Expects that this line alone is bad, until the setting is taken back. */
  const expectBad = async (line: RegExp, set: string, reset: string, url = server.url()): Promise<void> => {
    for (const part of set.split('; ')) await server.sql(part)
    await expect
      .poll(async () => (await check(url)).lines.filter((each) => each.startsWith('FAIL')).join('\n'))
      .toMatch(line)
    const { status, lines } = await check(url)
    expect([status, lines.length, lines.at(-1)]).toEqual([1, 7, '1 of 6 checks failed'])
    for (const part of reset.split('; ')) await server.sql(part)
    await expect.poll(async () => (await check(url)).status).toBe(0)
  }

  it('says of an empty database that a relay makes the tables, and makes none itself', async () => {
    const { status, lines } = await check(server.url())
    expect(lines).toEqual([
      expect.stringMatching(/^ok {4}server {4}PostgreSQL \d\d/),
      'ok    tables    none yet: the first relay makes them at its start',
      'ok    disk      what is acknowledged is on the disk',
      'ok    standby   none: when the disk is lost, all since the last backup is lost',
      'ok    tls       none, on this machine only',
      'ok    room      97 connections are allowed, and a relay holds up to 11: 8 relays fit, and 0 run',
      'everything works',
    ])
    expect(status).toBe(0)
    expect(await server.sql("SELECT FROM pg_tables WHERE schemaname = 'public'")).toEqual([])
  })

  it('tells of what is wrong in the line of it, and works again after it is mended', async () => {
    const opened = await open()
    onTestFinished(() => opened.store.close())
    expect((await check(server.url())).lines).toEqual(
      expect.arrayContaining(['ok    tables    version 3', expect.stringMatching(/8 relays fit, and 1 runs$/)]),
    )
    const reload = '; SELECT pg_reload_conf()'
    const system = async (line: RegExp, name: string, value: string): Promise<void> =>
      await expectBad(line, `ALTER SYSTEM SET ${name} = ${value}${reload}`, `ALTER SYSTEM RESET ${name}${reload}`)
    await system(/^FAIL {2}disk {6}fsync is off: .* database may be lost; set it to on$/, 'fsync', 'off')
    await system(/^FAIL {2}disk {6}full_page_writes is off: /, 'full_page_writes', 'off')
    await system(/^FAIL {2}disk {6}synchronous_commit is off: .* last second /, 'synchronous_commit', 'off')
    await system(
      /^FAIL {2}standby {3}synchronous_standby_names asks for 2, and 0 of these is connected: each send waits/,
      'synchronous_standby_names',
      "'FIRST 2 (a, b, c)'",
    )
    await expectBad(
      /^FAIL {2}tables {4}they have version 99, .*: install the later relay$/,
      'UPDATE persona_relay SET version = 99',
      'UPDATE persona_relay SET version = 3',
    )
    await expectBad(
      /^FAIL {2}tables {4}somebody moves a relay .*: run that move again$/,
      "INSERT INTO own_key VALUES ('moving', '')",
      "DELETE FROM own_key WHERE name = 'moving'",
    )
    await expectBad(
      /^FAIL {2}room {6}10 connections are allowed, .*: 0 relays fit, and 1 runs\. Raise max_connections/,
      'ALTER DATABASE postgres CONNECTION LIMIT 10',
      'ALTER DATABASE postgres CONNECTION LIMIT -1',
    )
  })

  it('names the reason where a relay could not write there, or not get in at all', async () => {
    await server.sql('CREATE ROLE reader LOGIN; CREATE SCHEMA unwritten')
    const unwritten = await check(server.url('unwritten').replace('postgres@', 'reader@'))
    expect(unwritten.lines).toContainEqual(
      expect.stringMatching(/^FAIL {2}tables {4}the user may not make tables here/),
    )
    const closed = await check(`${server.url()}%20-c%20default_transaction_read_only%3Don`)
    expect(closed.lines[0]).toMatch(/^FAIL {2}server {4}PostgreSQL .* takes no changes: name the primary/)
    const absent = await check(server.url().replace('/postgres?', '/absent?'))
    expect(absent).toEqual({
      status: 1,
      lines: [
        expect.stringMatching(/^FAIL {2}server {4}there is no such database .*: make it with createdb/),
        '1 of 1 checks failed; 5 more were not made',
      ],
    })
  })

  it('names the password that is missing, and with it prints nothing but what it found', async () => {
    await server.sql("CREATE ROLE asked LOGIN PASSWORD 'right'; CREATE SCHEMA asked AUTHORIZATION asked")
    const access = join(server.directory, 'data', 'pg_hba.conf')
    writeFileSync(access, `local all asked scram-sha-256\n${readFileSync(access, 'utf8')}`)
    await server.sql('SELECT pg_reload_conf()')
    const asked = server.url('asked').replace('postgres@', 'asked@')
    await expect
      .poll(async () => (await check(asked)).lines[0])
      .toMatch(/^FAIL {2}server {4}the database asks for a password .*: put it into the file that PGPASSFILE names$/)
    const PGPASSFILE = join(tempDir(), 'pgpass')
    writeFileSync(PGPASSFILE, '*:*:*:asked:right\n', { mode: 0o600 })
    const { status, stdout, stderr } = await runRelayCommand(['check', asked], { PGPASSFILE })
    expect([status, stdout, stderr]).toEqual([0, expect.stringMatching(/^ok {4}server/), ''])
  })

  it('takes no password in the URL, and shows none', async () => {
    const secret = check('postgres://relay:secret@db.example/relay')
    await expect(secret).rejects.toThrow(/^check takes the URL of a database, .*; in this one there is a password/)
    await expect(secret).rejects.not.toThrow(/secret/)
    const other = check('mysql://relay:secret@db.example/relay')
    await expect(other).rejects.toThrow(/^check takes the URL of a relay, .* or of a database/)
    await expect(other).rejects.not.toThrow(/secret/)
  })
}
