import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/core/encoding/bytes.ts'
import { sealingOf } from '../../src/crypto/sealing.ts'
import { deriveSigningSeed, parseWords } from '../../src/crypto/seed.ts'
import type { Client } from '../../src/ipc/client.ts'
import { formsOf } from '../support/canary.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP, OWN_PHONE } from '../support/keeper.ts'
import { engine, person } from '../support/person.ts'
import { tempDir } from '../support/temp-dir.ts'

const passphrase = 'canary-9f3a passphrase of the owner'
const wrongPassphrase = 'canary-77b1 what the owner mistyped'
const laterPassphrase = 'canary-c05d what the owner changed it to'
const credential = engine.randomBytes(32)

function secretsOf(words: readonly string[]): Buffer[] {
  const seed = parseWords(words.join(' '))
  const signingSeeds = [0, 1, 16].map((epoch) => deriveSigningSeed(seed, epoch, engine))
  const pairs = [' ', ',', '","', '\n'].flatMap((between) =>
    words.slice(1).map((word, i) => Buffer.from(`${words[i]!}${between}${word}`)),
  )
  const keys = [seed, ...signingSeeds, ...signingSeeds.map((one) => concatBytes(engine.signKeyPair(one).secretKey))]
  const typed = [passphrase, wrongPassphrase, laterPassphrase].map((text) => Buffer.from(text))
  return [...[...keys, credential].flatMap(formsOf), ...pairs, ...typed]
}

const MAX_READINGS = 20 // sanity: the daemon replaces its witness a few times a story

/** Every file of a running daemon with its bytes. Starts again if the daemon has replaced a listed file, as it does with its witness. */
function filesBelow(directory: string): [path: string, bytes: Buffer][] {
  for (let reading = 1; ; reading++) {
    try {
      const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      return entries.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name))])
    } catch (error) {
      const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (!isGone || reading === MAX_READINGS) throw error
    }
  }
}

function expectNone(secrets: readonly Buffer[], where: string, bytes: Buffer): void {
  // Do not use a matcher on the content: its failure would print the secret.
  const found = secrets.findIndex((secret) => bytes.includes(secret))
  expect(found, `secret number ${found} lies in ${where}`).toBe(-1)
}

/** The 32 bytes of Argon2id that currently seal the secrets file. */
async function argonSecret(home: string, typed: string): Promise<Buffer[]> {
  const sealing = await sealingOf(readFileSync(join(home, 'state/secrets')), typed, engine)
  return sealing.mode === 'unsealed' ? [] : formsOf(sealing.secret)
}

/** The command line and, where this user may read it, the environment. */
function expectNoneAround(secrets: readonly Buffer[], daemon: DaemonProcess): void {
  const { pid } = daemon.child
  expectNone(secrets, 'the command line', readFileSync(`/proc/${pid}/cmdline`))
  // The daemon forbids this to other programs of its user.
  if (process.getuid?.() === 0) expectNone(secrets, 'the environment', readFileSync(`/proc/${pid}/environ`))
}

/** Records the answer of a call, or its error. */
function recorder(replies: string[]): (call: Promise<unknown>) => Promise<void> {
  return async (call) => {
    const answer = await call.catch((error: unknown) => ({
      ...(error as object),
      message: String(error),
      stack: (error as Error).stack,
    }))
    replies.push(JSON.stringify(answer))
  }
}

/** Makes calls of every kind, good and bad, on both sockets, and records all answers. */
async function callEverything(admin: Client, app: Client, replies: string[]): Promise<void> {
  const record = recorder(replies)
  const bob = person('bob')
  await admin.subscribe(null, (event) => replies.push(JSON.stringify(event)))
  await record(admin.call('persona.unlock', { passphrase: wrongPassphrase }))
  await record(admin.call('persona.init', { passphrase: wrongPassphrase }))
  await record(app.call('persona.unlock', { passphrase }))
  await record(admin.call('persona.unlock', { passphrase: passphrase + '\u0378' }))
  await record(admin.call('persona.unlock', { passphrase, extra: 1 } as never))
  await record(admin.call('persona.unlock', { passphrase }))
  await record(admin.call('device.add', { name: 'phone', key: OWN_PHONE }))
  await record(admin.call('device.add', { name: 'phone', key: OWN_PHONE }))
  await record(admin.call('device.rename', { device: 'phone', name: 'p' }))
  await record(admin.call('device.activate', { device: 'p' }))
  await record(admin.call('device.remove', { device: 'p' }))
  await record(admin.call('observe', { from: bob.key('phone'), text: bob.table(['phone']).text() }))
  for (const client of [admin, app]) {
    await record(client.call('status'))
    await record(client.call('blob.get', { words: 'hello' }))
    await record(client.call('device.list'))
    await record(client.call('contact.list'))
    await record(client.call('lookup', { query: OWN_LAPTOP }))
    await record(client.call('verify', { text: 'persona:x' }))
    await record(client.call('recovery.confirm', { words: [1, 2, 3].map((position) => ({ position, word: 'wrong' })) }))
  }
  await record(app.call('recovery.show'))
}

/** Sends the words as one text, right and wrong, on both sockets, and uses them. */
async function rotateWith(words: readonly string[], admin: Client, app: Client, replies: string[]): Promise<void> {
  const record = recorder(replies)
  const text = words.join(' ')
  await record(app.call('recovery.check', { words: text }))
  await record(admin.call('recovery.check', { words: text, more: 1 } as never))
  await record(admin.call('recovery.check', { words: words.slice(1).join(' ') }))
  await record(admin.call('recovery.check', { words: text }))
  const { plan } = await admin.call('rotation.plan', { epoch: 1 })
  await record(admin.call('rotation.apply', { epoch: 1, plan, words: words.toReversed().join(' ') }))
  await record(admin.call('rotation.apply', { epoch: 2, plan, words: text }))
  await record(admin.call('rotation.apply', { epoch: 1, plan, words: text }))
  await record(admin.call('rotation.follow', { words: text }))
  expect((await admin.call('device.list')).epoch).toBe(1)
}

describe('a secret', () => {
  it('appears in no log, file, event, error or reply, except the reply of recovery.show', async () => {
    const home = tempDir()
    mkdirSync(join(home, 'config'))
    writeFileSync(
      join(home, 'config/personad.yaml'),
      'log:\n  level: debug\napps:\n  default_capabilities: [read, observe, publish]\n',
    )
    const first = await DaemonProcess.start({ home })
    const maker = await first.connect()
    const replies = [
      JSON.stringify(await maker.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP }, passphrase })),
    ]
    const { words } = await maker.call('recovery.show')
    expect(await first.kill('SIGTERM')).toBe(0)

    const argon = await argonSecret(home, passphrase)
    const daemon = await DaemonProcess.start({ home })
    const [admin, app] = [await daemon.connect('admin'), await daemon.connect('app')]
    await callEverything(admin, app, replies)
    const secrets = [...secretsOf(words), ...argon]
    const [files, logs] = [filesBelow(join(home, 'state')), [...first.log, ...daemon.log]]
    for (const [path, bytes] of files) expectNone(secrets, path, bytes)
    expectNoneAround(secrets, daemon)

    const chosen = [4, 9, 20].map((position) => ({ position, word: words[position - 1]! }))
    replies.push(JSON.stringify(await admin.call('recovery.confirm', { words: chosen })))
    await rotateWith(words, admin, app, replies)
    // Another passphrase, sealing the key of another epoch.
    const change = { present: passphrase, passphrase: laterPassphrase }
    replies.push(JSON.stringify(await admin.call('passphrase.change', change)))
    secrets.push(...(await argonSecret(home, laterPassphrase)))
    replies.push(JSON.stringify(await admin.call('persona.lock')))
    replies.push(JSON.stringify(await admin.call('persona.unlock', { passphrase: laterPassphrase })))
    replies.push(JSON.stringify(await admin.call('log.list', { limit: 100 })))
    expect(replies.at(-3)).toContain('locked')
    expect(await daemon.kill('SIGTERM')).toBe(0)
    for (const [path, bytes] of filesBelow(join(home, 'state'))) expectNone(secrets, path, bytes)
    expectNone(secrets, 'the log', Buffer.from([...logs, ...daemon.log].join('\n')))
    expectNone(secrets, 'a reply', Buffer.from(replies.join('\n')))
    // Prove that the search looked at something: otherwise nothing above could fail.
    expect(files.map(([path]) => path.split('/').at(-1))).toEqual(expect.arrayContaining(['secrets', 'seed', 'anchor']))
    expect(replies.length).toBeGreaterThan(30)
    expect(replies.some((reply) => reply.includes('own.changed'))).toBe(true)
    expect(logs.length).toBeGreaterThan(3)
    expect(secrets.some((secret) => Buffer.from(words.join(' ')).includes(secret))).toBe(true)
  }, 90_000)

  it("appears in none of them when the service manager's key seals the secrets either", async () => {
    const [home, directory] = [tempDir(), tempDir()]
    writeFileSync(join(directory, 'personad.key'), credential, { mode: 0o600 })
    const env = { CREDENTIALS_DIRECTORY: directory }
    const daemon = await DaemonProcess.start({ home, env })
    const client = await daemon.connect()
    const replies = [JSON.stringify(await client.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } }))]
    const secrets = secretsOf((await client.call('recovery.show')).words)
    replies.push(JSON.stringify(await client.call('status')))
    const refused = await client.call('persona.lock').then(JSON.stringify, String)
    replies.push(refused)
    expectNoneAround(secrets, daemon)
    const files = filesBelow(join(home, 'state'))
    for (const [path, bytes] of files) expectNone(secrets, path, bytes)
    expect(await daemon.kill('SIGTERM')).toBe(0)
    expectNone(secrets, 'the log', Buffer.from(daemon.log.join('\n')))
    expectNone(secrets, 'a reply', Buffer.from(replies.join('\n')))
    expect(files.length).toBeGreaterThan(3)
    expect(secrets.some((secret) => Buffer.from(credential).includes(secret))).toBe(true)
  }, 30_000)

  it('lies unsealed in the state directory only without a passphrase, and the search finds it there', async () => {
    const home = tempDir()
    const daemon = await DaemonProcess.start({ home })
    const client = await daemon.connect()
    await client.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
    const secrets = secretsOf((await client.call('recovery.show')).words)
    const files = filesBelow(join(home, 'state'))
    const holding = files.filter(([, bytes]) => secrets.some((secret) => bytes.includes(secret)))
    expect(new Set(holding.map(([path]) => path.split('/').at(-1)))).toStrictEqual(new Set(['secrets', 'seed']))
  })
})
