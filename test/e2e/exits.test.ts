/** The exit statuses of the programs where nobody reads, where nothing can be written, and at a signal that comes early. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { launcherOf } from '../support/programs.ts'
import { tempDir } from '../support/temp-dir.ts'

const [PERSONA, PERSONAD] = [launcherOf('persona'), launcherOf('personad')]

async function statusOf(child: ChildProcess): Promise<number | null> {
  const [status] = (await once(child, 'close')) as [number | null]
  return status
}

test.each([[PERSONA], [PERSONAD]])('a reader that has enough is no failure: %s --help', async (program) => {
  const child = spawn(process.execPath, [program, '--help'], { stdio: ['ignore', 'pipe', 'inherit'] })
  // The program still starts, so it writes into a closed pipe.
  child.stdout.destroy()
  expect(await statusOf(child)).toBe(0)
})

test('an output that cannot be written is a failure, with its reason', async () => {
  const full = openSync('/dev/full', 'w')
  onTestFinished(() => closeSync(full))
  const child = spawn(process.execPath, [PERSONA, 'version'], { stdio: ['ignore', full, 'pipe'] })
  let stderr = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  expect([await statusOf(child), stderr]).toEqual([
    1,
    'persona: error: the output could not be written (ENOSPC) (OUTPUT_FAILED)\n',
  ])
  const daemon = spawn(process.execPath, [PERSONAD, '--version'], { stdio: ['ignore', full, 'pipe'] })
  let reason = ''
  daemon.stderr!.setEncoding('utf8').on('data', (text: string) => (reason += text))
  expect([await statusOf(daemon), reason]).toEqual([
    1,
    expect.stringMatching(/^personad: error: the output could not be written \(ENOSPC/),
  ])
})

test('an output of which a file takes only a part is a failure', async () => {
  const file = join(tempDir(), 'script')
  // One block is 512 or 1024 bytes; the script has more than both, and is written at once.
  const child = spawn(
    'sh',
    ['-c', `ulimit -f 1; exec "$0" "$1" completion bash > "$2"`, process.execPath, PERSONA, file],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  expect([await statusOf(child), stderr]).toEqual([1, expect.stringContaining('(EFBIG) (OUTPUT_FAILED)')])
  expect(statSync(file).size).toBeLessThan(2000)
})

test('a hint names the --home that was given', async () => {
  const home = tempDir()
  const child = spawn(process.execPath, [PERSONA, '--home', home, 'status'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  expect(await statusOf(child)).toBe(3)
  expect(stderr).toContain(`hint: run: personad --home '${home}', or: persona --home '${home}' service install`)
})

test('SIGHUP while the daemon still loads does not end it', async () => {
  // The signal comes when the main module is looked for, after the launcher and before anything of the daemon runs.
  const early = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(name, context, next) {
      if (name.includes('daemon/main')) process.kill(process.pid, 'SIGHUP')
      return next(name, context)
    } })`
  const preload = `data:text/javascript,${encodeURIComponent(early)}`
  const home = join(tempDir(), 'home')
  const daemon = spawn(process.execPath, ['--import', preload, PERSONAD, '--home', home], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void daemon.kill('SIGKILL'))
  let log = ''
  const ended = once(daemon, 'exit').then(() => 'ended')
  const ready = new Promise<string>((done) => {
    daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text
      if (log.includes('"daemon.ready"')) done('ready')
    })
  })
  expect(await Promise.race([ready, ended])).toBe('ready')
})
