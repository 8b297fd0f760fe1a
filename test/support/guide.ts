/** Plays the README and the guide pages: types their `persona` lines into a shell beside a real daemon. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { deliver, makeProfiles, statusOf, toxPkOf } from '../../examples/demo-profiles.ts'
import { launcherOf } from './programs.ts'
import { RelayProcess, runRelayCommand } from './relay-process.ts'
import { removeTree } from './remove-tree.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const OWN_PROFILE = ['persona tox new laptop.tox --name Alice']
const OWN_PERSONA = [...OWN_PROFILE, 'persona init --device laptop --tox-profile laptop.tox']

/** Types three of the recovery words back, which turns on theft protection. */
const CONFIRMED = `persona recovery show --json | "$NODE" -e '
  const { words } = JSON.parse(require("fs").readFileSync(0, "utf8"))
  for (const position of [3, 11, 24]) console.log(position, words[position - 1])' | persona recovery confirm`

interface Page {
  /** The lines typed before the first block of the page. */
  readonly before: readonly string[]
  /** Whether to create bob.tox, a profile that saw Alice's table on her laptop. */
  readonly hasBob?: true
  /** Whether Bob has a daemon too, which a shared folder joins with Alice's. Lines after `bob$ ` are his. */
  readonly hasBobsDaemon?: true
  /** Whether they reach each other by a relay instead, where both have an inbox. The page calls it `relay.example`. */
  readonly hasRelay?: true
}

/** The guide pages with output. Each block that starts with ```console is played. */
export const PLAYED_PAGES: Readonly<Record<string, Page>> = {
  'docs/guide/apps.md': { before: OWN_PERSONA },
  'docs/guide/channels.md': { before: [], hasBobsDaemon: true },
  'docs/guide/contacts.md': { before: ['persona init --device laptop --tox-profile bob.tox'], hasBob: true },
  'docs/guide/devices.md': { before: OWN_PROFILE },
  'docs/guide/lost-device.md': {
    before: [...OWN_PERSONA, 'persona tox rekey laptop.tox phone.tox --device phone', CONFIRMED],
  },
  'docs/guide/messages.md': {
    before: [
      ...OWN_PERSONA,
      'persona link > alice.link',
      'bob$ persona tox new bob.tox --name Bob',
      'bob$ persona init --device laptop --tox-profile bob.tox',
      'bob$ persona link > bob.link',
      'persona contact add - --name Bob < bob.link',
      'bob$ persona contact add - --name Alice < alice.link',
    ],
    hasBobsDaemon: true,
    hasRelay: true,
  },
  'docs/guide/profiles.md': { before: [] },
}

const PRIVATE_RELAY = "net: { private: ['127.0.0.1'] }\n"
const BOBS_PROMPT = 'bob$ '
const PROMPT = /^(?:bob)?\$ /
const LOOKS = /^persona (?:channel (?:list|show|read)|message (?:list|sent|read))\b/
const MAX_TRIES = 20 // sanity: each takes half a second
const BLOCK = /^```console\n([^]*?)^```$/gm

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
}

/** @returns the page with the current output of the programs, and the number of lines typed */
export async function playPage(page: string): Promise<{ readonly text: string; readonly typed: number }> {
  const { before, hasBob, hasBobsDaemon, hasRelay } = PLAYED_PAGES[page]!
  const text = readPage(page)
  const blocks = [...text.matchAll(BLOCK)].map(([, block]) => linesOf(block!))
  const played: string[] = []
  await inRoom(async (room) => {
    if (hasBob === true) await makeBob(room)
    const config = hasRelay === true ? PRIVATE_RELAY : hasBobsDaemon === true ? room.sharedFolder() : null
    const home = await room.start('home', config)
    const bobsHome = hasBobsDaemon === true ? await room.start('bobs-home', config) : home
    if (hasRelay === true) await room.joinRelay(home, bobsHome)
    for (const line of before) {
      const at = line.startsWith(BOBS_PROMPT) ? bobsHome : home
      await room.type(at, line.replace(BOBS_PROMPT, ''))
    }
    for (const lines of blocks) {
      let block = ''
      for (const { prompt, line, shown } of lines) {
        const at = prompt === '$ ' ? home : bobsHome
        let output = await room.type(at, line)
        // The other side may need a moment; these commands change nothing while there is nothing new.
        for (let tries = MAX_TRIES; LOOKS.test(line) && isOther(output, shown) && tries > 0; tries--)
          output = await room.type(at, line)
        block += `${prompt}${line}\n${output}`
      }
      played.push(block)
    }
  })
  let next = 0
  return { text: text.replaceAll(BLOCK, () => `\`\`\`console\n${played[next++]!}\`\`\``), typed: blocks.flat().length }
}

interface TypedLine {
  /** `$ `, or `bob$ ` at his daemon. */
  readonly prompt: string
  readonly line: string
  /** The output on the page. */
  readonly shown: string
}

function linesOf(block: string): TypedLine[] {
  const lines: { prompt: string; line: string; shown: string }[] = []
  for (const line of block.split('\n').slice(0, -1)) {
    const prompt = PROMPT.exec(line)?.[0]
    if (prompt !== undefined) lines.push({ prompt, line: line.slice(prompt.length), shown: '' })
    else lines.at(-1)!.shown += `${line}\n`
  }
  return lines
}

function isOther(output: string, shown: string): boolean {
  return withoutChance(output) !== withoutChance(shown)
}

/** Types the `persona` lines of the quickstart, in order. @returns the lines, each with its output */
export async function playQuickstart(): Promise<readonly string[]> {
  const [, quickstart] = /^## Quickstart\n([^]*?)^## /m.exec(readPage('README.md'))!
  const lines = [...quickstart!.matchAll(/^persona .*$/gm)].map(([line]) => line)
  const played: string[] = []
  await inRoom(async (room) => {
    const home = await room.start('home')
    for (const line of lines) played.push(`${line}\n${await room.type(home, line)}`)
  })
  return played
}

/** Replaces keys, dates, tokens and other values that differ in each run by placeholders. */
export function withoutChance(text: string): string {
  return text
    .replaceAll(/personad:[a-z2-7]+/g, 'LINK')
    .replaceAll(/\b[0-9A-F]{76}\b/g, 'TOXID')
    .replaceAll(/\b[0-9A-F]{64}\b/g, 'KEY')
    .replaceAll(/…[0-9A-F]{8}\b/g, '…TAIL')
    .replaceAll(/\b[0-9A-F]{8}\b/g, 'DIGITS')
    .replaceAll(/\b[a-z]+\.[\w-]{43}(?![\w-])/g, 'TOKEN')
    .replaceAll(/persona-invite:[\w-]+/g, 'INVITE')
    .replaceAll(/^ {4}(?:[a-z]+ ){3}[a-z]+$|(?<=^words: +)(?:[a-z]+ ){3}[a-z]+$/gm, 'WORDS')
    .replaceAll(/\b\d\d:\d\d:\d\d #/g, 'CLOCK #')
    .replaceAll(/\b[0-9a-f]{16}\b/g, 'ID')
    .replaceAll(/\b\d{8}T\d{6}Z(-\d+)?/g, 'TIME')
    .replaceAll(/\b\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?/g, 'DATE')
    .replaceAll(/just now|\d+ (second|minute|hour|day)s? ago/g, 'AGO')
    .replaceAll(/\bin \d+ (hour|day)s?\b/g, 'LATER')
}

/** A directory with homes, in which commands run. */
class Room {
  readonly directory: string = realpathSync(mkdtempSync(join(tmpdir(), 'personad-guide-')))
  readonly #daemons: ChildProcess[] = []
  #relay: RelayProcess | null = null

  /** Starts a daemon. @returns its home */
  async start(name: string, config: string | null = null): Promise<string> {
    const home = join(this.directory, name)
    if (config !== null) {
      mkdirSync(join(home, 'config'), { recursive: true, mode: 0o700 })
      writeFileSync(join(home, 'config', 'personad.yaml'), config, { mode: 0o600 })
    }
    const daemon = spawn(process.execPath, [launcherOf('personad'), '--home', home], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#daemons.push(daemon)
    const log: string[] = []
    for await (const line of createInterface({ input: daemon.stderr })) {
      log.push(line)
      if (line.includes('"daemon.ready"')) {
        daemon.stderr.resume()
        return home
      }
    }
    throw new Error(`the daemon did not start:\n${log.join('\n')}`)
  }

  /** @returns a configuration with a folder for channels */
  sharedFolder(): string {
    const folder = join(this.directory, 'shared')
    mkdirSync(folder)
    return `net: { folders: ['${folder}'] }\n`
  }

  /** Starts a relay, and has these daemons receive there. */
  async joinRelay(...homes: readonly string[]): Promise<void> {
    const relay = await RelayProcess.launch({ home: this.directory })
    this.#relay = relay
    const { stdout } = await runRelayCommand(['token', 'add', 'people', '--dir', relay.dataDir])
    writeFileSync(join(this.directory, 'token'), stdout.split('\n')[0]!)
    for (const home of homes) await this.type(home, `persona relay add ${relay.url} --token-file token`)
  }

  /** @returns what a terminal would show below the line @throws {Error} if the command fails */
  async type(home: string, line: string): Promise<string> {
    const script = `exec 2>&1\npersona() { "$NODE" "$PERSONA" "$@"; }\n${line}`
    const own = { HOME: this.directory, PERSONAD_HOME: home }
    const env = { PATH: process.env.PATH, ...own, NODE: process.execPath, PERSONA: launcherOf('persona') }
    const child = spawn('sh', ['-c', script], { cwd: this.directory, env, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    const [status] = (await once(child, 'close')) as [number | null]
    if (status !== 0) throw new Error(`${line}: ended with ${status}: ${output}`)
    const shown = output.replaceAll(`${this.directory}/`, '~/')
    return this.#relay === null ? shown : shown.replaceAll(new URL(this.#relay.url).host, 'relay.example')
  }

  async close(): Promise<void> {
    for (const daemon of this.#daemons) {
      const ended = once(daemon, 'exit')
      if (daemon.exitCode === null && daemon.kill('SIGTERM')) await ended
    }
    await this.#relay?.kill('SIGTERM')
    removeTree(this.directory)
  }
}

async function inRoom(play: (room: Room) => Promise<void>): Promise<void> {
  const room = new Room()
  try {
    await play(room)
  } finally {
    await room.close()
  }
}

/**
 * Creates bob.tox in the room. Alice, with her own daemon, published a table of laptop and phone; Bob saw it on her
 * laptop.
 */
async function makeBob(room: Room): Promise<void> {
  await makeProfiles(room.directory)
  const home = await room.start('alice-home')
  await room.type(home, 'persona init --device laptop --tox-profile alice/alice-laptop.tox')
  await room.type(home, 'persona device add phone --tox-profile alice/alice-phone.tox')
  await room.type(home, 'persona tox publish alice/alice-laptop.tox')
  const [laptop, bob] = [join(room.directory, 'alice/alice-laptop.tox'), join(room.directory, 'bob.tox')]
  copyFileSync(join(room.directory, 'bob/bob.tox'), bob)
  deliver(statusOf(laptop), toxPkOf(laptop), bob)
}
