/** A program: opens the relay's store in argv[2], and checks argv[3] boxes. Prints JSON. */
import { openLevelRelayStore } from '../src/relayd/records/level-relay-store.ts'
import { boxId, NO_LIMITS } from './relay-limits.ts'

const [, , directory = '', boxes = '0'] = process.argv
const nowUs = Date.now() * 1000
const started = performance.now()
const store = await openLevelRelayStore(directory, { limits: NO_LIMITS, answerUs: 60_000_000, nowUs })
await store.stats()
const openedAt = performance.timeOrigin + performance.now()
const openMs = performance.now() - started
const residentMiB = process.memoryUsage.rss() / (1 << 20)
for (let n = 0; n < Number(boxes); n++) await store.check(boxId(n), 0, 'owner', nowUs)
console.log(JSON.stringify({ openedAt, openMs, residentMiB, usedMiB: process.memoryUsage.rss() / (1 << 20) }))
await store.close()
