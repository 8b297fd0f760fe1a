/** The stories of boxes and messages, where the relay of the people keeps all in a database. */
import { expect, it } from 'vitest'
import { talkOverKills } from '../channel-talk.ts'
import { Correspondent, inboxRelay } from '../message-sides.ts'
import { deliverAndLeave } from '../message-stories.ts'
import { RAISED_LIMITS, RelayProcess } from '../relay-process.ts'
import { tempDir } from '../temp-dir.ts'
import type { TestPostgres } from './server.ts'

const TIMEOUT_MS = 120_000 // sanity: some ten seconds on an idle machine
const CONTENTS = 20

export function testPeople(server: () => TestPostgres): void {
  it(
    'a channel and messages of real daemons go over its boxes, inboxes and objects, also over kills, and the database keeps no object longer',
    async () => {
      await server().sql('CREATE SCHEMA people')
      const [home, config] = [tempDir(), `store: '${server().url('people')}'\n${RAISED_LIMITS}`]
      const relay = await inboxRelay(home, config)
      const [alice, bob] = await Promise.all([Correspondent.start(relay), Correspondent.start(relay)])
      const { url, port } = relay.relay
      await talkOverKills([alice, bob], url, CONTENTS, async () => {
        await relay.relay.kill('SIGKILL')
        await RelayProcess.start({ home, config, listen: `127.0.0.1:${port}` })
      })
      const figure = async (select: string): Promise<number> => Number((await server().sql(select))[0]![0])
      expect(await figure("SELECT count(*) FROM people.record WHERE key ~ '^box/'")).toBeGreaterThan(0)
      await deliverAndLeave(alice, bob, () => figure('SELECT count(DISTINCT object) FROM people.part'))
    },
    TIMEOUT_MS,
  )
}
