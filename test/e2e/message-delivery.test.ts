/** One message over two real relays: the transcript in docs/messages.md, and what the relays keep and write down of it. */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  CONTENT,
  HOME_CONFIGS,
  MESSAGE_DOC,
  playDelivery,
  withMessageExample,
  type Homes,
  type Underway,
} from '../generate/message-example.ts'
import { filesBelow, formsOf } from '../support/canary.ts'
import { RelayProcess, runRelayCommand } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

type Relays = Readonly<Record<keyof Homes, RelayProcess>>

/** Starts a relay, after a kill on the data and at the address of the one before. */
async function start(home: string, name: keyof Homes, before?: RelayProcess): Promise<RelayProcess> {
  const listen = before === undefined ? {} : { listen: `127.0.0.1:${before.port}` }
  return await RelayProcess.start({ home, dataDir: join(home, name), config: HOME_CONFIGS[name], ...listen })
}

async function startBoth(home: string, before?: Relays): Promise<Relays> {
  return { alices: await start(home, 'alices', before?.alices), bobs: await start(home, 'bobs', before?.bobs) }
}

/** All bytes and all names of files that a relay keeps. */
function keptBy({ dataDir }: RelayProcess): Buffer {
  const names = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).join('\n')
  return Buffer.concat([...filesBelow(dataDir), Buffer.from(names)])
}

/** All that a relay prints, and tells its operator. */
async function printedBy(relay: RelayProcess): Promise<Buffer> {
  const stats = await runRelayCommand(['stats', '--dir', relay.dataDir, '--json'])
  return Buffer.from([...relay.log, relay.output, await relay.metrics(), stats.stdout].join('\n'))
}

/** The forms of what nobody but the devices may know, and of what else leads to the object. */
function secretsOf({ written: { entry, object } }: Underway): Readonly<Record<string, readonly Buffer[]>> {
  const fileName = createHash('sha256').update(entry.id).digest()
  return {
    text: formsOf(Buffer.from(CONTENT)),
    id: formsOf(entry.id),
    hash: formsOf(entry.hash),
    object: [Buffer.from(object), Buffer.from(object.subarray(-64))],
    'name of its file': formsOf(fileName),
  }
}

function foundIn(bytes: Buffer, secrets: Readonly<Record<string, readonly Buffer[]>>): string[] {
  return Object.keys(secrets).filter((name) => secrets[name]!.some((form) => bytes.includes(form)))
}

/** Looks at all that both relays have while a message is underway. */
async function expectSecret({ alices, bobs }: Relays, message: Underway): Promise<void> {
  const secrets = secretsOf(message)
  expect(foundIn(keptBy(bobs), secrets)).toEqual([])
  expect(foundIn(keptBy(alices), secrets)).toEqual(['hash', 'object', 'name of its file'])
  for (const relay of [alices, bobs]) expect(foundIn(await printedBy(relay), secrets)).toEqual([])
  // The search finds what is there.
  expect([keptBy(bobs).includes(message.toBob), keptBy(alices).includes(message.toAlice)]).toEqual([true, true])
}

async function countsOf({ dataDir }: RelayProcess): Promise<unknown> {
  return JSON.parse((await runRelayCommand(['stats', '--dir', dataDir, '--json'])).stdout)
}

test('a message reaches all devices as the page shows it, and no relay keeps or writes down its text or id', async () => {
  const home = tempDir()
  const first = await startBoth(home)
  let relays = first
  const { text, contents } = await playDelivery({ alices: first.alices.url, bobs: first.bobs.url }, async (message) => {
    await expectSecret(first, message)
    for (const relay of [first.alices, first.bobs]) await relay.kill('SIGKILL')
    // A database that opens writes its log into its tables.
    relays = await startBoth(home, first)
    await expectSecret(relays, message)
  })
  const page = readFileSync(MESSAGE_DOC, 'utf8')
  expect(withMessageExample(page, text), 'else: node test/generate/message-example.ts').toBe(page)
  expect(contents).toEqual([CONTENT, CONTENT, CONTENT])
  expect(await countsOf(relays.alices)).toMatchObject({ cards: 2, objects: 0, entries: 0 })
  expect(await countsOf(relays.bobs)).toMatchObject({ cards: 2, objects: 0, entries: 0 })
})
