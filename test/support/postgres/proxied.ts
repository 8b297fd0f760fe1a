/** The relays of examples/relay/several after a real Caddy. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { checkRelay } from '../../../src/relayd/program/check.ts'
import { RAISED_LIMITS } from '../relay-process.ts'
import { removeTree } from '../remove-tree.ts'
import type { TestPostgres } from './server.ts'
import { freePort, startTwo } from './two-relays.ts'

const CADDY_ABSENCE = spawnSync('caddy', ['version']).status === 0 ? '' : ' (skipped: no Caddy)'
const EXAMPLE = new URL('../../../examples/relay/several/Caddyfile', import.meta.url)

export function testProxied(server: () => TestPostgres): void {
  it.skipIf(CADDY_ABSENCE !== '' || process.env['STORIES'] === undefined)(
    `everything of a relay works through the proxy, and with one relay alone${CADDY_ABSENCE}`,
    async () => {
      const port = await freePort()
      const url = `http://127.0.0.1:${port}`
      const two = await startTwo(server(), 'proxied', `trust_proxy: ['127.0.0.1']\n${RAISED_LIMITS}`, url)
      onTestFinished(() => two.remove())
      const home = realpathSync(mkdtempSync(join(tmpdir(), 'persona-caddy-')))
      onTestFinished(() => removeTree(home))
      const [one, other] = two.relays.map((relay) => relay.url.slice('http://'.length))
      const site = readFileSync(EXAMPLE, 'utf8')
        .replace('relay.example {', `${url} {`)
        .replace('127.0.0.1:8787 127.0.0.1:8788', `${one} ${other}`)
        .replace('health_interval 5s', 'health_interval 100ms')
      writeFileSync(join(home, 'Caddyfile'), `{\n\tadmin off\n}\n${site}`)
      const env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home }
      const caddy = spawn('caddy', ['run', '--config', join(home, 'Caddyfile'), '--adapter', 'caddyfile'], {
        env,
        stdio: 'ignore',
      })
      onTestFinished(() => void caddy.kill('SIGKILL'))
      await expect
        .poll(
          () =>
            fetch(`${url}/healthz`).then(
              ({ status }) => status,
              () => 0,
            ),
          { timeout: 20_000 },
        )
        .toBe(200)
      for (const step of ['both', 'one']) {
        if (step === 'one') await two.relays[0].kill('SIGKILL')
        const lines: string[] = []
        expect(
          await checkRelay({ url, ca: undefined, tokenFile: undefined }, (line) => lines.push(line)),
          lines.join('\n'),
        ).toBe(0)
      }
    },
  )
}
