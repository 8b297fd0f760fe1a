/**
 * Contacts that are proposed in another app (docs/links.md), on one daemon of their owner and over a link between two: as multiples of one handshake of a
 * channel in the same run, and a thousand at once.
 */
import type { Client } from '../src/ipc/client.ts'
import { meet, startPair, until, type Pair } from './channel-pair.ts'
import { makeHome, removeHome, type RunningDaemon } from './daemon.ts'
import { formatRatio, quantile, timedMs, type Row } from './measure.ts'
import { begin, pairDevices } from './own-devices.ts'
import { benchMany, type Owner } from './proposals-many.ts'

const MOST_ROUNDS = 7 // a persona has cards for 16 apps, and each round takes two, the link of two daemons one
const PEOPLE = 250 // below the limit of 256 channels of an app
const APPS = 4

/** Both apps of one round, which is the first for them. */
interface Apps {
  readonly source: string
  readonly target: string
}

async function allow(admin: Client, ...names: readonly string[]): Promise<void> {
  for (const name of names) await admin.call('app.allow', { name, can: ['channel', 'propose'] })
}

const linkHere = async (admin: Client, { source, target }: Apps): Promise<void> =>
  void (await admin.call('app.link', { app: source, other: target, provide: 'all' }))

/** Resolves once the proposal of the target app is in this state at one side. */
async function reach(admin: Client, { target }: Apps, wanted: string): Promise<void> {
  await until(admin, ['app.proposal'], async () => {
    const { proposals } = await admin.call('app.proposals', { limit: 500 })
    return proposals.some(({ app, state }) => app === target && state === wanted)
  })
}

/** @param owner of the host, whose target apps may be on another daemon */
async function benchRounds(pair: Pair, owner: Owner, label: string, rounds: number): Promise<Row[]> {
  const { guest } = pair
  const [source, target] = [owner.source.admin, owner.target.admin]
  const [ofOwner, ofGuest] = [await begin(source), await begin(guest.admin)]
  if (source !== target) await pairDevices(source, target)
  const [meeting, proposing, opening]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < rounds; round++) {
    const apps = { source: `first-${round}`, target: `second-${round}` }
    await allow(source, apps.source)
    await allow(target, apps.target)
    await allow(guest.admin, apps.source, apps.target)
    meeting.push(await timedMs(async () => await meet(pair, apps.source, 1)))
    await linkHere(guest.admin, apps)
    proposing.push(
      await timedMs(async () => {
        await owner.link(apps)
        await reach(target, apps, 'proposed')
      }),
    )
    await reach(guest.admin, apps, 'proposed')
    await guest.admin.call('app.answer', { app: apps.target, persona: ofOwner, answer: 'accept' })
    await reach(target, apps, 'acceptedThere')
    opening.push(
      await timedMs(async () => {
        await target.call('app.answer', { app: apps.target, persona: ofGuest, answer: 'accept' })
        await reach(target, apps, 'confirmed')
      }),
    )
  }
  const [meet50, propose50, open50] = [meeting, proposing, opening].map((times) => quantile(times, 0.5))
  const figure = (ms: number): string => `p50 ${ms.toFixed(0)} ms, ${formatRatio(ms / meet50!)} handshakes`
  return [
    { what: `${label}: an invite over a folder, to an open channel`, figure: `p50 ${meet50!.toFixed(0)} ms` },
    { what: `${label}: the second app link, to the proposal`, figure: figure(propose50!) },
    { what: `${label}: the second accept, to a confirmed channel`, figure: figure(open50!) },
  ]
}

/** An owner whose apps are all on one daemon. */
function onOne(folder: string, daemon: RunningDaemon): Owner {
  const link = async (apps: Apps): Promise<void> => await linkHere(daemon.admin, apps)
  return { folder, source: daemon, target: daemon, link }
}

/** An owner with the source apps on one daemon, and the target apps on another. */
function onTwo(folder: string, source: RunningDaemon, target: RunningDaemon): Owner {
  const link = async (apps: Apps): Promise<void> => {
    const { invite } = await source.admin.call('app.link-invite', { app: apps.source, provide: 'all' })
    await target.admin.call('app.link-accept', { app: apps.target, invite })
  }
  return { folder, source, target, link }
}

async function benchOwner(isTwo: boolean, isQuick: boolean): Promise<Row[]> {
  const folder = makeHome()
  const pair = await startPair({ folders: [folder] })
  const others = isTwo ? await startPair({ folders: [folder] }) : null
  const [label, rounds] = [isTwo ? 'two daemons' : 'one daemon', isQuick ? 1 : MOST_ROUNDS]
  try {
    const owner = others === null ? onOne(folder, pair.host) : onTwo(folder, pair.host, others.host)
    return await benchRounds(pair, owner, label, rounds)
  } finally {
    await pair.close()
    await others?.close()
    removeHome(folder)
  }
}

async function benchThousand(isTwo: boolean): Promise<Row[]> {
  const folder = makeHome()
  const pair = await startPair({ folders: [folder] })
  const { host, guest } = pair
  try {
    await begin(host.admin)
    if (isTwo) await pairDevices(host.admin, guest.admin)
    const owner = isTwo ? onTwo(folder, host, guest) : onOne(folder, host)
    return await benchMany(owner, isTwo ? 'two daemons' : 'one daemon', PEOPLE, APPS)
  } finally {
    await pair.close()
    removeHome(folder)
  }
}

export async function benchProposals(isQuick: boolean): Promise<Row[]> {
  const rows: Row[] = []
  for (const isTwo of [false, true]) {
    rows.push(...(await benchOwner(isTwo, isQuick)))
    // A thousand channels take minutes.
    if (!isQuick) rows.push(...(await benchThousand(isTwo)))
  }
  return rows
}

if (import.meta.main)
  for (const { what, figure } of await benchProposals(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
