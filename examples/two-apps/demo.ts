/** `npm run demo:apps`: Leo and Kim know each other in one app. They link it with a second one, and meet there without a code or a link. */
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

interface Side {
  readonly person: Person
  readonly renuicorn: App
  readonly veilchat: App
}

/** A person whose daemon reaches others by one folder, which both can write. */
function makePerson(name: string, home: string): Person {
  const dir = join(home, name)
  mkdirSync(join(dir, 'home', 'config'), { recursive: true, mode: 0o700 })
  const config = `net: { folders: [${JSON.stringify(join(home, 'shared'))}] }\n`
  writeFileSync(join(dir, 'home', 'config', 'personad.yaml'), config, { mode: 0o600 })
  return new Person(name, dir)
}

async function allow(person: Person, app: string): Promise<string> {
  const { token } = await person.asks<{ token: string }>('app', 'allow', app, '--can', 'channel,propose')
  return token
}

async function begin(person: Person): Promise<void> {
  await person.startDaemon()
  await person.types('init', '--device', 'laptop', '--key', `${randomBytes(31).toString('hex').toUpperCase()}00`)
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

async function meetInFirstApp(leo: Person, kim: Person): Promise<[Side, Side]> {
  scene(
    'Leo and Kim use Renuicorn, and know each other there.',
    'Leo gave Kim an invite, once. Renuicorn sends each contact the address where one lives.',
  )
  const [leosToken, kimsToken] = [await allow(leo, SOURCE), await allow(kim, SOURCE)]
  const atLeo = new App('leo: renuicorn', programs.renuicorn, [leo.appSocket, 'Elm Street 1'], leosToken)
  const invite = await atLeo.firstLine(/^persona-invite:/)
  const atKim = new App('kim: renuicorn', programs.renuicorn, [kim.appSocket, 'Oak Lane 2', invite], kimsToken)
  check("Leo's Renuicorn has Kim's address", await atLeo.prints(/^Kim lives at Oak Lane 2$/))
  check("Kim's Renuicorn has Leo's address", await atKim.prints(/^Leo lives at Elm Street 1$/))
  scene('Both have a second app, VeilChat. Nobody is a contact there.')
  const [leosChat, kimsChat] = [await allow(leo, TARGET), await allow(kim, TARGET)]
  const chatOf = (name: string, person: Person, token: string): App =>
    new App(`${name}: veilchat`, programs.veilchat, [person.appSocket], token)
  const sides: [Side, Side] = [
    { person: leo, renuicorn: atLeo, veilchat: chatOf('leo', leo, leosChat) },
    { person: kim, renuicorn: atKim, veilchat: chatOf('kim', kim, kimsChat) },
  ]
  for (const { person, veilchat } of sides)
    check(`${person.name} has no contact in VeilChat`, await veilchat.prints(/^ready, with 0 contacts$/))
  return sides
}

async function link(leo: Person, kim: Person): Promise<void> {
  scene(
    'Leo links the two apps: whom he knows in Renuicorn is proposed in VeilChat.',
    'Renuicorn has asked for that already. An app asks, and its owner answers.',
  )
  await leo.types('app', 'link', SOURCE, TARGET, '--provide', 'all')
  check('nobody is proposed to Kim: she has linked nothing', (await proposals(kim)).length === 0)
  scene('Kim does the same. Now each is proposed to the other.')
  await kim.types('app', 'link', SOURCE, TARGET, '--provide', 'all')
  await until('Kim is proposed to Leo', async () => (await proposals(leo)).some(({ name }) => name === 'Kim'))
  await until('Leo is proposed to Kim', async () => (await proposals(kim)).some(({ name }) => name === 'Leo'))
  await leo.types('pending')
}

async function acceptBoth(leo: Side, kim: Side): Promise<void> {
  scene('Leo accepts. Nothing opens before Kim does, and she may take days.')
  await leo.person.types('accept', 'Kim', '--kind', 'proposal', '--app', TARGET)
  await until('Kim sees that Leo has accepted', async () =>
    (await proposals(kim.person)).some(({ state }) => state === 'acceptedThere'),
  )
  check('Leo has no channel in VeilChat yet', (await channels(leo.person, TARGET)).length === 0)
  scene('Kim accepts. A channel of VeilChat opens, with keys of its own.')
  await kim.person.types('accept', 'Leo', '--kind', 'proposal', '--app', TARGET)
  check("Kim is a contact in Leo's VeilChat", await leo.veilchat.prints(/^Kim is a new contact$/))
  check('Kim says hello there', await leo.veilchat.prints(/^Kim: Hello Leo, nobody had to scan anything\.$/))
  check("Leo is a contact in Kim's VeilChat", await kim.veilchat.prints(/^Leo is a new contact$/))
  check('Leo says hello there', await kim.veilchat.prints(/^Leo: Hello Kim, nobody had to scan anything\.$/))
  for (const { person } of [leo, kim])
    await until(`both apps confirm it to ${person.name}, who has not verified the other`, async () =>
      (await channels(person, TARGET)).some(
        ({ introduced, verified }) => introduced?.by === SOURCE && introduced.state === 'confirmed' && !verified,
      ),
    )
}

async function play(home: string): Promise<void> {
  mkdirSync(join(home, 'shared'))
  const [leo, kim] = [makePerson('leo', home), makePerson('kim', home)]
  scene('Leo and Kim each have a daemon, and a persona.')
  for (const person of [leo, kim]) await begin(person)
  const [atLeo, atKim] = await meetInFirstApp(leo, kim)
  await link(leo, kim)
  await acceptBoth(atLeo, atKim)
  scene('Both daemons stop.')
  const statuses = [await leo.stopDaemon(), await kim.stopDaemon()]
  check('both stopped in order', statuses.join(' ') === '0 0')
}

await playStory('personad-apps-', async (home) => {
  console.log('The story of two apps, played by the real programs in a temporary directory.')
  await play(home)
})
