/** persona-relay as an operator uses it: one command to try it, and the commands around a relay that runs. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { cardAt } from '../../src/card/place.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { callRelay } from '../../src/relayd/program/call-relay.ts'
import { checkRelay } from '../../src/relayd/program/check.ts'
import { renderRelayUnit } from '../../src/relayd/program/init.ts'
import { parseRelayConfig } from '../../src/relayd/program/relay-config.ts'
import { APP, makeToken, verifiedCard } from '../support/cards.ts'
import { makePersona, sodium } from '../support/made-persona.ts'
import { RelayProcess, runRelayCommand } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const MAX_EXPOSURE = 1.3 // of 10; "OK" reaches up to 5. A line missing in the unit shows here.
const KEY = 'vgsBffknnmv10Qbcb_VHscusub4GFv9xZ9dErKVzwUQ'

describe('serve', () => {
  test('prints a line to try, and the line works as it stands', async () => {
    const relay = await RelayProcess.start({ home: tempDir() })
    const line = await relay.printed('curl http')
    expect(JSON.parse(execFileSync('sh', ['-c', line.replace('curl', 'curl --silent')], { encoding: 'utf8' }))).toEqual(
      { ok: true },
    )
    const page = await (await fetch(relay.url)).text()
    expect(page).toContain('This is a relay')
    expect(await (await fetch(`${relay.url}/healthz`)).json()).toEqual({ ok: true })
    expect(await relay.kill('SIGTERM')).toBe(0)
    expect(statSync(relay.dataDir).mode & 0o777).toBe(0o700)
  })

  test('refuses a wrong configuration with 78, and names line and column', async () => {
    const relay = await RelayProcess.start({ home: tempDir(), config: 'limits:\n  box_mesages: 3\n' })
    expect(await relay.ended).toBe(78)
    expect(relay.log.join('')).toMatch(/line 3, column 3: unknown key \\"limits.box_mesages\\"/)
  })

  test('refuses an address that is taken, and names it', async () => {
    const first = await RelayProcess.start({ home: tempDir() })
    const second = await RelayProcess.start({ home: tempDir(), listen: `127.0.0.1:${first.port}` })
    expect(await second.ended).toBe(78)
    expect(second.log.join('')).toContain(`cannot listen on 127.0.0.1:${first.port} (EADDRINUSE)`)
  })

  test.skipIf(process.platform !== 'linux')('refuses a directory that cannot be made, and names it', async () => {
    const relay = await RelayProcess.start({ home: tempDir(), dataDir: '/proc/x' })
    expect(await relay.ended).toBe(78)
    expect(relay.log.join('')).toContain('cannot make /proc/x: ENOENT')
  })

  test('refuses a directory that another relay uses', async () => {
    const home = tempDir()
    const first = await RelayProcess.start({ home })
    const second = await RelayProcess.start({ home })
    expect(await second.ended).toBe(78)
    expect(second.log.join('')).toMatch(new RegExp(`process ${first.child.pid}.*STORE_LOCKED`))
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200)
  })

  test('speaks of the relay where its store is no more, and never of a daemon, a persona or their commands', async () => {
    const lost = await RelayProcess.start({ home: tempDir() })
    renameSync(join(lost.dataDir, 'store'), join(lost.dataDir, 'away'))
    // It ends at once, perhaps before the answer is out.
    await Promise.allSettled([lost.post({ pub: KEY, action: 'send', data: 'aGk' })])
    expect(await lost.ended).toBe(1)
    const home = tempDir()
    mkdirSync(join(home, 'real'), { mode: 0o700 })
    symlinkSync('real', join(home, 'data'))
    const link = await RelayProcess.start({ home })
    const missing = await RelayProcess.start({ home: tempDir(), dataDir: lost.dataDir })
    expect([await link.ended, await missing.ended]).toEqual([78, 78])
    const logs = [lost, link, missing].map(({ log }) => log.join('\n'))
    for (const log of [logs[0], logs[2]]) expect(log).toContain('put a backup of the directory back, or move')
    expect(logs[1]).toContain('is a symbolic link; give the directory itself')
    expect(logs.join('\n').replaceAll('persona-relay', '')).not.toMatch(/daemon|persona\b|--home/)
  })

  test('at SIGHUP takes a new name of its operator, and keeps the old one if the file is broken', async () => {
    const relay = await RelayProcess.start({ home: tempDir(), config: 'operator:\n  name: Ada\n' })
    const text = readFileSync(relay.configFile, 'utf8')
    const nameOf = async (): Promise<unknown> => {
      const info = (await (await fetch(`${relay.url}/info`)).json()) as { operator: { name: string } }
      return info.operator.name
    }
    writeFileSync(relay.configFile, text.replace('Ada', 'Grace'))
    relay.child.kill('SIGHUP')
    await relay.logged('config.reloaded')
    expect(await nameOf()).toBe('Grace')
    writeFileSync(relay.configFile, text.replace('name: Ada', 'nme: Ada'))
    relay.child.kill('SIGHUP')
    expect(await relay.logged('config.kept')).toContain('unknown key')
    expect(await nameOf()).toBe('Grace')
  })
})

const alice = makePersona(1)
const nowSec = (): number => Math.floor(Date.now() / 1000)

/** A card of a made persona that is good for a month from now, and its place. */
function alicesCard(): { card: string; personaId: string; path: string } {
  const { text, root, chain } = verifiedCard(alice, { issuedAtSec: nowSec() })
  const at = cardAt(root, chain.personaId, APP, sodium)
  return { card: text, personaId: formatHex(chain.personaId), path: `/card/${at}` }
}

/** Runs `check` in this process. @returns its exit status and its lines */
async function check(url: string, files: { ca?: string; tokenFile?: string } = {}): Promise<[number, string]> {
  const lines: string[] = []
  const status = await checkRelay({ url, ca: files.ca, tokenFile: files.tokenFile }, (line) => lines.push(line))
  return [status, lines.join('\n')]
}

describe('the commands of the operator', () => {
  test('stats, token and forget ask the relay that runs, and say so where none does', async () => {
    const relay = await RelayProcess.start({ home: tempDir() })
    const socket = join(relay.dataDir, 'control.sock')
    const command = (...args: readonly string[]): ReturnType<typeof runRelayCommand> =>
      runRelayCommand([...args, '--dir', relay.dataDir])
    expect(await relay.post({ pub: KEY, ext: null, action: 'send', data: 'aGk' })).toEqual({ ok: true })
    expect(await callRelay(socket, 'stats', {})).toMatchObject({ boxes: 1, messages: 1, isFull: false })
    expect((await command('stats')).stdout).toMatch(/^boxes +1\nmessages +1$/m)
    expect((await command('token', 'add', 'bob')).stdout).toMatch(/^[\w-]{43}\n/)
    await expect(callRelay(socket, 'token-add', { name: 'bob' })).rejects.toThrow('already')
    expect((await command('token', 'list')).stdout).toMatch(/^bob {2}made 20\d\d-\d\d-\d\d\n$/)
    expect(await callRelay(socket, 'token-remove', { name: 'bob' })).toEqual({ found: true })
    expect(await callRelay(socket, 'token-remove', { name: 'bob' })).toEqual({ found: false })
    await expect(callRelay(socket, 'forget', { pub: 'no key' })).rejects.toThrow('no key of a box')
    await expect(callRelay(socket, 'nonsense', {})).rejects.toThrow('no such call')
    expect(await callRelay(socket, 'forget', { pub: KEY })).toEqual({ found: true })
    expect(await command('forget', KEY)).toMatchObject({ status: 1, stdout: 'there is no such box\n' })
    const { card, personaId, path } = alicesCard()
    expect((await fetch(relay.url + path, { method: 'PUT', body: card })).status).toBe(200)
    expect(await callRelay(socket, 'stats', {})).toMatchObject({ boxes: 0, cards: 1 })
    expect(await command('forget', personaId)).toMatchObject({
      stdout: 'deleted: cards of the persona 1, inboxes 0, objects 0\n',
    })
    expect(await command('forget', personaId)).toMatchObject({
      status: 1,
      stdout: 'there is nothing of this persona\n',
    })
    expect((await fetch(relay.url + path)).status).toBe(404)
    expect(statSync(socket).mode & 0o777).toBe(0o600)
    await relay.kill('SIGTERM')
    expect(existsSync(socket)).toBe(false)
    expect(await command('stats')).toMatchObject({ status: 1, stderr: expect.stringContaining('no relay runs') })
  })

  test('a relay with senders: token takes messages only with the right of a token', async () => {
    const relay = await RelayProcess.start({ home: tempDir(), config: 'senders: token\n' })
    expect(await relay.post({ pub: KEY, ext: null, action: 'send', data: 'aGk' })).toEqual({
      ok: false,
      error: 'Bad ext',
    })
    const tokenFile = join(tempDir(), 'token')
    const made = await runRelayCommand(['token', 'add', 'bob', '--dir', relay.dataDir])
    writeFileSync(tokenFile, made.stdout.split('\n')[0]!)
    const [status, lines] = await check(relay.url, { tokenFile })
    expect([status, lines]).toEqual([0, expect.stringContaining('everything works')])
    expect(lines).toMatch(/^ok {4}inbox +an entry was left, listed and acknowledged$/m)
    expect(lines).toMatch(/^ok {4}object +an object of 2097152 bytes was left, read in part and deleted$/m)
    const [failed, refused] = await check(relay.url)
    expect([failed, refused]).toEqual([1, expect.stringContaining('give one with --token-file')])
    expect(refused).toMatch(/^ok {4}inbox +an entry for a persona without an inbox was refused/m)
    expect(refused).toMatch(/^ok {4}object +an object of a guest was refused/m)
    await callRelay(join(relay.dataDir, 'control.sock'), 'token-remove', { name: 'bob' })
    expect(await check(relay.url, { tokenFile })).toEqual([1, expect.stringContaining('does not take this token')])
  })

  test('a relay without guests keeps cards by token, and of a persona that its list names after a reload', async () => {
    const relay = await RelayProcess.start({ home: tempDir(), config: 'limits:\n  guest_cards: 0\n' })
    const { card, personaId, path } = alicesCard()
    const put = async (): Promise<number> => (await fetch(relay.url + path, { method: 'PUT', body: card })).status
    expect(await put()).toBe(401)
    expect((await check(relay.url))[1]).toMatch(/^ok {4}card {6}only with a token/m)
    const tokenFile = join(tempDir(), 'token')
    const made = await runRelayCommand(['token', 'add', 'bob', '--dir', relay.dataDir])
    writeFileSync(tokenFile, made.stdout.split('\n')[0]!)
    expect((await check(relay.url, { tokenFile }))[1]).toMatch(/^ok {4}card {6}put with the token, and read$/m)
    writeFileSync(relay.configFile, `${readFileSync(relay.configFile, 'utf8')}personas: ['${personaId}']\n`)
    relay.child.kill('SIGHUP')
    await relay.logged('config.reloaded')
    expect(await put()).toBe(200)
    await relay.kill('SIGKILL')
    const again = await RelayProcess.start({ home: join(relay.dataDir, '..') })
    expect(await (await fetch(again.url + path)).text()).toBe(card)
  })

  test('only a device that the card lists puts the card into the open', async () => {
    const relay = await RelayProcess.start({ home: tempDir() })
    const { card, personaId } = alicesCard()
    const path = `/card/${personaId}/${APP}`
    const put = async (device: number): Promise<[status: number, body: unknown]> => {
      const bearer = makeToken(alice, card, { origin: relay.url, path, issuedAtSec: nowSec() }, device)
      const headers = { authorization: `Bearer ${bearer}` }
      const answer = await fetch(relay.url + path, { method: 'PUT', body: card, headers })
      return [answer.status, await answer.json()]
    }
    expect(await put(3)).toEqual([401, { ok: false, error: 'Card' }])
    expect((await fetch(relay.url + path)).status).toBe(404)
    expect(await put(1)).toEqual([200, { ok: true }])
    expect(await (await fetch(relay.url + path)).text()).toBe(card)
  })

  test('/metrics is on its own socket or address, and never on the port of the relay', async () => {
    const relay = await RelayProcess.start({ home: tempDir() })
    await relay.post({ pub: KEY, ext: null, action: 'send', data: 'aGk' })
    const text = await relay.metrics()
    expect(text).toContain('persona_relay_boxes 1\n')
    expect(text).toContain('persona_relay_requests_total{route="box",outcome="send"} 1\n')
    expect((await fetch(`${relay.url}/metrics`)).status).toBe(404)
    expect(text).not.toContain(KEY)
  })

  test('wrong usage ends with status 2, and says what is wrong', async () => {
    const file = join(tempDir(), 'no-certificate')
    writeFileSync(file, 'a text')
    const cases: readonly (readonly [args: readonly string[], message: string])[] = [
      [['stats', '--url', 'x'], 'stats has no option --url'],
      [['check', 'https://relay.example', '--ca', file], `${file} has no certificate in PEM`],
    ]
    for (const [args, message] of cases)
      expect(await runRelayCommand(args)).toMatchObject({
        status: 2,
        stderr: expect.stringContaining(`${message}\nusage: `),
      })
  })

  test('--help and --version print to stdout', async () => {
    expect((await runRelayCommand(['--help'])).stdout).toMatch(/^usage: persona-relay/)
    expect((await runRelayCommand(['--version'])).stdout).toMatch(/^persona-relay \d/)
  })
})

describe('init', () => {
  test('writes a configuration, a unit and a Caddyfile for the URL, and replaces none', async () => {
    const directory = join(tempDir(), 'etc')
    const made = await runRelayCommand(['init', directory, '--url', 'https://relay.example/'])
    expect(made.status).toBe(0)
    const texts = ['persona-relay.yaml', 'persona-relay.service', 'Caddyfile'].map((name) =>
      readFileSync(join(directory, name), 'utf8'),
    )
    expect(parseRelayConfig(texts[0]!, 'x')).toMatchObject({
      url: 'https://relay.example',
      trustProxy: ['127.0.0.1', '::1'],
    })
    expect(texts[1]).toContain(` serve --config ${directory}/persona-relay.yaml\n`)
    expect(texts[2]).toContain('relay.example {')
    for (const step of [
      'operator, terms',
      'systemctl enable',
      'Caddyfile',
      'persona-relay check https://relay.example',
    ])
      expect(made.stdout).toContain(step)
    writeFileSync(join(directory, 'Caddyfile'), 'mine')
    const again = await runRelayCommand(['init', directory, '--url', 'https://other.example'])
    expect(again).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('exists already, and nothing was written'),
    })
    expect(readFileSync(join(directory, 'Caddyfile'), 'utf8')).toBe('mine')
    expect(readFileSync(join(directory, 'persona-relay.yaml'), 'utf8')).toBe(texts[0])
  })

  const NO_ANALYZE = spawnSync('systemd-analyze', ['--version']).status !== 0

  test.skipIf(NO_ANALYZE)(
    'the unit passes systemd-analyze verify, with an exposure of OK (needs systemd-analyze)',
    () => {
      const path = join(tempDir(), 'persona-relay.service')
      const template = readFileSync('systemd/persona-relay.service', 'utf8')
      const paths = { node: '/bin/true', launcher: '/usr/x.js', config: '/etc/persona-relay/persona-relay.yaml' }
      writeFileSync(path, renderRelayUnit(template, paths))
      const verified = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' })
      expect([verified.status, verified.stdout, verified.stderr]).toEqual([0, '', ''])
      const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', path], { encoding: 'utf8' })
      const [, figure, word] = /Overall exposure level for persona-relay\.service: ([\d.]+) (\w+)/.exec(stdout) ?? []
      expect(word).toBe('OK')
      expect(Number(figure)).toBeLessThanOrEqual(MAX_EXPOSURE)
    },
  )
})

test('a copy of a stopped relay starts elsewhere, and a damaged copy does not', async () => {
  const home = tempDir()
  const relay = await RelayProcess.start({ home })
  expect(await relay.post({ pub: KEY, ext: null, action: 'send', data: 'aGk' })).toEqual({ ok: true })
  await relay.kill('SIGTERM')
  const [good, bad] = [tempDir(), tempDir()]
  for (const target of [good, bad]) execFileSync('cp', ['-a', relay.dataDir, join(target, 'data')])
  const copy = await RelayProcess.start({ home: good })
  expect(await callRelay(join(copy.dataDir, 'control.sock'), 'stats', {})).toMatchObject({ boxes: 1, messages: 1 })
  const store = join(bad, 'data', 'store')
  const log = readdirSync(store).find((name) => name.endsWith('.log') && statSync(join(store, name)).size > 100)!
  const bytes = readFileSync(join(store, log))
  bytes[60]! ^= 1
  writeFileSync(join(store, log), bytes)
  const damaged = await RelayProcess.start({ home: bad })
  expect(await damaged.ended).toBe(78)
  expect(damaged.log.join('')).toMatch(/put a backup of the directory back.*STORE_(CORRUPT|LOST_WRITES)/)
})

const NO_OPENSSL = spawnSync('openssl', ['version']).error !== undefined

describe.skipIf(NO_OPENSSL)('TLS by certificate files (needs openssl)', () => {
  /** Makes a certificate for 127.0.0.1 that signs itself. */
  function makeCertificate(directory: string, days: number): void {
    const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days ${days} -subj /CN=relay -addext subjectAltName=IP:127.0.0.1`
    execFileSync(
      'openssl',
      [...args.split(' '), '-keyout', join(directory, 'key.pem'), '-out', join(directory, 'cert.pem')],
      { stdio: 'ignore' },
    )
  }

  const fingerprint = (port: number): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().fingerprint256)
        socket.destroy()
      })
    })

  test('a relay serves them, check trusts them with --ca, and SIGHUP reads new ones', async () => {
    const home = tempDir()
    makeCertificate(home, 30)
    const config = `tls:\n  cert: ${join(home, 'cert.pem')}\n  key: ${join(home, 'key.pem')}\n`
    const relay = await RelayProcess.start({ home, config })
    expect(relay.url).toMatch(/^https:/)
    const ca = join(home, 'cert.pem')
    const [status, report] = await check(relay.url, { ca })
    expect(report).toMatch(/^ok {4}tls {7}the certificate is good for (29|30) days$/m)
    expect(status).toBe(0)
    expect(await check(relay.url)).toEqual([1, expect.stringContaining('trust its issuer with --ca')])
    const before = await fingerprint(relay.port)
    makeCertificate(home, 3)
    relay.child.kill('SIGHUP')
    await relay.logged('config.reloaded')
    expect(await fingerprint(relay.port)).not.toBe(before)
    expect((await check(relay.url, { ca }))[1]).toMatch(/^FAIL {2}tls {7}the certificate ends in [23] days/m)
    writeFileSync(join(home, 'key.pem'), 'no key')
    relay.child.kill('SIGHUP')
    expect(await relay.logged('config.kept')).toContain('TLS_UNUSABLE')
    expect((await check(relay.url, { ca }))[1]).toMatch(/^ok {4}box/m)
    expect(await relay.kill('SIGTERM')).toBe(0)
  })

  test('a relay without usable files does not start', async () => {
    const home = tempDir()
    const relay = await RelayProcess.start({
      home,
      config: 'tls:\n  cert: /nowhere/cert.pem\n  key: /nowhere/key.pem\n',
    })
    expect(await relay.ended).toBe(78)
    expect(relay.log.join('')).toContain('TLS_UNUSABLE')
  })
})
