/**
 * `npm run demo:apps`: Leo and Kim know each other in one app. They link it with a second one on another device, and meet there without a code or a link.
 * `npm run demo:apps -- --one` plays it with both apps on one device of each.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChannelView } from '../../src/ipc/methods/channel-values.ts'
import type { ProposalView } from '../../src/ipc/methods/links.ts'
import { playStory } from '../demo-play.ts'
import { App, Person } from '../demo-stage.ts'
import { check, scene } from '../demo-story.ts'

const [SOURCE, TARGET] = ['org.example.renuicorn', 'org.example.veilchat']
const programs = {
  renuicorn: fileURLToPath(new URL('renuicorn.ts', import.meta.url)),
  veilchat: fileURLToPath(new URL('veilchat.ts', import.meta.url)),
} as const
const WAIT_MS = 20_000 // sanity: two daemons on one machine need a second
const LOOK_MS = 200
const isOne = process.argv.includes('--one')

/** Somebody with both apps. On one device, both have the same daemon. */
interface Owner {
  readonly name: string
  readonly laptop: Person
  /** The device of VeilChat. */
  readonly phone: Person
}

interface Side extends Owner {
  readonly renuicorn: App
  readonly veilchat: App
}

/** A device whose daemon reaches others by one folder, which all can write. */
async function makeDevice(name: string, home: string): Promise<Person> {
  const dir = join(home, name)
  mkdirSync(join(dir, 'home', 'config'), { recursive: true, mode: 0o700 })
  const config = `net: { folders: [${JSON.stringify(join(home, 'shared'))}] }\n`
  writeFileSync(join(dir, 'home', 'config', 'personad.yaml'), config, { mode: 0o600 })
  const device = new Person(name, dir)
  await device.startDaemon()
  return device
}

async function makeOwner(name: string, home: string): Promise<Owner> {
  const laptop = await makeDevice(`${name}-laptop`, home)
  await laptop.types('init', '--device', 'laptop', '--key', newKey())
  if (isOne) return { name, laptop, phone: laptop }
  const phone = await makeDevice(`${name}-phone`, home)
  await pair(laptop, phone)
  return { name, laptop, phone }
}

function newKey(): string {
  return `${randomBytes(31).toString('hex').toUpperCase()}00` // below 2^255 - 19
}

/** Brings the persona from the laptop to the phone. */
async function pair(laptop: Person, phone: Person): Promise<void> {
  const file = ['--file', join(phone.dir, 'pairing')]
  const pairing = laptop.talks('pair', ...file)
  const { words } = await pairing.hears<{ words: string[] }>()
  const joining = phone.talks('join', ...words, ...file, '--device', 'phone', '--key', newKey())
  const [here, there] = [await pairing.hears<Compared>(), await joining.hears<Compared>()]
  pairing.says(there.compare.join(' '))
  joining.says(here.compare.join(' '))
  const statuses = [await pairing.ended, await joining.ended]
  check('both screens show the same six words, and both devices have the persona', statuses.join(' ') === '0 0')
}

interface Compared {
  readonly compare: readonly string[]
}

async function allow(person: Person, app: string): Promise<string> {
  const { token } = await person.asks<{ token: string }>('app', 'allow', app, '--can', 'channel,propose')
  return token
}

/** Looks until it holds: both daemons work by themselves. */
async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (Date.now() < deadline) {
    if (await look()) return check(what, true)
    await new Promise((resume) => setTimeout(resume, LOOK_MS))
  }
  check(what, false)
}

async function proposals(person: Person): Promise<ProposalView[]> {
  return (await person.asks<{ proposals: ProposalView[] }>('pending')).proposals
}

async function channels(person: Person, app: string): Promise<ChannelView[]> {
  return (await person.asks<{ channels: ChannelView[] }>('channel', 'list', '--app', app)).channels
}

async function meetInFirstApp(leo: Owner, kim: Owner): Promise<[Side, Side]> {
  scene(
    'Leo and Kim use Renuicorn, and know each other there.',
    'Leo gave Kim an invite, once. Renuicorn sends each contact the address where one lives.',
  )
  const [leosToken, kimsToken] = [await allow(leo.laptop, SOURCE), await allow(kim.laptop, SOURCE)]
  const atLeo = new App('leo: renuicorn', programs.renuicorn, [leo.laptop.appSocket, 'Elm Street 1'], leosToken)
  const invite = await atLeo.firstLine(/^persona-invite:/)
  const atKim = new App('kim: renuicorn', programs.renuicorn, [kim.laptop.appSocket, 'Oak Lane 2', invite], kimsToken)
  check("Leo's Renuicorn has Kim's address", await atLeo.prints(/^Kim lives at Oak Lane 2$/))
  check("Kim's Renuicorn has Leo's address", await atKim.prints(/^Leo lives at Elm Street 1$/))
  scene(`Both have a second app, VeilChat${isOne ? '' : ', on another device'}. Nobody is a contact there.`)
  const sides: [Side, Side] = [
    { ...leo, renuicorn: atLeo, veilchat: await startChat(leo) },
    { ...kim, renuicorn: atKim, veilchat: await startChat(kim) },
  ]
  for (const { name, veilchat } of sides)
    check(`${name} has no contact in VeilChat`, await veilchat.prints(/^ready, with 0 contacts$/))
  return sides
}

async function startChat({ name, phone }: Owner): Promise<App> {
  return new App(`${name}: veilchat`, programs.veilchat, [phone.appSocket], await allow(phone, TARGET))
}

/** One command on one device, or an invite from one device to the other. */
async function linkApps({ laptop, phone }: Owner): Promise<void> {
  if (isOne) return void (await laptop.types('app', 'link', SOURCE, TARGET, '--provide', 'all'))
  const invite = await laptop.types('app', 'link', SOURCE, '--invite', '--provide', 'all')
  await phone.types('app', 'link', TARGET, '--accept', invite.trim())
}

async function link(leo: Owner, kim: Owner): Promise<void> {
  scene(
    'Leo links the two apps: whom he knows in Renuicorn is proposed in VeilChat.',
    isOne
      ? 'Renuicorn has asked for that already. An app asks, and its owner answers.'
      : 'His laptop makes an invite, and his phone uses it. It is worth nothing to anybody else.',
  )
  await linkApps(leo)
  check('nobody is proposed to Kim: she has linked nothing', (await proposals(kim.phone)).length === 0)
  scene('Kim does the same. Now each is proposed to the other.')
  await linkApps(kim)
  await until('Kim is proposed to Leo', async () => (await proposals(leo.phone)).some(({ name }) => name === 'Kim'))
  await until('Leo is proposed to Kim', async () => (await proposals(kim.phone)).some(({ name }) => name === 'Leo'))
  await leo.phone.types('pending')
}

async function acceptBoth(leo: Side, kim: Side): Promise<void> {
  scene('Leo accepts. Nothing opens before Kim does, and she may take days.')
  await leo.phone.types('accept', 'Kim', '--kind', 'proposal', '--app', TARGET)
  await until('Kim sees that Leo has accepted', async () =>
    (await proposals(kim.phone)).some(({ state }) => state === 'acceptedThere'),
  )
  check('Leo has no channel in VeilChat yet', (await channels(leo.phone, TARGET)).length === 0)
  scene('Kim accepts. A channel of VeilChat opens, with keys of its own.')
  await kim.phone.types('accept', 'Leo', '--kind', 'proposal', '--app', TARGET)
  check("Kim is a contact in Leo's VeilChat", await leo.veilchat.prints(/^Kim is a new contact$/))
  check('Kim says hello there', await leo.veilchat.prints(/^Kim: Hello Leo, nobody had to scan anything\.$/))
  check("Leo is a contact in Kim's VeilChat", await kim.veilchat.prints(/^Leo is a new contact$/))
  check('Leo says hello there', await kim.veilchat.prints(/^Leo: Hello Kim, nobody had to scan anything\.$/))
  for (const { name, phone } of [leo, kim])
    await until(`both apps confirm it to ${name}, who has not verified the other`, async () =>
      (await channels(phone, TARGET)).some(
        ({ introduced, verified }) => introduced?.by === SOURCE && introduced.state === 'confirmed' && !verified,
      ),
    )
}

async function play(home: string): Promise<void> {
  mkdirSync(join(home, 'shared'))
  scene(
    isOne
      ? 'Leo and Kim each have a daemon, and a persona.'
      : 'Leo and Kim each have a persona on two devices, a daemon on each.',
  )
  const [leo, kim] = [await makeOwner('leo', home), await makeOwner('kim', home)]
  const [atLeo, atKim] = await meetInFirstApp(leo, kim)
  await link(leo, kim)
  await acceptBoth(atLeo, atKim)
  scene('All daemons stop.')
  const devices = new Set([leo.laptop, leo.phone, kim.laptop, kim.phone])
  const statuses = await Promise.all([...devices].map((device) => device.stopDaemon()))
  check(
    'they stopped in order',
    statuses.every((status) => status === 0),
  )
}

await playStory('personad-apps-', async (home) => {
  console.log('The story of two apps, played by the real programs in a temporary directory.')
  await play(home)
})
