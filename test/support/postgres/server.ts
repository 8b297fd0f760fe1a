/** A PostgreSQL of the test's own: in a temporary directory, reached by a socket in it, under a user that is not root. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chownSync, existsSync, globSync, mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../../src/relayd/postgres/database.ts'
import { loadDriver, type OwnConnection } from '../../../src/relayd/postgres/driver.ts'
import { removeTree } from '../remove-tree.ts'

const PORT = 5432 // of the name of the socket; nothing listens on a port
const WAIT_MS = 20_000 // sanity: on a busy machine
const OWNER = 'postgres' // of Debian's package: initdb refuses root

interface Identity {
  readonly uid?: number
  readonly gid?: number
}

/** The directory of PostgreSQL's programs, the newest one; null where there is none. */
function programs(): string | null {
  const found = globSync('/usr/lib/postgresql/*/bin/initdb').toSorted()
  return found.at(-1)?.replace(/\/initdb$/, '') ?? null
}

/** Under root, the user of the server. @returns null where there is no such user */
function identity(): Identity | null {
  if (process.getuid?.() !== 0) return {}
  try {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(execFileSync('id', [flag, OWNER], { stdio: ['ignore', 'pipe', 'ignore'] })),
    )
    return { uid: uid!, gid: gid! }
  } catch {
    return null
  }
}

function ownDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'persona-pg-')))
  const { uid, gid } = identity()!
  if (uid !== undefined && gid !== undefined) chownSync(directory, uid, gid)
  return directory
}

/** Why there is no PostgreSQL here, for the name of a test; empty where there is one. */
export const POSTGRES_ABSENCE: string =
  programs() === null ? ' (skipped: no PostgreSQL)' : identity() === null ? ` (skipped: no user ${OWNER})` : ''

export class TestPostgres {
  readonly directory: string
  readonly #data: string
  #process: ChildProcess | null = null
  #operator: OwnConnection | null = null
  #settings: Readonly<Record<string, string>> = {}

  private constructor(directory: string) {
    this.directory = directory
    this.#data = join(directory, 'data')
  }

  /** Makes a cluster and starts it. @param settings of the server, beside those that keep it to itself */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
    const directory = ownDirectory()
    const server = new TestPostgres(directory)
    const words = [
      '-D',
      server.#data,
      '-A',
      'trust',
      '-U',
      OWNER,
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
      '--no-instructions',
    ]
    execFileSync(join(programs()!, 'initdb'), words, {
      ...identity(),
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    server.#settings = settings
    await server.run()
    return server
  }

  /** Makes a copy that follows another server, and starts it. It takes over nothing by itself. */
  static async standbyOf(primary: TestPostgres): Promise<TestPostgres> {
    const directory = ownDirectory()
    const server = new TestPostgres(directory)
    const words = ['-h', primary.directory, '-p', String(PORT), '-U', OWNER, '-D', server.#data, '-R', '-c', 'fast']
    execFileSync(join(programs()!, 'pg_basebackup'), [...words, '--no-sync'], {
      ...identity(),
      cwd: directory,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    // A standby asks again soon for a primary that was away.
    server.#settings = { ...primary.#settings, wal_retrieve_retry_interval: '200ms' }
    await server.run()
    return server
  }

  /** @param schema in which everything lies that its clients make */
  url(schema = 'public'): string {
    const options = encodeURIComponent(`-c search_path=${schema}`)
    return `postgres://${OWNER}@/postgres?host=${encodeURIComponent(this.directory)}&options=${options}`
  }

  /** Starts it again, with the same settings. */
  async run(): Promise<void> {
    const own = { listen_addresses: '', unix_socket_directories: this.directory, port: String(PORT), ...this.#settings }
    const words = Object.entries(own).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    this.#process = spawn(join(programs()!, 'postgres'), ['-D', this.#data, ...words], {
      ...identity(),
      cwd: this.directory,
      stdio: 'ignore',
    })
    const endMs = Date.now() + WAIT_MS
    while (!(await this.#isReady())) {
      if (Date.now() > endMs) throw new Error('PostgreSQL does not start')
      await sleep(20)
    }
  }

  /** @param signal SIGINT ends all connections and stops; SIGQUIT is a crash */
  async stop(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    const running = this.#process
    if (running === null || running.exitCode !== null) return
    const ended = new Promise((resolve) => void running.once('exit', resolve))
    running.kill(signal)
    await ended
    this.#process = null
  }

  /** Runs a statement, or several without an answer. */
  async sql(text: string): Promise<readonly (readonly unknown[])[]> {
    this.#operator ??= await this.#connect()
    return (await this.#operator.query({ text, rowMode: 'array' })).rows
  }

  async remove(): Promise<void> {
    await this.stop('SIGQUIT')
    removeTree(this.directory)
  }

  async #connect(): Promise<OwnConnection> {
    const operator = new Database(await loadDriver(), this.url()).own(true)
    const forget = (): void => void (this.#operator = null)
    operator.on('error', forget)
    operator.on('end', forget)
    await operator.connect()
    return operator
  }

  async #isReady(): Promise<boolean> {
    if (!existsSync(join(this.directory, `.s.PGSQL.${PORT}`))) return false
    return await this.sql('SELECT 1').then(
      () => true,
      () => false,
    )
  }
}
