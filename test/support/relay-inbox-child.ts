/**
 * Works with the inboxes of the relay's store in argv[2] until it is killed: posts, lists, acknowledges. Prints a line for each acknowledgement
 * before the call, and for each call after its answer. argv[3] is the first number of its entries.
 */
import { randomInt } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openLevelRelayStore } from '../../src/relayd/records/level-relay-store.ts'
import { inboxEntry, INBOX_DEVICES, INBOX_IDS, MANY_ENTRIES } from './relay-inboxes.ts'
import { LIMITS, MINUTE } from './relay-stores.ts'

const POSTERS = 6
const PAGE = 50

const [, , directory = '', first = '1'] = process.argv
const nowUs = (): number => Date.now() * 1000
const limits = { ...LIMITS, ...MANY_ENTRIES }
const { inboxes } = await openLevelRelayStore(directory, { limits, answerUs: MINUTE, nowUs: nowUs() })
let number = Number(first)

// Synchronous: the outside knows what was acknowledged before anything else happens.
function print(...words: readonly string[]): void {
  writeSync(1, words.join(' ') + '\n')
}

async function postForEver(): Promise<void> {
  for (;;) {
    const id = INBOX_IDS[number % INBOX_IDS.length]!
    const entry = inboxEntry(number++)
    if ((await inboxes.post(id, entry, INBOX_DEVICES, nowUs())) === 'stored') print('posted', id, entry.encId)
  }
}

async function acknowledgeForEver(tag: string): Promise<void> {
  for (;;) {
    const id = INBOX_IDS[randomInt(INBOX_IDS.length)]!
    const device = { tag, listed: INBOX_DEVICES }
    const { entries } = await inboxes.list(id, device, 0, PAGE, nowUs())
    const some = entries.filter(() => randomInt(3) > 0)
    for (const { encId } of some) print('naming', tag, encId)
    const numbers = some.map(({ n }) => n)
    await inboxes.acknowledge(id, device, numbers, nowUs())
    for (const { encId } of some) print('named', tag, encId)
  }
}

await Promise.all([...Array.from({ length: POSTERS }, postForEver), ...INBOX_DEVICES.map(acknowledgeForEver)])
