/** Inboxes of the real relay, called by the client: what a kill leaves, what its log tells, and whom it calls. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatBase64url } from '../../src/core/encoding/bytes.ts'
import { putCard } from '../../src/relay/cards.ts'
import { RelayClient } from '../../src/relay/client.ts'
import { acknowledge, followInbox, listEntries, postEntry, setSenders } from '../../src/relay/inboxes.ts'
import { APP, cardKeyPair, signedCard } from '../support/cards.ts'
import { codeOf } from '../support/code-of.ts'
import { alice, bob, carol, idOf, inboxOf, placeOf } from '../support/inbox-world.ts'
import type { MadePersona } from '../support/made-persona.ts'
import { RelayProcess, runRelayCommand } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const NO_TRACER = tracerProblem()
const REASON = NO_TRACER === '' ? '' : ` (skipped: ${NO_TRACER})`
/** A tracer beside the relay, which writes down each connection that the relay begins. */
const traced = (file: string): string[] => {
  return ['strace', '-D', '-f', '-q', '-e', 'trace=connect,listen,sendto,sendmsg', '-o', file]
}

/** The calls that a tracer wrote down, once the program has ended. */
async function callsIn(file: string): Promise<string[]> {
  for (;;) {
    const lines = readFileSync(file, 'utf8').split('\n')
    // The tracer ends a moment after the program.
    if (lines.some((line) => line.includes('+++ exited') || line.includes('+++ killed'))) return lines
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const reached = (lines: readonly string[]): string[] =>
  lines.filter((line) => /\b(connect|sendto|sendmsg)\(.*AF_INET/.test(line))

function tracerProblem(): string {
  try {
    execFileSync('strace', ['-qq', '-e', 'trace=connect', '-o', '/dev/null', 'true'], { stdio: 'ignore' })
    return ''
  } catch {
    return 'strace is not there, or may not trace'
  }
}

function clientOf({ url }: RelayProcess): RelayClient {
  const clock = { nowMs: () => Date.now(), after: () => () => {} }
  return new RelayClient({ url: `${url}/`, origin: url }, { fetch, clock, random: () => 0.5 })
}

function put(client: RelayClient, persona: MadePersona): Promise<unknown> {
  const card = signedCard(persona, { issuedAtSec: Math.floor(Date.now() / 1000) })
  return putCard(client, { at: placeOf(persona) }, card)
}

const FROM_ALICE = inboxOf(bob, alice)
const BOBS = inboxOf(bob, bob)
const CONFIG = `personas: ['${idOf(bob)}']\n`

/** Everything that clients do with inboxes, also what is refused. @returns an entry that is there in the end */
async function callAll(client: RelayClient): Promise<string> {
  for (const persona of [alice, bob]) await put(client, persona)
  await setSenders(client, BOBS, { allow: [idOf(alice)], block: [idOf(carol)] })
  for (const encId of ['Rmlyc3RFbnRyeQ', 'U2Vjb25kRW50cnk']) await postEntry(client, FROM_ALICE, encId)
  for await (const { n } of followInbox(client, BOBS, 0)) {
    await acknowledge(client, BOBS, [n])
    break
  }
  expect(await codeOf(postEntry(client, inboxOf(bob, carol), 'VGhpcmRFbnRyeQ'))).toBe('RELAY_NO_CARD')
  expect(await codeOf(postEntry(client, inboxOf(carol, alice), 'VGhpcmRFbnRyeQ'))).toBe('RELAY_NO_INBOX')
  expect(await codeOf(listEntries(client, inboxOf(bob, alice), 0))).toBe('RELAY_NO_RIGHT')
  expect(await codeOf(acknowledge(client, BOBS, []))).toBe('RELAY_BAD_REQUEST')
  return 'U2Vjb25kRW50cnk'
}

test('an entry whose sender has an answer is there after a kill, and so is what was acknowledged', async () => {
  const home = tempDir()
  const first = await RelayProcess.start({ home, config: CONFIG })
  const left = await callAll(clientOf(first))
  expect(await first.kill('SIGKILL')).toBe('SIGKILL')
  const second = await RelayProcess.start({ home, config: CONFIG })
  const client = clientOf(second)
  expect((await listEntries(client, BOBS, 0)).entries.map(({ encId }) => encId)).toEqual([left])
  expect((await listEntries(client, inboxOf(bob, bob, 2), 0)).entries).toHaveLength(2)
  const forgot = await runRelayCommand(['forget', idOf(bob), '--dir', second.dataDir])
  expect(forgot.stdout).toContain('cards of the persona 1, inboxes 1')
})

test('the log and the metrics name no persona, no key, no place and no entry', async () => {
  const relay = await RelayProcess.start({ home: tempDir(), config: CONFIG })
  await callAll(clientOf(relay))
  const stats = await runRelayCommand(['stats', '--dir', relay.dataDir, '--json'])
  expect(JSON.parse(stats.stdout)).toMatchObject({ inboxes: 1, entries: 2 })
  await relay.kill('SIGTERM')
  const printed = [...relay.log, relay.output, stats.stdout].join('\n')
  expect(printed).toContain('relay.ready')
  const keys = [1, 2].map((device) => formatBase64url(cardKeyPair(device).publicKey))
  for (const secret of [
    ...[alice, bob, carol].map(idOf),
    ...[alice, bob].map((each) => placeOf(each)),
    ...keys,
    APP,
    'RW50cnk',
  ])
    expect(printed).not.toContain(secret)
})

test.skipIf(REASON !== '')(`a relay begins no connection, whatever it is asked${REASON}`, async () => {
  const home = tempDir()
  const file = join(home, 'calls')
  const relay = await RelayProcess.start({ home, config: CONFIG, prefix: traced(file) })
  await callAll(clientOf(relay))
  await relay.kill('SIGTERM')
  const calls = await callsIn(file)
  // The tracer saw the relay at work.
  expect(calls.some((line) => line.includes('listen('))).toBe(true)
  expect(reached(calls)).toEqual([])
})

test.skipIf(REASON !== '')(`a tracer sees a connection that a program begins${REASON}`, async () => {
  const file = join(tempDir(), 'calls')
  const [tracer = '', ...args] = traced(file)
  const program = "require('node:net').connect(9, '127.0.0.1').on('error', () => {})"
  execFileSync(tracer, [...args, process.execPath, '-e', program])
  expect(reached(await callsIn(file))).not.toEqual([])
})
