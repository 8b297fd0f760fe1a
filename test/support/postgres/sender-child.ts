/**
 * Sends messages into boxes of the store in the database argv[2] until it has sent argv[4], from the number argv[3] on. Prints a line for each that was
 * acknowledged, and for each that it sends again because an error left open whether it was stored.
 */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError } from '../../../src/relayd/postgres/errors.ts'
import { openPostgres, type OpenedPostgres } from '../../../src/relayd/postgres/postgres.ts'
import { FAULT_BOXES, FAULT_LIMITS } from './fault-boxes.ts'
import { MINUTE } from '../relay-stores.ts'

const SENDERS = 64
const PADDING = 'x'.repeat(600)
const RETRY_MS = 50

const [, , url = '', first = '0', count = '0'] = process.argv
const nowUs = (): number => Date.now() * 1000
const end = Number(first) + Number(count)
let next = Number(first)

async function open(): Promise<OpenedPostgres> {
  for (;;) {
    try {
      return await openPostgres(url, { limits: FAULT_LIMITS, answerUs: MINUTE, nowUs: nowUs() }, (bytes) =>
        Buffer.alloc(bytes),
      )
    } catch (error) {
      // The database starts.
      if (!(error instanceof DatabaseError)) throw error
      await sleep(RETRY_MS)
    }
  }
}

const { store } = await open()

async function send(n: number): Promise<void> {
  const box = FAULT_BOXES[n % FAULT_BOXES.length]!
  for (;;) {
    try {
      const { outcome } = await store.send(box, `${n}-${PADDING}`, 'sender', nowUs())
      if (outcome === 'stored' || outcome === 'renewed') return void writeSync(1, `sent ${n}\n`)
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error
      writeSync(1, `again ${n}\n`)
    }
    await sleep(RETRY_MS)
  }
}

async function sendAll(): Promise<void> {
  while (next < end) await send(next++)
}

await Promise.all(Array.from({ length: SENDERS }, sendAll))
await store.close()
writeSync(1, 'done\n')
