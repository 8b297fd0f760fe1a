/** The largest object on its way through the daemon's network and personad-net, to a real relay and back. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { makePersona } from '../support/made-persona.ts'
import type { Carried } from '../support/object-carrier-child.ts'
import { RelayDevices } from '../support/relay-devices.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const MIB = 1 << 20
const MOST_RISEN: number = 10 * MIB // sanity: half of the object; some 1 MiB on an idle machine, and 6 MiB on a busy one
const SMALL_HEAP = '--max-semi-space-size=1' // so that garbage is collected soon, and does not count

test('an object of 20 MiB goes through both programs and never lies in one of them', async () => {
  const devices = new RelayDevices(makePersona(1), '')
  const relay = await RelayProcess.start({ home: tempDir(), config: `personas: ['${devices.personaId}']\n` })
  const { text: card, at } = devices.cardOf({ issuedAtSec: Math.floor(Date.now() / 1000) })
  expect((await fetch(`${relay.url}/card/${at}`, { method: 'PUT', body: card })).status).toBe(200)
  const program = resolve('test/support/object-carrier-child.ts')
  const child = spawn(process.execPath, [SMALL_HEAP, program, relay.url], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { outcome, gotBytes, putRose, getRose } = JSON.parse(await text(child.stdout)) as Carried
  expect([outcome, gotBytes]).toEqual(['kept', 20 * MIB])
  for (const rose of [...putRose, ...getRose]) expect(rose).toBeLessThan(MOST_RISEN)
})
