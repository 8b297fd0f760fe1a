import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { respond, start } from '../../../../src/cli/chat/keys.ts'
import { contextOf, type Context } from '../../../../src/cli/io/context.ts'
import { tempDir } from '../../../support/temp-dir.ts'

/** No daemon runs there. @param veilid the value of net.veilid, or null */
function home(veilid: string | null): Context {
  const context = contextOf(tempDir(), false, false)
  mkdirSync(dirname(context.paths.configFile), { recursive: true })
  writeFileSync(context.paths.configFile, veilid === null ? '' : `net:\n  veilid: "${veilid}"\n`)
  return context
}

async function refusal(begun: Promise<unknown>): Promise<unknown> {
  return await begun.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  )
}

test('--host and --port of another veilid-server than that of the configuration are refused, and the refusal names the key', async () => {
  const failed = await refusal(start(home('localhost:6000'), 'Bob', { port: 5959 }))
  expect(failed).toMatchObject({ code: 'VEILID_ELSEWHERE', details: { place: 'localhost:5959' } })
  expect((failed as Error).message).toContain('localhost:6000')
  expect(await refusal(respond(home(null), 'Bob', 'persona-chat:x', { host: '::1' }))).toMatchObject({
    code: 'VEILID_ELSEWHERE',
    details: { place: '[::1]:5959' },
  })
})

test('those of the configuration go on to the daemon', async () => {
  const failed = await refusal(start(home('localhost:5959'), 'Bob', { host: 'localhost' }))
  expect(failed).toMatchObject({ code: 'DAEMON_UNREACHABLE' })
})
