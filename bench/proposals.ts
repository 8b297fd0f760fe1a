/** Contacts that are proposed in another app (docs/links.md), as multiples of one handshake of a channel between the same two daemons. */
import { randomBytes } from 'node:crypto'
import type { Client } from '../src/ipc/client.ts'
import { meet, startPair, until, type Pair } from './channel-pair.ts'
import { makeHome, removeHome } from './daemon.ts'
import { formatRatio, quantile, timedMs, type Row } from './measure.ts'

const MOST_ROUNDS = 8 // a persona has cards for 16 apps, and each round takes two

/** Both apps of one round, which is the first for them. */
interface Apps {
  readonly source: string
  readonly target: string
}

async function ready({ host, guest }: Pair, { source, target }: Apps): Promise<void> {
  for (const { admin } of [host, guest])
    for (const name of [source, target]) await admin.call('app.allow', { name, can: ['channel', 'propose'] })
}

const link = async (admin: Client, { source, target }: Apps): Promise<void> =>
  void (await admin.call('app.link', { app: source, other: target, provide: 'all' }))

/** Resolves once the proposal of the target app is in this state at one side. */
async function reach(admin: Client, { target }: Apps, wanted: string): Promise<void> {
  await until(admin, ['app.proposal'], async () => {
    const { proposals } = await admin.call('app.proposals', { limit: 500 })
    return proposals.some(({ app, state }) => app === target && state === wanted)
  })
}

export async function benchProposals(isQuick: boolean): Promise<Row[]> {
  const rounds = isQuick ? 2 : MOST_ROUNDS
  const folder = makeHome()
  const pair = await startPair({ folders: [folder] })
  const { host, guest } = pair
  try {
    const personas: string[] = []
    for (const { admin } of [host, guest]) {
      const key = `${randomBytes(31).toString('hex').toUpperCase()}00` // below 2^255 - 19
      personas.push((await admin.call('persona.init', { device: { name: 'laptop', key } })).table.personaId)
    }
    const [meeting, proposing, opening]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < rounds; round++) {
      const apps = { source: `first-${round}`, target: `second-${round}` }
      await ready(pair, apps)
      meeting.push(await timedMs(async () => await meet(pair, apps.source, 1)))
      await link(guest.admin, apps)
      proposing.push(
        await timedMs(async () => {
          await link(host.admin, apps)
          await reach(host.admin, apps, 'proposed')
        }),
      )
      await reach(guest.admin, apps, 'proposed')
      await guest.admin.call('app.answer', { app: apps.target, persona: personas[0]!, answer: 'accept' })
      await reach(host.admin, apps, 'acceptedThere')
      opening.push(
        await timedMs(async () => {
          await host.admin.call('app.answer', { app: apps.target, persona: personas[1]!, answer: 'accept' })
          await reach(host.admin, apps, 'confirmed')
        }),
      )
    }
    const [meet50, propose50, open50] = [meeting, proposing, opening].map((times) => quantile(times, 0.5)) as [
      number,
      number,
      number,
    ]
    const figure = (ms: number): string => `p50 ${ms.toFixed(0)} ms, ${formatRatio(ms / meet50)} handshakes`
    return [
      { what: 'an invite over a folder, to an open channel', figure: `p50 ${meet50.toFixed(0)} ms` },
      { what: 'the second app link, to the proposal', figure: figure(propose50) },
      { what: 'the second accept, to a confirmed channel', figure: figure(open50) },
    ]
  } finally {
    await pair.close()
    removeHome(folder)
  }
}
