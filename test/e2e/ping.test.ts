/** examples/ping.py and examples/ping.ts on two real daemons: one invite, and messages both ways. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { twoSides } from '../support/channel-sides.ts'
import { tempDir } from '../support/temp-dir.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PING_TS = [process.execPath, join(ROOT, 'examples', 'ping.ts')] as const
const PING_PY = ['python3', join(ROOT, 'examples', 'ping.py')] as const
const TIMEOUT_MS = 120_000 // sanity: a few seconds on an idle machine
const hasPython = spawnSync('python3', ['--version']).status === 0

interface App {
  readonly process: ChildProcess
  output: string
  readonly ended: Promise<number | null>
}

function start([program, script]: readonly [string, string], home: string, token: string, invite?: string): App {
  const args = [script, join(home, 'run', 'app.sock'), ...(invite === undefined ? [] : [invite])]
  const child = spawn(program, args, { env: { ...process.env, PING_TOKEN: token } })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit').then(([status]) => status as number | null)
  const app: App = { process: child, output: '', ended }
  child.stderr.pipe(process.stderr)
  child.stdout.setEncoding('utf8').on('data', (text: string) => (app.output += text))
  return app
}

test.skipIf(!hasPython)(
  'a host and a guest in either language exchange three pings over one invite, and the close of one ends both',
  async () => {
    const [host, guest] = await twoSides({ folders: [tempDir()] })
    const allow = { name: 'ping', can: ['channel'] }
    const { token: hostToken } = await host.client.call('app.allow', allow)
    const { token: guestToken } = await guest.client.call('app.allow', allow)
    for (const [hostProgram, guestProgram] of [
      [PING_TS, PING_PY],
      [PING_PY, PING_TS],
    ] as const) {
      const first = start(hostProgram, host.home, hostToken)
      await once(first.process.stdout!, 'data')
      const second = start(guestProgram, guest.home, guestToken, first.output.trim())
      expect([await second.ended, await first.ended], second.output).toEqual([0, 0])
      expect(second.output.replaceAll('"', "'")).toBe("waiting\ngot 'pong 1'\ngot 'pong 2'\ngot 'pong 3'\n")
      expect(first.output.replaceAll('"', "'")).toMatch(
        /^persona-invite:\S+\ngot 'ping 1'\ngot 'ping 2'\ngot 'ping 3'\n$/,
      )
    }
  },
  TIMEOUT_MS,
)
