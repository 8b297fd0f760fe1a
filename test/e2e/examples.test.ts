/** The small apps of examples/ on a real daemon. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Home } from '../support/persona.ts'
import { tempDir } from '../support/temp-dir.ts'
import { person, type Person, type Table } from '../support/person.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const WHO_IS_TS = join(ROOT, 'examples', 'who-is.ts')
const WHO_IS_PY = join(ROOT, 'examples', 'who_is.py')
const MERGED_TS = join(ROOT, 'examples', 'merged-friends.ts')
const MERGED_PY = join(ROOT, 'examples', 'merged_friends.py')
const SOON = { timeout: 20_000 } // sanity: an app starts in under a second, except on a busy machine
const LOOKUP_C = join(ROOT, 'examples', 'persona_lookup.c')
const hasCompiler = spawnSync('cc', ['--version']).status === 0
const hasPython = spawnSync('python3', ['--version']).status === 0

let home: Home
let alice: Person
let laptop: string
let phone: string

beforeEach(async () => {
  home = new Home()
  alice = person('Alice')
  laptop = alice.key('laptop')
  phone = alice.key('phone')
  await home.start()
  await shows(laptop, alice.table(['laptop']))
})

/** A Tox client's report: this device shows this table now. */
async function shows(from: string, table: Table): Promise<void> {
  await home.done(['observe', table.text(), '--from', from])
}

interface App {
  readonly process: ChildProcess
  /** Its output so far. */
  readonly printed: () => string
}

function startApp(program: string, script: string, ...args: readonly string[]): App {
  const child = spawn(program, [script, join(home.directory, 'run', 'app.sock'), ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
  }
  return { process: child, printed: () => printed }
}

const tail = (key: string): string => `(…${key.slice(-8)})`

describe('examples/who-is.ts', () => {
  test('prints who a device belongs to and where messages go, now and after each change', async () => {
    const app = startApp(process.execPath, WHO_IS_TS, laptop)
    const who = `laptop ${tail(alice.id)}`
    const answer = `answer: laptop ${tail(laptop)} is a device of ${who}: message goes to laptop ${tail(laptop)}\n`
    await expect.poll(app.printed, SOON).toBe(answer)
    const both = alice.table(['phone', 'laptop'])
    await shows(laptop, both)
    const claimed =
      `event: laptop lists a new device, phone ${tail(phone)}\n` +
      `event: ${who}: message goes to laptop ${tail(laptop)}; phone ${tail(phone)} is unconfirmed\n`
    await expect.poll(app.printed, SOON).toBe(answer + claimed)
    await shows(phone, both)
    const confirmed = `event: ${who}: message goes to phone ${tail(phone)}\n`
    await expect.poll(app.printed, SOON).toBe(answer + claimed + confirmed)
    await home.stop()
    await expect.poll(app.printed, SOON).toContain('the daemon stopped')
    await expect.poll(() => app.process.exitCode, SOON).toBe(0)
  })

  test('reports an unknown key, and a friend without a persona', async () => {
    const stranger = alice.key('tablet')
    const nobody = startApp(process.execPath, WHO_IS_TS, stranger)
    await expect.poll(nobody.printed, SOON).toBe(`answer: nobody here knows ${stranger}\n`)
    await home.done(['observe', 'brb', '--from', stranger])
    const friend = startApp(process.execPath, WHO_IS_TS, stranger)
    await expect.poll(friend.printed, SOON).toMatch(/^answer: device-.* is a friend without a persona\n$/)
  })
})

/** Bob's profile: two of Alice's devices, one of them new to Bob, and somebody without a persona. */
async function bobsProfile(...friends: readonly (readonly [name: string, key: string])[]): Promise<string> {
  const profile = join(home.directory, 'bob.tox')
  await home.done(['tox', 'new', profile, '--name', 'Bob'])
  for (const [name, key] of friends) await home.done(['tox', 'friends', profile, 'add', key, '--name', name])
  return profile
}

describe('examples/merged-friends.ts', () => {
  test('shows a friend list with one line for each person, and the line again after a change', async () => {
    const [plain, erin] = [person('Plain').key('laptop'), person('Erin').key('laptop')]
    const profile = await bobsProfile(['Alice', laptop], ['Plain\x1b[31m', plain], ['Erin', erin], ['Alice 2', phone])
    const both = alice.table(['phone', 'laptop', 'tablet'])
    await shows(laptop, both)
    await home.done(['observe', 'brb', '--from', erin, '--name', 'Erin'])
    const app = startApp(process.execPath, MERGED_TS, profile)
    const tablet = alice.key('tablet')
    const line = (one: string, two: string, three: string): string =>
      `laptop ${tail(alice.id)}: ${one}, ${two}, ${three}\n`
    const first =
      line(`laptop ${tail(laptop)} send`, `phone ${tail(phone)} wait`, `tablet ${tail(tablet)} add`) +
      `Plain?[31m ${tail(plain)}: unknown\nErin ${tail(erin)}: Erin ${tail(erin)} send\n`
    // The phone is unconfirmed: until it shows the table itself it has a line of its own.
    const claimed = `Alice 2 ${tail(phone)}: unknown\n`
    await expect.poll(app.printed, SOON).toBe(first + claimed)
    await shows(phone, both)
    const now = line(`phone ${tail(phone)} send`, `laptop ${tail(laptop)} keep`, `tablet ${tail(tablet)} add`)
    await expect.poll(app.printed, SOON).toBe(`${first}${claimed}changed: ${now}`)
    const again = startApp(process.execPath, MERGED_TS, profile)
    await expect.poll(again.printed, SOON).toContain(`${now}Plain`)
    expect(again.printed()).not.toContain('Alice 2')
  })
})

describe('examples/merged_friends.py', () => {
  test.skipIf(!hasPython)(
    `shows a friend list with one line for each person, in Python ${hasPython ? '' : '(skipped: no python3)'}`,
    async () => {
      const plain = person('Plain').key('laptop')
      const profile = await bobsProfile(['Alice', laptop], ['Plaïn\x1b[31m\u202E', plain], ['Alice 2', phone])
      const both = alice.table(['phone', 'laptop', 'tablet'])
      await shows(laptop, both)
      await shows(phone, both)
      const app = startApp('python3', MERGED_PY, profile)
      await expect.poll(() => app.process.exitCode, SOON).toBe(0)
      const end = (key: string): string => `(...${key.slice(-8)})`
      const devices = `phone ${end(phone)} send, laptop ${end(laptop)} keep, tablet ${end(alice.key('tablet'))} add`
      expect(app.printed()).toBe(`laptop ${end(alice.id)}: ${devices}\nPlaïn?[31m? ${end(plain)}: unknown\n`)
    },
  )
})

describe('examples/persona_lookup.c', () => {
  test.skipIf(!hasCompiler)(
    `prints the answer about a device as a line of JSON, and refuses what is no key ${hasCompiler ? '' : '(skipped: no cc)'}`,
    () => {
      const [program, socket] = [join(tempDir(), 'persona-lookup'), join(home.directory, 'run', 'app.sock')]
      const compiled = spawnSync('cc', ['-Wall', '-Wextra', '-Werror', '-o', program, LOOKUP_C], { encoding: 'utf8' })
      expect(compiled.stderr).toBe('')
      const run = (...args: string[]): unknown => {
        const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
        return status === 0 ? (JSON.parse(stdout) as unknown) : [status, stderr]
      }
      const result = { by: 'device', contact: { personaId: alice.id }, device: { name: 'laptop', key: laptop } }
      expect(run(socket, laptop)).toMatchObject({ type: 'rpc', data: { id: 1, result } })
      expect(run(socket, alice.key('tablet'))).toMatchObject({ data: { result: { by: 'none', contact: null } } })
      expect(run(socket, 'AB","x":"')).toEqual([2, 'AB","x":": this is no key in hex\n'])
      expect(run('/nowhere', laptop)).toEqual([1, '/nowhere: No such file or directory\n'])
      expect(run()).toEqual([2, 'usage: persona-lookup SOCKET TOXPK\n'])
    },
  )
})

describe('examples/who_is.py', () => {
  test.skipIf(!hasPython)(
    `prints who a device belongs to and the next change, in Python ${hasPython ? '' : '(skipped: no python3)'}`,
    async () => {
      const app = startApp('python3', WHO_IS_PY, laptop)
      await expect.poll(app.printed, SOON).toBe('answer: "laptop"\n')
      await shows(laptop, alice.table(['laptop', 'phone']))
      await expect.poll(app.printed, SOON).toBe(`answer: "laptop"\nevent: "laptop" message goes to ${laptop}\n`)
      if (app.process.exitCode === null) await once(app.process, 'exit')
      expect(app.process.exitCode).toBe(0)
    },
  )

  test.skipIf(!hasPython)(
    `prints its usage, and the reason when no daemon runs ${hasPython ? '' : '(skipped: no python3)'}`,
    () => {
      const run = (...args: string[]): (string | number | null)[] => {
        const { status, stderr } = spawnSync('python3', [WHO_IS_PY, ...args], { encoding: 'utf8' })
        return [status, stderr]
      }
      expect(run()).toEqual([2, 'usage: who_is.py SOCKET TOXPK\n'])
      expect(run('/nowhere', laptop)).toEqual([1, 'no daemon at /nowhere: No such file or directory\n'])
    },
  )

  test.skipIf(!hasPython)(
    `prints the daemon's code when it refuses a call ${hasPython ? '' : '(skipped: no python3)'}`,
    async () => {
      const app = startApp('python3', WHO_IS_PY, '')
      await expect.poll(app.printed, SOON).toMatch(/^BAD_PARAMS: /)
      await expect.poll(() => app.process.exitCode, SOON).toBe(1)
    },
  )

  test.skipIf(!hasPython)(
    `reports that the daemon stopped first ${hasPython ? '' : '(skipped: no python3)'}`,
    async () => {
      const app = startApp('python3', WHO_IS_PY, laptop)
      await expect.poll(app.printed, SOON).toBe('answer: "laptop"\n')
      await home.stop()
      await expect.poll(app.printed, SOON).toContain('the daemon closed the connection')
      await expect.poll(() => app.process.exitCode, SOON).toBe(1)
    },
  )

  test('is in docs/ipc.md word for word', () => {
    const docs = readFileSync(join(ROOT, 'docs', 'ipc.md'), 'utf8')
    const blocks = [...docs.matchAll(/```python\n([^]*?)```/g)].map(([, code]) => code)
    expect(blocks).toEqual([readFileSync(WHO_IS_PY, 'utf8')])
  })
})
