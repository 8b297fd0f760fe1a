/** The words of the demo: steps and checks that it prints, and what several of its scenes do. */
import { join } from 'node:path'
import type { InspectReport } from '../src/cli/tox/inspect.ts'
import { deliver, statusOf, toxPkOf } from './demo-profiles.ts'
import type { Person, WhoIs } from './demo-stage.ts'

let scenes = 0
let checks = 0

/** @returns how many results were checked so far */
export function checkCount(): number {
  return checks
}

/** A numbered step of the story, in words. */
export function scene(title: string, ...lines: readonly string[]): void {
  console.log(`\n${++scenes}. ${title}`)
  for (const line of lines) console.log(`   ${line}`)
}

/** Checks a result of the step, and prints it. @throws {Error} when it does not hold */
export function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`this does not hold: ${what}`)
  checks++
  console.log(`   => ${what}`)
}

/** Checks the output of the app. @throws {Error} when it does not print this */
export async function checkPrinted(what: string, app: WhoIs, wanted: RegExp): Promise<void> {
  check(what, await app.prints(wanted))
}

/** The people of the story, and their keys. */
export interface Cast {
  readonly alice: Person
  readonly bob: Person
  readonly laptop: string
  readonly phone: string
  /** Bob's profile. */
  readonly bobFile: string
}

export function keysOf(devices: readonly { readonly key: string }[]): string {
  return devices.map((device) => device.key).join(' ')
}

/** Publishes the own table in a profile, and checks what friends will see. */
export async function publish(alice: Person, file: string): Promise<void> {
  const words = statusOf(join(alice.dir, file)).split(/ ?persona:/)[0]
  await alice.types('tox', 'publish', file)
  const { status } = await alice.asks<InspectReport>('tox', 'inspect', file)
  check(
    `${file} shows the signed table, and Alice's own words as before: "${words}"`,
    status.valid && status.listsSender === true && status.words === words && !status.overLimit,
  )
}

/** Simulates Tox: no Tox client runs here. */
export function carry({ alice, bobFile }: Cast, file: string): void {
  console.log(`   (Simulated: Tox carries it. Alice's client would now show the status message of ${file},`)
  console.log("   and Bob's client would save it in his profile. No Tox client runs in this demo: it copies the text")
  console.log('   into the record of that device in bob.tox, as if seen just now.)')
  const path = join(alice.dir, file)
  deliver(statusOf(path), toxPkOf(path), bobFile)
}
