/** A small app: prints who a Tox device belongs to and where messages for that person go, now and after each change. */
import { connect } from '../src/ipc/client.ts' // in a project of your own: from 'personad/client'

interface Device {
  readonly name: string
  readonly key: string
}

/** The fields of a contact that this app needs. The daemon sends more (docs/ipc.md, section 3). */
interface Person {
  readonly name: string
  readonly personaId: string | null
  readonly active: string | null
  readonly devices: readonly Device[]
  readonly claims: readonly Device[]
}

/** Anybody can choose any name: print nothing that could control a terminal, and the end of the key beside it. */
function show({ name, key }: Device): string {
  return `${name.replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '?')} (…${key.slice(-8)})`
}

function describe(person: Person): string {
  const active = person.devices.find((device) => device.key === person.active)
  const who = show({ name: person.name, key: person.personaId ?? person.active ?? '' })
  const goesTo = active === undefined ? 'no device takes messages' : `message goes to ${show(active)}`
  const unsure = person.claims.map((device) => `; ${show(device)} is unconfirmed`).join('')
  return `${who}: ${goesTo}${unsure}`
}

const [socketPath, toxPk] = process.argv.slice(2)
if (socketPath === undefined || toxPk === undefined) {
  console.error('usage: who-is.ts SOCKET TOXPK')
  process.exit(2)
}

const client = await connect({ socketPath })
// Subscribe before asking, so that no change is lost between the two.
await client.subscribe(['contact.changed', 'device.added'], (event) => {
  if (event.event === 'lagged') console.log(`event: ${event.data.missed} events were missed, ask again`)
  if (event.event === 'device.added')
    console.log(`event: ${event.data.contact} lists a new device, ${show(event.data.device)}`)
  if (event.event === 'contact.changed') console.log(`event: ${describe(event.data.contact)}`)
})
const { contact, device } = await client.call('lookup', { query: toxPk })
if (contact === null || device === null) console.log(`answer: nobody here knows ${toxPk}`)
else if (contact.personaId === null) console.log(`answer: ${show(device)} is a friend without a persona`)
else console.log(`answer: ${show(device)} is a device of ${describe(contact)}`)

// The subscription keeps this process running until the daemon ends.
const reason = await client.closed
console.log(`the daemon stopped${reason === null ? '' : `: ${reason.message}`}`)
