/** Two processes on one database lose nothing while one is killed, the database crashes, and its standby stops. */
import { expect, it, onTestFinished } from 'vitest'
import { runFaults, type Faulted } from './faults.ts'
import { TestPostgres } from './server.ts'

const LONG_MS = 3_600_000
/** So many messages, and a fault for each 20 000 of them, on a database that syncs. */
const MESSAGES = Number(process.env['POSTGRES_MESSAGES'] ?? 0)
const [SHORT, SHORT_FAULTS] = [600, 2]

async function expectNothingLost(faulted: Faulted): Promise<void> {
  const report = await runFaults(faulted)
  expect(report.faults).toHaveLength(faulted.rounds)
  expect(report.acknowledged.size).toBeGreaterThanOrEqual(faulted.count)
  const lost = [...report.acknowledged].filter((n) => !report.read.has(n))
  const twice = [...report.read].filter(([n, times]) => times > 1 && !report.again.has(n))
  const { backwards, early } = report
  expect({ lost, twice, backwards, early }).toEqual({ lost: [], twice: [], backwards: [], early: 0 })
}

export function testFaults(server: () => TestPostgres): void {
  it('lose nothing that was acknowledged, and a reader who follows the moments misses nothing and gets nothing twice', async () => {
    await expectNothingLost({ server: server(), schema: 'faults', count: SHORT, rounds: SHORT_FAULTS })
  })

  it.skipIf(MESSAGES === 0)(
    `the same with ${MESSAGES} messages, on a database that syncs and waits for a standby`,
    async () => {
      const own = await TestPostgres.start()
      onTestFinished(() => own.remove())
      const standby = await TestPostgres.standbyOf(own)
      onTestFinished(() => standby.remove())
      await own.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
      await own.sql('SELECT pg_reload_conf()')
      const rounds = Math.max(3, Math.ceil(MESSAGES / 20_000))
      await expectNothingLost({ server: own, standby, schema: 'public', count: MESSAGES, rounds })
    },
    LONG_MS,
  )
}
