/**
 * Keeps and deletes objects in the data directory argv[2] until it is killed, as a relay does: a store on disk, and files. Prints a line for each
 * step before it, and after it. argv[3] is the first number of its objects.
 */
import { writeSync } from 'node:fs'
import { openObjects, PERSONA, sendObject } from './relay-object-disk.ts'
import { objectIdOf } from './relay-devices.ts'

const SENDERS = 4

const [, , directory = '', first = '1'] = process.argv
const disk = await openObjects(directory)
let number = Number(first)

// Synchronous: the outside knows what was acknowledged before anything else happens.
function print(...words: readonly (string | number)[]): void {
  writeSync(1, words.join(' ') + '\n')
}

async function work(): Promise<void> {
  for (;;) {
    const n = number++
    if ((await sendObject(disk, n)) === 'kept') print('kept', n)
    if (n % 3 !== 0) continue
    print('removing', n)
    await disk.objects.remove({ persona: PERSONA, id: objectIdOf(n) }, disk.callOf('DELETE', n), { address: 'home' })
    print('removed', n)
  }
}

await Promise.all(Array.from({ length: SENDERS }, work))
