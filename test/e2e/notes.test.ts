/** examples/notes.py on the daemons of two people, one of them with two devices, over a real relay. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Correspondent, inboxRelay, joined, makeContacts } from '../support/message-sides.ts'

const NOTES = resolve(import.meta.dirname, '../../examples/notes.py')
const APP = 'org.example.notes'
const TIMEOUT_MS = 180_000 // sanity: some ten seconds on an idle machine, of which a second try of a fetch may wait five
const hasPython = spawnSync('python3', ['--version']).status === 0

/** The lines that an app prints, one at a time. */
type Lines = () => Promise<string>

async function startNotes({ home, client }: Correspondent, ...args: readonly string[]): Promise<Lines> {
  const { token } = await client.call('app.allow', { name: 'notes', can: ['message', 'read'], as: APP })
  const child = spawn('python3', [NOTES, join(home, 'run', 'app.sock'), ...args], {
    env: { ...process.env, NOTES_TOKEN: token },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stderr.pipe(process.stderr)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async () => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`notes.py ended: ${String(await once(child, 'exit'))}`)
    return value
  }
}

test.skipIf(!hasPython)(
  `a note is printed once on each device of the recipient, and on the other device of its sender${hasPython ? '' : ' (skipped: no python3)'}`,
  async () => {
    const relay = await inboxRelay()
    const [alice, bob] = await Promise.all([Correspondent.start(relay), Correspondent.start(relay)])
    await makeContacts(alice, bob)
    const tablet = await joined(bob, relay)
    const tail = ({ persona }: Correspondent): string => `...${persona.slice(-8)}`
    const onLaptop = await startNotes(bob)
    expect(await onLaptop()).toContain('notes come to')
    const onTablet = await startNotes(tablet)
    expect(await onTablet()).toContain('notes come to')

    const ofAlice = await startNotes(alice, bob.persona, 'dinner at eight?')
    expect(await ofAlice()).toContain('notes come to')
    for (const lines of [onLaptop, onTablet])
      expect(await lines()).toMatch(new RegExp(`${tail(alice)} to .*${tail(bob)}: 'dinner at eight\\?'$`))
    // A receipt may come before the answer of the inbox, so the states before it need not all be seen.
    const states: string[] = []
    while (states.at(-1) !== 'note 1 received') states.push(await ofAlice())
    expect(states.filter((line) => !/^note 1 (stored|notified|received)$/.test(line))).toEqual([])

    await tablet.put(APP, alice, 'at nine')
    for (const lines of [ofAlice, onLaptop])
      expect(await lines()).toMatch(new RegExp(`${tail(bob)} to .*${tail(alice)}: 'at nine'$`))
  },
  TIMEOUT_MS,
)
