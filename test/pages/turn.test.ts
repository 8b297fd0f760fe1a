/** The direct way over a TURN server: coturn with the configuration of examples/coturn (docs/connectoid.md, section 2). */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { BROWSER } from '../../examples/shopping-list/chromium.ts'
import { tempDir } from '../support/temp-dir.ts'
import { Person, relayAndApp } from './browser-person.ts'

const TIMEOUT_MS = 120_000
const EXAMPLE = resolve(import.meta.dirname, '../../examples/coturn/turnserver.conf')
const hasCoturn = spawnSync('turnserver', ['--version']).error === undefined
/** Chromium makes no connection from an address of the loopback interface. The packets do not leave this machine either way. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address
const canRun = process.env['PAGES'] !== undefined && BROWSER !== undefined && hasCoturn && address !== undefined

/** Starts coturn on a free port. @returns its lines so far */
async function startTurn(port: number): Promise<string[]> {
  const dir = tempDir()
  const file = join(dir, 'turnserver.conf')
  // Here both ends and the server are on one machine, which the example rules out.
  const ours = readFileSync(EXAMPLE, 'utf8').replaceAll(/^denied-peer-ip=.*\n|^listening-port=.*\n/gm, '')
  const own = { 'listening-port': port, 'listening-ip': address, 'relay-ip': address, pidfile: join(dir, 'pid') }
  const lines = Object.entries(own).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(file, `${ours}${lines.join('')}userdb=${join(dir, 'db')}\nlog-file=stdout\nverbose\n`)
  const server = spawn('turnserver', ['-c', file], { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(async () => {
    server.kill('SIGKILL')
    await once(server, 'exit')
  })
  const log: string[] = []
  const reader = createInterface({ input: server.stdout })
  await new Promise<void>((ready) => {
    reader.on('line', (line) => {
      log.push(line)
      if (/listener opened on/i.test(line)) ready()
    })
  })
  return log
}

test.runIf(canRun)(
  'contents go by a TURN server where no other way leads (needs chromium and coturn)',
  async () => {
    const port = 40_000 + (process.pid % 10_000)
    const log = await startTurn(port)
    const { relay, app } = await relayAndApp()
    const ice = [{ urls: `turn:${address}:${port}`, username: 'persona', credential: 'CHANGE-ME' }]
    const options = { service: relay.url, direct: true, ice }
    const [alice, bob] = await Promise.all([Person.start(app, options), Person.start(app, options)])
    for (const { page } of [alice, bob])
      await page.evaluate(`{
        const Before = RTCPeerConnection
        window.RTCPeerConnection = class extends Before {
          constructor(given) { super({ ...given, iceTransportPolicy: 'relay' }) }
        }
      }`)
    await bob.accept(await alice.share('Bob'), 'Alice')
    await Promise.all([alice.sees('Bob', { state: 'connected' }), bob.sees('Alice', { state: 'connected' })])
    await alice.send('Bob', 'opens the way')
    await Promise.all([alice.sees('Bob', { way: 'direct' }), bob.sees('Alice', { way: 'direct' })])
    await relay.kill('SIGKILL')
    await alice.send('Bob', 'over TURN')
    expect(await bob.messages(2)).toEqual(['opens the way', 'over TURN'])
    expect(log.join('\n')).toMatch(/ALLOCATE processed, success/)
  },
  TIMEOUT_MS,
)
