/** Two real relays that share one database, as a proxy would have them. */
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerQuestion } from '../../../src/relay/answer-question.ts'
import type { BoxAnswer } from '../../../src/relay/wire.ts'
import { TestOwner } from '../relay-boxes.ts'
import { RelayProcess } from '../relay-process.ts'
import { removeTree } from '../remove-tree.ts'
import type { TestPostgres } from './server.ts'

/** The URL under which apps call both. */
export const SHARED_URL = 'https://shared.example'

export interface TwoRelays {
  readonly relays: readonly [RelayProcess, RelayProcess]
  /** Starts one of them again, with its data. */
  start(name: 'one' | 'two'): Promise<RelayProcess>
  remove(): Promise<void>
}

/** @param config lines for both @param sharedUrl under which apps call them */
export async function startTwo(
  server: TestPostgres,
  schema: string,
  config = '',
  sharedUrl: string = SHARED_URL,
): Promise<TwoRelays> {
  await server.sql(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  const homes = realpathSync(mkdtempSync(join(tmpdir(), 'persona-two-')))
  const started: RelayProcess[] = []
  const start = async (name: 'one' | 'two'): Promise<RelayProcess> => {
    const home = join(homes, name)
    mkdirSync(home, { mode: 0o700, recursive: true })
    const lines = `url: '${sharedUrl}'\nstore: '${server.url(schema)}'\n${config}`
    const listen = `127.0.0.1:${await freePort()}`
    const relay = await RelayProcess.launch({ home, listen, config: lines })
    // There is no proxy: each is called by its own address.
    relay.url = `http://${listen}`
    started.push(relay)
    return relay
  }
  const relays = await Promise.all([start('one'), start('two')])
  const remove = async (): Promise<void> => {
    for (const relay of started) await relay.kill('SIGKILL')
    removeTree(homes)
  }
  return { relays, start, remove }
}

/** Asks a relay for a question, and answers it. */
export async function answerFrom(relay: RelayProcess, owner: TestOwner): Promise<string> {
  const checked = await relay.post(owner.check(0, true))
  if (!checked.ok || !('question' in checked)) throw new Error(`no question: ${JSON.stringify(checked)}`)
  return await answerQuestion(owner.pair, SHARED_URL, checked.question, Math.floor(Date.now() / 1000))
}

/** All that is in a box, as its owner reads it. */
export async function receiveAll(relay: RelayProcess, owner: TestOwner, at = 0): Promise<BoxAnswer> {
  return await relay.post(owner.receiveBody(await answerFrom(relay, owner), at, 100))
}

/** The events of a stream of `/wait` so far. It ends with the test's signal. */
export async function waitAt(relay: RelayProcess, pubs: readonly string[], signal: AbortSignal): Promise<string[]> {
  const body = JSON.stringify({ boxes: pubs.map((pub) => ({ pub, at: 0 })) })
  const answer = await fetch(`${relay.url}/wait`, { method: 'POST', body, signal })
  const events: string[] = []
  const follow = async (): Promise<void> => {
    for await (const part of answer.body!.pipeThrough(new TextDecoderStream()))
      events.push(...part.split('\n').filter((line) => line.startsWith('data: ')))
  }
  follow().catch(() => {})
  return events
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
