/** Two processes on one database lose nothing while one is killed and the database crashes. */
import { expect, it } from 'vitest'
import { runFaults } from './faults.ts'
import { TestPostgres } from './server.ts'

const LONG_MS = 3_600_000
/** So many messages, and a fault for each 20 000 of them, on a database that syncs. */
const MESSAGES = Number(process.env['POSTGRES_MESSAGES'] ?? 0)
const [SHORT, SHORT_FAULTS] = [600, 2]

async function expectNothingLost(server: TestPostgres, schema: string, count: number, faults: number): Promise<void> {
  const report = await runFaults(server, schema, count, faults)
  expect(report.faults).toHaveLength(faults)
  expect(report.acknowledged.size).toBeGreaterThanOrEqual(count)
  const lost = [...report.acknowledged].filter((n) => !report.read.has(n))
  const twice = [...report.read].filter(([n, times]) => times > 1 && !report.again.has(n))
  expect({ lost, twice, backwards: report.backwards }).toEqual({ lost: [], twice: [], backwards: [] })
}

export function testFaults(server: () => TestPostgres): void {
  it('lose nothing that was acknowledged, and a reader who follows the moments misses nothing and gets nothing twice', async () => {
    await expectNothingLost(server(), 'faults', SHORT, SHORT_FAULTS)
  })

  it.skipIf(MESSAGES === 0)(
    `the same with ${MESSAGES} messages, on a database that syncs`,
    async () => {
      const own = await TestPostgres.start()
      try {
        await expectNothingLost(own, 'public', MESSAGES, Math.ceil(MESSAGES / 20_000))
      } finally {
        await own.remove()
      }
    },
    LONG_MS,
  )
}
