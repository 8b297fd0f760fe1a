import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { readFriends } from '../../src/tox/friends.ts'
import { readName, readStatusMessage } from '../../src/tox/savefile.ts'
import { LAPTOP, putProfiles, readSave } from '../support/people.ts'
import { Home } from '../support/persona.ts'

const WAIT = { timeout: 15_000, interval: 100 }
const OFFLINE = 'unshare -n sh -c'
// In a terminal that nobody looks at toxic would else replace the status message (it asks tmux for that).
const CONFIG = 'ui = {\n  mplex_away=false;\n};\n'

/** Why toxic cannot be asked on this machine, or null when it can. */
function toxicAbsence(): string | null {
  for (const program of ['toxic', 'tmux', 'ip']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not installed`
  }
  const { status } = spawnSync('sh', ['-c', `${OFFLINE} 'ip link set lo up'`])
  return status === 0 ? null : 'network namespaces are not allowed here'
}

const absence = toxicAbsence()

/** toxic on a profile, in a terminal of tmux and in a network of its own with nothing but itself in it. */
class Toxic {
  readonly #socket: string
  readonly #directory: string

  constructor(directory: string, profile: string) {
    this.#directory = directory
    this.#socket = join(directory, 'tmux')
    const config = join(directory, 'toxic.conf')
    writeFileSync(config, CONFIG)
    mkdirSync(join(directory, 'cfg'))
    const toxic = `ip link set lo up; exec toxic -o -L -4 -c ${config} -f ${profile}`
    // Wide enough that no line of interest is broken.
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', '220', '-y', '50', `${OFFLINE} '${toxic}'`)
    onTestFinished(() => void this.#tmux('kill-server'))
  }

  #tmux(...args: string[]): { status: number | null; stdout: string } {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      HOME: this.#directory,
      XDG_CONFIG_HOME: join(this.#directory, 'cfg'),
    }
    delete env['TMUX']
    return spawnSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8', env })
  }

  screen(): string {
    return this.#tmux('capture-pane', '-p').stdout
  }

  async shows(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.screen()).toContain(text), WAIT)
  }

  type(line: string): void {
    this.#tmux('send-keys', '-l', line)
    this.#tmux('send-keys', 'Enter')
  }

  async exit(): Promise<void> {
    this.type('/exit')
    await vi.waitFor(() => expect(this.#tmux('has-session').status).not.toBe(0), WAIT)
  }
}

describe.skipIf(absence !== null)(`toxic ${absence === null ? '' : `(skipped: ${absence})`}`, () => {
  test('opens a second device, knows its Tox ID, and saves it with the blob and all friends', async () => {
    const home = new Home()
    const at = (file: string): string => join(home.directory, file)
    putProfiles(home.directory)
    await home.start()
    await home.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP])
    const made = (await home.json(['tox', 'rekey', LAPTOP, 'phone.tox', '--device', 'phone'])) as {
      toxId: string
      persona: string
    }
    expect(made.persona).toBe('published')
    const before = readSave(at('phone.tox'))
    expect(readStatusMessage(before).text).toMatch(/ persona:\S{200,}$/)

    const toxic = new Toxic(home.directory, at('phone.tox'))
    await toxic.shows(`] ${readName(before).text} `)
    toxic.type('/myid')
    await toxic.shows(made.toxId)
    expect(await home.failure(['tox', 'set', 'phone.tox', 'name', 'Somebody'])).toBe('1 TOX_CLIENT_RUNNING')
    // What makes it write: without a change it would do so too, but then nothing would tell that it did.
    toxic.type('/nick Changed')
    await toxic.shows('] Changed ')
    await toxic.exit()

    const after = readSave(at('phone.tox'))
    expect(readName(after).text).toBe('Changed')
    expect(readStatusMessage(after).bytes).toEqual(readStatusMessage(before).bytes)
    expect(readFriends(after)).toEqual(readFriends(before))
    const inspected = (await home.json(['tox', 'inspect', 'phone.tox'])) as {
      toxId: string
      status: { valid: boolean; listsSender: boolean }
      findings: unknown[]
    }
    expect(inspected).toMatchObject({ toxId: made.toxId, status: { valid: true, listsSender: true }, findings: [] })
  })

  test('opens a profile that we encrypted, by its passphrase, and keeps it so', async () => {
    const home = new Home()
    const at = (file: string): string => join(home.directory, file)
    putProfiles(home.directory)
    writeFileSync(at('word'), 'correct horse')
    await home.done(['tox', 'encrypt', LAPTOP, '--passphrase-file', 'word'])
    const toxic = new Toxic(home.directory, at(LAPTOP))
    await toxic.shows('assword')
    toxic.type('correct horse')
    await toxic.shows('] Alice ')
    toxic.type('/nick Changed')
    await toxic.shows('] Changed ')
    await toxic.exit()
    const inspect = ['tox', 'inspect', LAPTOP]
    expect(await home.failure(inspect)).toBe('1 TOX_ENCRYPTED')
    expect(await home.json([...inspect, '--passphrase-file', 'word'])).toMatchObject({
      encrypted: true,
      name: 'Changed',
      findings: [],
    })
  })
})
