/** A Tox client's friend list, one line for each person: three calls, and one more after each change (docs/ipc.md, section 3). */
import { readFileSync } from 'node:fs'
import { connect, type Client } from '../src/ipc/client.ts' // in a project of your own: from 'personad/client'

interface Friend {
  readonly key: string
  readonly name: string
}

const SECTION_KEYS = 1
const SECTION_FRIENDS = 3
const FRIEND_BYTES = 2216

/** A client has its friends in memory. This one reads them and its own key from the save file of an unmodified client. */
function readProfile(path: string): { own: string; friends: Friend[] } {
  const file = readFileSync(path)
  const sections = new Map<number, Buffer>()
  for (let at = 8; at + 8 <= file.length; at += 8 + file.readUInt32LE(at)) {
    sections.set(file.readUInt16LE(at + 4), file.subarray(at + 8, at + 8 + file.readUInt32LE(at)))
  }
  const hex = (bytes: Buffer, at: number): string => bytes.toString('hex', at, at + 32).toUpperCase()
  const records = sections.get(SECTION_FRIENDS) ?? Buffer.alloc(0)
  const friends: Friend[] = []
  for (let at = 0; at + FRIEND_BYTES <= records.length; at += FRIEND_BYTES) {
    const name = records.toString('utf8', at + 1060, at + 1060 + records.readUInt16BE(at + 1188))
    if (records[at] !== 0) friends.push({ key: hex(records, at + 1), name })
  }
  return { own: hex(sections.get(SECTION_KEYS) ?? Buffer.alloc(36), 4), friends }
}

/** Anybody can choose any name: print nothing that could control a terminal, and the end of the key beside it. */
function show(name: string, key: string): string {
  return `${name.replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '?')} (…${key.slice(-8)})`
}

/** One person in one line: their devices, and what to do with each. */
async function lineOf(client: Client, contact: string, known: string[]): Promise<string> {
  const person = await client.call('contact.devices', { contact, known })
  const who = show(person.name, person.personaId ?? contact)
  const devices = person.devices.map(({ name, key, advice }) => `${show(name, key)} ${advice}`)
  return `${who}: ${devices.join(', ')}`
}

const [socketPath, profile] = process.argv.slice(2)
if (socketPath === undefined || profile === undefined) {
  console.error('usage: merged-friends.ts SOCKET PROFILE')
  process.exit(2)
}
const { own, friends } = readProfile(profile)
const known = [own, ...friends.map(({ key }) => key)]
const client = await connect({ socketPath })

// First call: subscribe, before asking, so that no change is lost between the question and the answer.
await client.subscribe(['contact.changed'], (event) => {
  if (event.event !== 'contact.changed' || event.data.contact.personaId === null) return
  lineOf(client, event.data.contact.personaId, known).then((line) => console.log(`changed: ${line}`), console.error)
})
// Second call, for each friend: whose device is it? Two devices of one person have the same answer.
const answers = await Promise.all(friends.map(({ key }) => client.call('lookup', { query: key })))
const people = new Map<string, Friend | null>()
for (const [i, { contact }] of answers.entries()) {
  const friend = friends[i]!
  people.set(contact?.personaId ?? friend.key, contact === null ? friend : null)
}
// Third call, for each person. A friend that the daemon does not know stays as the client shows it.
for (const [person, unknown] of people) {
  console.log(unknown === null ? await lineOf(client, person, known) : `${show(unknown.name, person)}: unknown`)
}

const reason = await client.closed
console.log(`the daemon stopped${reason === null ? '' : `: ${reason.message}`}`)
