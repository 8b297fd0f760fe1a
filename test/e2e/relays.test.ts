/** The daemon, personad-net and a relay as real processes: the owner's relays, and calls through them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Finding } from '../../src/ipc/shapes/doctor.ts'
import { repeat } from '../../src/relay/repeat.ts'
import { waitForNews } from '../../src/relay/waiting.ts'
import { generateBoxKeyPair } from '../../src/seal/key-pair.ts'
import { InnerDaemon } from '../support/inner-daemon.ts'
import { netChildren } from '../support/net-children.ts'
import { RelayProcess, runRelayCommand } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { WebServer } from '../support/web-server.ts'

const PRIVATE = 'net:\n  private: [127.0.0.1]\n'

describe('a client of host.relays', () => {
  test('posts, waits and receives through personad-net, over its end too, and the daemon starts it at the first call', async () => {
    const relay = await RelayProcess.start({ home: tempDir() })
    const { daemon } = await InnerDaemon.start(tempDir(), PRIVATE)
    expect(netChildren()).toEqual([])
    const client = await daemon.relays.client(relay.url)
    expect(await daemon.relays.client(`${relay.url}/`)).toBe(client)
    expect([netChildren(), daemon.access.status()]).toEqual([[], null])
    const pair = await generateBoxKeyPair('x25519')
    const stop = new AbortController()
    let cursor = 0
    const news = waitForNews(client, () => [{ key: pair.key, at: cursor }], { signal: stop.signal })
    for (const text of ['one', 'two']) {
      const next = news.next()
      await client.post(pair.key, Buffer.from(text))
      const { question } = (await next).value!
      const [received] = await client.receive(pair, cursor, { question })
      expect(Buffer.from(received!.data).toString()).toBe(text)
      cursor = received!.at
      // The end of personad-net is a failure that passes: the stream goes on with its next run.
      const [pid] = netChildren()
      if (text === 'one') {
        process.kill(pid!, 'SIGKILL')
        const failures: unknown[] = []
        const check = async (): Promise<unknown> =>
          await client.check(pair.key, cursor).catch((error: unknown) => {
            failures.push(error)
            throw error
          })
        await repeat(client.means, 10, check)
        for (const failure of failures) expect(failure).toMatchObject({ code: 'RELAY_UNREACHABLE' })
        expect(netChildren()).not.toContain(pid)
      }
    }
    stop.abort()
    await expect(news.next()).rejects.toThrow()
  })
})

describe('the relays of the owner', () => {
  test('are added once they work, with what they say of themselves, and listed over a restart', async () => {
    const relay = await RelayProcess.start({ home: tempDir(), config: 'operator:\n  name: Ada\n' })
    const home = tempDir()
    const first = await InnerDaemon.start(home, PRIVATE)
    const client = await first.connect()
    expect(await client.call('relay.list')).toEqual({ relays: [] })
    const added = await client.call('relay.add', { url: relay.url })
    const view = { url: `${relay.url}/`, hasToken: false, from: 'added' }
    expect(added).toMatchObject({ relay: view, about: { operator: 'Ada', needsToken: false } })
    expect(added.about?.software).toMatch(/^persona-relay \d/)
    expect(Math.abs(added.about!.aheadSec!)).toBeLessThan(5)
    await first.stop()
    const second = await InnerDaemon.start(home, `${PRIVATE}  relays: [https://relay.example]\n`)
    const again = await second.connect()
    const configured = { url: 'https://relay.example/', hasToken: false, from: 'configuration' }
    expect(await again.call('relay.list')).toEqual({ relays: [configured, view] })
    await expect(again.call('relay.remove', { url: 'https://relay.example' })).rejects.toMatchObject({
      code: 'RELAY_CONFIGURED',
    })
    expect(await again.call('relay.remove', { url: relay.url })).toEqual({ relays: [configured] })
    await expect(again.call('relay.remove', { url: relay.url })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('are not added where nothing, a page, another address or a refused one is, unless the owner confirms it', async () => {
    // It calls itself by another name than the one it is called by.
    const free = await WebServer.start(() => {})
    const misnamed = `http://127.0.0.1:${free.port}/`
    free.stop()
    const listen = `127.0.0.1:${new URL(misnamed).port}`
    await RelayProcess.start({ home: tempDir(), listen, config: "url: 'https://relay.example'\n" })
    const page = await WebServer.start((_request, response) => void response.end('<h1>Hello</h1>'))
    const gone = await WebServer.start(() => {})
    const goneUrl = gone.url
    gone.stop()
    const daemon = await InnerDaemon.start(tempDir(), PRIVATE)
    const client = await daemon.connect()
    const refusal = async (url: string): Promise<unknown> =>
      await client
        .call('relay.add', { url })
        .catch(({ code, message }: { code: string; message: string }) => [code, message])
    expect(await refusal(page.url)).toEqual([
      'RELAY_UNUSABLE',
      `${page.url} does not work as a relay: what answers there is no relay: HTTP 200`,
    ])
    expect(await refusal(goneUrl)).toEqual([
      'RELAY_UNUSABLE',
      expect.stringContaining('127.0.0.1 cannot be reached (ECONNREFUSED)'),
    ])
    expect(await refusal(misnamed)).toEqual([
      'RELAY_UNUSABLE',
      expect.stringContaining('handed on a question of another relay'),
    ])
    expect(await refusal('https://nobody.invalid')).toEqual([
      'RELAY_UNUSABLE',
      expect.stringContaining('the name nobody.invalid cannot be resolved'),
    ])
    for (const url of ['http://relay.example', 'https://10.0.0.1', 'relay.example', 'https://relay.example/?a'])
      expect(await refusal(url), url).toEqual(['RELAY_URL', expect.any(String)])
    expect(await client.call('relay.list')).toEqual({ relays: [] })
    const forced = await client.call('relay.add', { url: goneUrl, force: true })
    expect(forced).toEqual({ relay: { url: goneUrl, hasToken: false, from: 'added' }, about: null })
    const findings: Finding[] = (await client.call('doctor')).findings
    expect(findings.find(({ code }) => code === 'RELAY_AWAY')?.about).toEqual({ url: goneUrl })
  })

  test('that want a token are added with it, and it lies sealed on the disk', async () => {
    const relayHome = tempDir()
    const relay = await RelayProcess.start({ home: relayHome, config: 'senders: token\n' })
    const made = await runRelayCommand(['token', 'add', 'ada', '--dir', relay.dataDir])
    const token = made.stdout.trim().split('\n')[0]!
    const home = tempDir()
    const daemon = await InnerDaemon.start(home, PRIVATE)
    const client = await daemon.connect()
    await expect(client.call('relay.add', { url: relay.url })).rejects.toMatchObject({ code: 'RELAY_WANTS_TOKEN' })
    await expect(client.call('relay.add', { url: relay.url, token: 'wrong' })).rejects.toMatchObject({
      code: 'RELAY_UNUSABLE',
    })
    const { relay: added } = await client.call('relay.add', { url: relay.url, token })
    expect(added).toEqual({ url: `${relay.url}/`, hasToken: true, from: 'added' })
    expect(daemon.daemon.relays.token(added.url)).toBe(token)
    expect((await client.call('doctor')).findings.map(({ code }) => code)).toContain('RELAY')
    await daemon.stop()
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    const holding = files.filter((file) => readFileSync(join(file.parentPath, file.name)).includes(token))
    expect(files.length).toBeGreaterThan(3)
    expect(holding).toEqual([])
    writeFileSync(join(home, 'canary'), token)
    expect(readFileSync(join(home, 'canary')).includes(token)).toBe(true)
  })
})
