/** Many contacts provided at once (docs/links.md): how long, how much is said, and what a lookup of another app costs meanwhile. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { connect, type Client } from '../src/ipc/client.ts'
import { until } from './channel-pair.ts'
import type { CrowdReport } from './crowd.ts'
import { cpuSec, makeHome, removeHome, startDaemon, type RunningDaemon } from './daemon.ts'
import { formatRatio, quantile, timedMs, type Row } from './measure.ts'
import { begin } from './own-devices.ts'

const AT_A_TIME = 10 // below the limit of 20 open invites
const WARM_UP = 1000 // lookups of each daemon
const UNKNOWN_KEY = 'AB'.repeat(32)

/** An app with all people as contacts, and the one in which they are proposed. */
interface Apps {
  readonly source: string
  readonly target: string
}

/** The daemons of the owner: one, or one with the source apps and one with the target apps. */
export interface Owner {
  readonly folder: string
  readonly source: RunningDaemon
  readonly target: RunningDaemon
  link(apps: Apps): Promise<void>
}

interface Person {
  readonly admin: Client
  readonly name: string
}

class Crowd {
  readonly people: readonly Person[]
  readonly #homes: readonly string[]
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, homes: readonly string[], people: readonly Person[]) {
    this.#child = child
    this.#homes = homes
    this.people = people
  }

  static async start(folder: string, count: number): Promise<Crowd> {
    const homes = Array.from({ length: count }, makeHome)
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const
    const child = spawn(process.execPath, [join(import.meta.dirname, 'crowd.ts'), folder, ...homes], {
      stdio: [...stdio],
    })
    await once(child, 'message')
    const people: Person[] = []
    for (const [i, home] of homes.entries()) {
      const admin = await connect({ socketPath: join(home, 'run/admin/admin.sock') })
      await begin(admin)
      people.push({ admin, name: `Person ${i}` })
    }
    return new Crowd(child, homes, people)
  }

  async report(): Promise<CrowdReport> {
    const reported = once(this.#child, 'message')
    this.#child.send('report')
    return ((await reported) as [CrowdReport])[0]
  }

  async close(): Promise<void> {
    for (const { admin } of this.people) await admin.close()
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await ended
    for (const home of this.#homes) removeHome(home)
  }
}

async function allow(admin: Client, ...apps: readonly string[]): Promise<void> {
  for (const name of apps) await admin.call('app.allow', { name, can: ['channel', 'propose'] })
}

/** Everybody has a channel with the owner in the source app, and provides them to the target app. */
async function meetAll(owner: Client, { people }: Crowd, { source, target }: Apps): Promise<void> {
  const meet = async ({ admin, name }: Person): Promise<void> => {
    await allow(admin, source, target)
    const { invite } = await owner.call('channel.invite', { app: source, name })
    const { id } = await admin.call('channel.accept', { app: source, invite, name: 'Owner' })
    await until(admin, ['channel.changed'], async () => (await admin.call('channel.show', { id })).state === 'open')
    await admin.call('app.link', { app: source, other: target, provide: 'all' })
    await until(admin, ['app.proposal'], async () => {
      const { proposals } = await admin.call('app.proposals', { limit: 500 })
      return proposals.some(({ app, state }) => app === target && state === 'offered')
    })
  }
  for (let done = 0; done < people.length; done += AT_A_TIME)
    await Promise.all(people.slice(done, done + AT_A_TIME).map(meet))
}

/** Lookups of daemons in turn until it ends, so that all see the same machine. */
class Meter {
  readonly times: readonly number[][]
  readonly #clients: readonly Client[]
  #isOver = false
  #done: Promise<void> = Promise.resolve()

  private constructor(clients: readonly Client[]) {
    this.#clients = clients
    this.times = clients.map(() => [])
  }

  static async over(daemons: readonly RunningDaemon[]): Promise<Meter> {
    const sockets = daemons.map(async ({ appSocket }) => await connect({ socketPath: appSocket }))
    const meter = new Meter(await Promise.all(sockets))
    for (let i = 0; i < WARM_UP; i++) for (const client of meter.#clients) await look(client)
    return meter
  }

  begin(): void {
    this.#done = (async () => {
      while (!this.#isOver)
        for (const [i, client] of this.#clients.entries())
          this.times[i]!.push(await timedMs(async () => await look(client)))
    })()
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#done
    for (const client of this.#clients) await client.close()
  }
}

async function look(client: Client): Promise<void> {
  await client.call('lookup', { query: UNKNOWN_KEY })
}

/** Resolves once so many are proposed at this daemon. The work begins after it listens. */
async function proposed(admin: Client, count: number, work: () => Promise<void>): Promise<void> {
  let left = count
  let ring = (): void => {}
  const all = new Promise<void>((resolve) => (ring = resolve))
  const subscription = await admin.subscribe(['app.proposal'], (told) => {
    if (told.event === 'app.proposal' && told.data.state === 'proposed' && --left === 0) ring()
  })
  await work()
  await all
  await subscription.close()
}

/** Asks for a list of proposals each second until it ends. */
class Lists {
  readonly times: number[] = []
  readonly #admin: Client
  #isOver = false
  readonly #done: Promise<void>

  constructor(admin: Client) {
    this.#admin = admin
    this.#done = this.#run()
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#done
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      this.times.push(await timedMs(async () => void (await this.#admin.call('app.proposals', { limit: 1 }))))
      await setTimeout(1000)
    }
  }
}

export async function benchMany(owner: Owner, label: string, people: number, apps: number): Promise<Row[]> {
  const { source, target } = owner
  const all = Array.from({ length: apps }, (_, i) => ({ source: `many-${i}`, target: `new-${i}` }))
  const crowd = await Crowd.start(owner.folder, people)
  const bareHome = makeHome()
  const bare = await startDaemon(bareHome)
  try {
    for (const each of all) {
      await allow(source.admin, each.source)
      await allow(target.admin, each.target)
      await meetAll(source.admin, crowd, each)
    }
    const daemons = source === target ? [source] : [source, target]
    const meter = await Meter.over([bare, ...daemons])
    const before = await crowd.report()
    const cpuBefore = daemons.map(({ process: { pid } }) => cpuSec(pid!))
    meter.begin()
    const lists = new Lists(target.admin)
    const ms = await timedMs(async () => {
      await proposed(target.admin, people * apps, async () => {
        for (const each of all) await owner.link(each)
      })
    })
    await meter.end()
    await lists.end()
    const after = await crowd.report()
    const cpu = daemons.map(({ process: { pid } }, i) => cpuSec(pid!) - cpuBefore[i]!)
    const count = people * apps
    const texts = after.texts - before.texts
    const [none, ...some] = meter.times
    const against = (q: number): string =>
      some
        .map(
          (times) =>
            `${quantile(times, q).toFixed(2)} ms, ${formatRatio(quantile(times, q) / quantile(none!, q))} times`,
        )
        .join('; ')
    return [
      {
        what: `${label}: ${count} contacts provided, to all proposed`,
        figure: `${(ms / 1000).toFixed(1)} s, ${(ms / count).toFixed(1)} ms each; CPU ${cpu.map((sec) => sec.toFixed(1)).join(' and ')} s`,
      },
      {
        what: `${label}: texts to the other people`,
        figure: `${texts}, ${((after.bytes - before.bytes) / texts).toFixed(0)} bytes each; ${((after.bytes - before.bytes) / 1024).toFixed(0)} KiB`,
      },
      {
        what: `${label}: lookup meanwhile, against a bare daemon`,
        figure: `p50 ${against(0.5)}; p99 ${against(0.99)} (${none!.length} calls; goal: 1.2 at most)`,
      },
      {
        what: `${label}: a list of proposals meanwhile`,
        figure: `p50 ${quantile(lists.times, 0.5).toFixed(0)} ms, the slowest of ${lists.times.length} took ${Math.max(...lists.times).toFixed(0)} ms`,
      },
    ]
  } finally {
    await crowd.close()
    await bare.stop()
    removeHome(bareHome)
  }
}
