/**
 * Works with the relay's store in argv[2] until it is killed: sends, reads, names messages as processed, retires boxes. Prints a line for each
 * call before it, and after its answer. argv[3] is the first number of its messages.
 */
import { randomInt } from 'node:crypto'
import { writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { openLevelRelayStore } from '../../src/relayd/records/level-relay-store.ts'
import { BOXES, freshAnswer, LIMITS, MINUTE } from './relay-stores.ts'

const SENDERS = 8
const PADDING_BYTES = 700

const [, , directory = '', first = '1'] = process.argv
const nowUs = (): number => Date.now() * 1000
const limits = { ...LIMITS, maxBytes: 1 << 20, maxUncheckedBoxes: 1000 }
// As if it had started before: nobody uses an answer of the child before it.
const store = await openLevelRelayStore(directory, { limits, answerUs: MINUTE, nowUs: nowUs() - 2 * MINUTE })
let number = Number(first)

// Synchronous: the outside knows what was acknowledged before anything else happens.
function print(...words: readonly (string | number)[]): void {
  writeSync(1, words.join(' ') + '\n')
}

async function sendForEver(): Promise<void> {
  for (;;) {
    const n = number++
    const id = `box-${n % BOXES}`
    const { outcome, atUs } = await store.send(id, `${n}-${'x'.repeat(PADDING_BYTES)}`, 'sender', nowUs())
    if (outcome === 'stored') print('sent', id, n, atUs)
    // A refusal needs no disk. If all senders met nothing else, nothing of the process would ever run but they.
    else await setImmediate()
  }
}

/** Reads each box, and names all but the last of its messages as processed. */
async function processForEver(): Promise<void> {
  const processed = new Map<string, number>()
  for (;;) {
    const id = `box-${randomInt(BOXES)}`
    const atUs = processed.get(id) ?? 0
    print('naming', id, atUs)
    const messages = await store.receive(id, freshAnswer(nowUs()), atUs, 1000, nowUs())
    print('named', id, atUs)
    processed.set(id, Math.max(atUs, messages?.at(-2)?.atUs ?? 0))
  }
}

async function retireForEver(): Promise<void> {
  for (;;) {
    const id = `retired-${number++}`
    await store.check(id, 0, 'owner', nowUs())
    if ((await store.retire(id, freshAnswer(nowUs()), nowUs())) === 'retired') print('retired', id)
  }
}

for (let n = 0; n < BOXES; n++) await store.check(`box-${n}`, 0, 'owner', nowUs())
await Promise.all([...Array.from({ length: SENDERS }, sendForEver), processForEver(), retireForEver()])
