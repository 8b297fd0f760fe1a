import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { unseal } from '../../src/crypto/seal.ts'
import { parseWords } from '../../src/crypto/seed.ts'
import type { OwnTable } from '../../src/ipc/shapes/own.ts'
import { formsOf } from '../support/canary.ts'
import { OWN_LAPTOP, OWN_PHONE } from '../support/keeper.ts'
import { engine } from '../support/person.ts'
import { Home } from '../support/persona.ts'
import { Talker } from '../support/talker.ts'
import { tempDir } from '../support/temp-dir.ts'
import { SCRIPT, Typist } from '../support/typist.ts'

interface Code {
  words: string[]
  uri: string
  addresses: string[]
}
interface Compared {
  compare: string[]
  device: { name: string; key: string } | null
  persona: { personaId: string } | null
}

async function twoHomes(): Promise<{ old: Home; fresh: Home }> {
  const [old, fresh] = [new Home(), new Home()]
  await Promise.all([old.start(), fresh.start()])
  await old.done(['init', '--device', 'laptop', '--key', OWN_LAPTOP])
  return { old, fresh }
}

async function devicesOf(home: Home): Promise<string[]> {
  return ((await home.json(['device', 'list'])) as OwnTable).devices.map(({ name }) => name)
}

/** Runs both sides up to the words, and types the words of each screen on the other. */
async function confirmBoth(pairing: Talker, joining: Talker): Promise<{ here: Compared; there: Compared }> {
  const [here, there] = await Promise.all([pairing.json<Compared>(), joining.json<Compared>()])
  pairing.type(there.compare.join(' '))
  joining.type(here.compare.join(' '))
  return { here, there }
}

async function bothEnd(pairing: Talker, joining: Talker): Promise<void> {
  const ended = await Promise.all([pairing.ended, joining.ended])
  expect(ended, pairing.stderr + joining.stderr).toEqual([0, 0])
}

/** The loopback address of the old device, with the port from the code. */
function loopback({ addresses, uri }: Code): string {
  const port = /:(\d+)$/.exec(addresses[0] ?? uri)?.[1]
  return `127.0.0.1:${port}`
}

/** Forwards between the two devices, and records all bytes. */
async function eavesdropper(target: string): Promise<{ at: string; seen: () => { old: Buffer; fresh: Buffer } }> {
  const [host, port] = target.split(':')
  const chunks = { old: [] as Buffer[], fresh: [] as Buffer[] }
  const server = createServer((fromFresh) => {
    const toOld = connect(Number(port), host)
    onTestFinished(() => void toOld.destroy())
    fromFresh.on('data', (chunk) => (chunks.fresh.push(chunk), toOld.write(chunk)))
    toOld.on('data', (chunk) => (chunks.old.push(chunk), fromFresh.write(chunk)))
    fromFresh.on('end', () => toOld.end()).on('error', () => {})
    toOld.on('end', () => fromFresh.end()).on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address() as { port: number }
  const seen = (): { old: Buffer; fresh: Buffer } => ({
    old: Buffer.concat(chunks.old),
    fresh: Buffer.concat(chunks.fresh),
  })
  return { at: `127.0.0.1:${address.port}`, seen }
}

/** The lengths of the messages that one side sent. */
function frameLengths(bytes: Buffer): number[] {
  const lengths: number[] = []
  for (let at = 0; at < bytes.length; at += 2 + lengths.at(-1)!) lengths.push(bytes.readUInt16BE(at))
  return lengths
}

describe('persona pair and persona join', () => {
  test('find each other on the network by twelve words, and move the persona', async () => {
    const { old, fresh } = await twoHomes()
    const pairing = new Talker(old, ['pair', '--json'])
    const { words } = await pairing.json<Code>()
    const joining = new Talker(fresh, ['join', ...words, '--device', 'phone', '--key', OWN_PHONE, '--json'])
    const { here, there } = await confirmBoth(pairing, joining)
    expect(here.compare).toEqual(there.compare)
    expect(here.device).toEqual({ name: 'phone', key: OWN_PHONE })
    await bothEnd(pairing, joining)
    expect(await devicesOf(fresh)).toEqual(['laptop', 'phone'])
    expect(await devicesOf(old)).toEqual(['laptop', 'phone'])
    await fresh.done(['device', 'rename', 'phone', 'telephone'])
    expect(await devicesOf(fresh)).toEqual(['laptop', 'telephone'])
  })

  test('reveal nothing to an eavesdropper, and send at most two legs before the words are confirmed', async () => {
    const { old, fresh } = await twoHomes()
    const recovery = (await old.json(['recovery', 'show'])) as { words: string[] }
    const pairing = new Talker(old, ['pair', '--json'])
    const code = await pairing.json<Code>()
    const ear = await eavesdropper(loopback(code))
    const joining = new Talker(fresh, ['join', ...code.words, '--at', ear.at, '--json'])
    const [here, there] = await Promise.all([pairing.json<Compared>(), joining.json<Compared>()])
    joining.type(here.compare.join(' '))
    // The new device has confirmed once its message is on the wire. The old device has not.
    while (frameLengths(ear.seen().fresh).length < 2) await new Promise((turn) => setImmediate(turn))
    expect(frameLengths(ear.seen().old)).toHaveLength(1)
    pairing.type(there.compare.join(' '))
    await bothEnd(pairing, joining)
    const { old: sent } = ear.seen()
    expect(frameLengths(sent).at(-1)).toBe(2 + 32 + 16)
    const contentOf = (home: Home): Buffer =>
      Buffer.from(unseal(readFileSync(join(home.directory, 'state/secrets')), { mode: 'unsealed' }, engine))
    const seed = formsOf(parseWords(recovery.words.join(' ')))
    const signing = formsOf(contentOf(old).subarray(-32))
    const secrets = contentOf(fresh)
    // Prove that the search can find something: the key has arrived.
    expect(signing.some((part) => secrets.includes(part))).toBe(true)
    expect(signing.some((part) => sent.includes(part))).toBe(false)
    for (const file of readdirSync(join(fresh.directory, 'state'))) expect(file).not.toBe('seed')
    expect(seed.some((form) => secrets.includes(form) || sent.includes(form))).toBe(false)
  })

  test('move nothing if the words of the other screen are wrong', async () => {
    const { old, fresh } = await twoHomes()
    const pairing = new Talker(old, ['pair', '--json'])
    const code = await pairing.json<Code>()
    const joining = new Talker(fresh, ['join', code.uri.replace(/\?.*/, `?at=${loopback(code)}`), '--json'])
    const [, there] = await Promise.all([pairing.json<Compared>(), joining.json<Compared>()])
    joining.type(there.compare.join(' '))
    pairing.type(there.compare.toReversed().join(' '))
    expect(await Promise.all([pairing.ended, joining.ended])).toEqual([1, 1])
    expect(pairing.stderr).toContain('PAIRING_REFUSED')
    expect(joining.stderr).toContain('PAIRING_PEER_GONE')
    expect(await fresh.failure(['device', 'list'])).toBe('1 NO_PERSONA')
    expect(existsSync(join(fresh.directory, 'state/secrets'))).toBe(false)
    // A new pairing starts afresh.
    const again = new Talker(old, ['pair', '--json'])
    expect((await again.json<Code>()).words).not.toEqual(code.words)
  })

  test('move nothing and raise no suspicion if nobody types the words of the other screen', async () => {
    const { old, fresh } = await twoHomes()
    const pairing = new Talker(old, ['pair', '--json'])
    const code = await pairing.json<Code>()
    const joined = await fresh.run(['join', ...code.words, '--at', loopback(code)])
    expect(joined.status).toBe(1)
    expect(joined.stderr).toMatch(/^Stdin did not give the six words/m)
    expect(joined.stderr).not.toContain('between your devices')
    expect(await fresh.failure(['device', 'list'])).toBe('1 NO_PERSONA')
  })

  test('stop waiting once the pairing is cancelled in another terminal', async () => {
    for (const carrier of [[], ['--file', join(tempDir(), 'stick')]]) {
      const { old, fresh } = await twoHomes()
      const pairing = new Talker(old, ['pair', ...carrier, '--json'])
      const { words } = await pairing.json<Code>()
      await old.done(['pair', '--cancel'])
      const again = new Talker(old, ['pair', '--json'])
      await again.json<Code>()
      expect(await pairing.ended).toBe(1)
      expect(pairing.stderr).toContain('PAIRING_CANCELLED')
      // The end of the first pairing has not ended the new one.
      expect(await old.failure(['pair'])).toBe('1 PAIRING_BUSY')
      const joining = new Talker(fresh, ['join', ...words, '--file', join(tempDir(), 'nobody')])
      while (!joining.stderr.includes('waiting for')) await new Promise((turn) => setImmediate(turn))
      await fresh.done(['pair', '--cancel'])
      expect(await joining.ended).toBe(1)
      expect(joining.stderr).toContain('PAIRING_CANCELLED')
    }
  })

  test('end in the daemon too after Ctrl-C or with their terminal, so that the next pairing can begin', async () => {
    const { old, fresh } = await twoHomes()
    const joining = ['join', ...'abandon '.repeat(11).trim().split(' '), 'about', '--file', join(tempDir(), 'stick')]
    for (const [home, args, signal] of [
      [old, ['pair'], 'SIGINT'],
      [old, ['pair', '--file', join(tempDir(), 'stick')], 'SIGTERM'],
      [fresh, joining, 'SIGHUP'],
      [fresh, joining, 'SIGINT'],
    ] as const) {
      const waiting = new Talker(home, args)
      while (!/If it does not find|waiting for/.test(waiting.stdout + waiting.stderr))
        await new Promise((turn) => setImmediate(turn))
      waiting.child.kill(signal)
      expect(await waiting.ended).toBe(1)
      expect(waiting.stderr).toMatch(/^Cancelled the pairing\.$/m)
    }
    const again = new Talker(old, ['pair', '--json'])
    expect((await again.json<Code>()).words).toHaveLength(12)
  })

  test('stop asking for the words once the pairing is cancelled in another terminal', async () => {
    const { old, fresh } = await twoHomes()
    const pairing = new Talker(old, ['pair', '--json'])
    const code = await pairing.json<Code>()
    const joining = new Talker(fresh, ['join', ...code.words, '--at', loopback(code), '--json'])
    await Promise.all([pairing.json<Compared>(), joining.json<Compared>()])
    await old.done(['pair', '--cancel'])
    expect(await pairing.ended).toBe(1)
    expect(pairing.stderr).toContain('PAIRING_CANCELLED')
  })

  test('carry everything in three files', async () => {
    const { old, fresh } = await twoHomes()
    const path = join(tempDir(), 'stick')
    const pairing = new Talker(old, ['pair', '--file', path, '--json'])
    const { words } = await pairing.json<Code>()
    const joining = new Talker(fresh, ['join', ...words, '--file', path, '--json'])
    await confirmBoth(pairing, joining)
    await bothEnd(pairing, joining)
    expect(await devicesOf(fresh)).toEqual(['laptop'])
    expect([1, 2, 3, 4].map((leg) => existsSync(`${path}.${leg}`))).toEqual([true, true, true, false])
  })

  test('refuse a bad code, a bad address, and options that exclude each other, each with its own error', async () => {
    const { old, fresh } = await twoHomes()
    expect(await fresh.failure(['pair'])).toBe('1 NO_PERSONA')
    expect(await fresh.failure(['join', 'zoo', 'zoo'])).toBe('1 PAIRING_CODE_LENGTH')
    expect(await old.failure(['pair', '--listen', 'nowhere'])).toBe('2 USAGE')
    expect(await old.failure(['pair', '--listen', '127.0.0.1:1', '--file', 'x'])).toBe('2 USAGE')
    const words = 'abandon '.repeat(11).trim().split(' ')
    const code = [...words, 'about']
    expect(await fresh.failure(['join', ...code, '--at', 'x'])).toBe('2 USAGE')
    expect(await fresh.failure(['join', ...code, '--at', '127.0.0.1:1'])).toBe('1 PAIRING_CONNECTION')
    expect(await fresh.failure(['join', ...code, '--device', 'phone'])).toBe('2 USAGE')
  })
})

describe.skipIf(!existsSync(SCRIPT))(`on a terminal${existsSync(SCRIPT) ? '' : ` (skipped: no ${SCRIPT})`}`, () => {
  test.each(['y', 'n', 'the six words'])(
    'both people are asked, and the pairing follows the answer "%s"',
    async (answer) => {
      const { old, fresh } = await twoHomes()
      const pairing = new Typist(old, ['pair', '--listen', `127.0.0.1:${await freePort()}`])
      const shown = await pairing.until('If it does not find this device')
      const words = /persona join ([a-z ]+?)\s*[\r\n]/.exec(shown)![1]!
      const at = (await pairing.until('\n')).match(/127\.0\.0\.1:\d+/)![0]
      const joining = new Typist(fresh, ['join', ...words.split(' '), '--at', at])
      const [here, there] = await Promise.all([pairing.until('[y/N] '), joining.until('[y/N] ')])
      const six = /\r\n {4}((?:[a-z]+ ){5}[a-z]+)\r\n/
      expect(six.exec(here)![1]).toBe(six.exec(there)![1])
      joining.type('y\r')
      pairing.type(`${answer === 'the six words' ? six.exec(there)![1] : answer}\r`)
      const ended = await Promise.all([pairing.end(), joining.end()])
      expect(ended).toEqual(answer === 'n' ? [1, 1] : [0, 0])
      if (answer !== 'n') expect(await devicesOf(fresh)).toEqual(['laptop'])
      else expect(await fresh.failure(['device', 'list'])).toBe('1 NO_PERSONA')
    },
  )
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
