/** The keys of a persona run out: its owner makes a successor by the real programs, and the friend's daemon follows. */
import { randomInt } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Contact } from '../../src/ipc/shapes/contact.ts'
import type { EditResult, OwnTable } from '../../src/ipc/shapes/own.ts'
import type { SuccessionPlan } from '../../src/ipc/shapes/rotation.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { killAt } from '../support/kill-at.ts'
import { OWN_LAPTOP, OWN_PHONE } from '../support/keeper.ts'
import { Home } from '../support/persona.ts'
import { tempDir } from '../support/temp-dir.ts'
import { SCRIPT, Typist } from '../support/typist.ts'

const absence = existsSync(SCRIPT) ? '' : ` (skipped: no ${SCRIPT})`
const SCREEN_BEGIN = '\x1b[?1049h'
const ROUNDS = Number(process.env['SUCCESSION_KILLS'] ?? 3) // `npm run test:slow` asks for more
const WRITES_SEEN = 20 // about as many writes as the directory reports during a succession

interface Owner {
  readonly home: Home
  readonly words: readonly string[]
  readonly wordsFile: string
}

async function owner(): Promise<Owner> {
  const home = new Home()
  await home.start()
  await home.done(['init', '--device', 'laptop', '--key', OWN_LAPTOP])
  const { words } = (await home.json(['recovery', 'show'])) as { words: string[] }
  const wordsFile = join(home.directory, 'words')
  writeFileSync(wordsFile, words.join(' '), { mode: 0o600 })
  await home.done(['recovery', 'confirm'], { stdin: [1, 2, 3].map((n) => `${n} ${words[n - 1]!}`).join('\n') })
  await home.done(['device', 'add', 'phone', '--key', OWN_PHONE])
  return { home, words, wordsFile }
}

async function textOf(home: Home): Promise<string> {
  return ((await home.json(['blob'])) as { text: string }).text
}

describe('a persona whose keys run out', () => {
  test('goes on under a new one by one command, and a friend follows', async () => {
    const { home, words, wordsFile } = await owner()
    const friend = new Home()
    await friend.start()
    const old = ((await home.json(['device', 'list'])) as OwnTable).personaId
    await friend.done(['observe', await textOf(home), '--from', OWN_LAPTOP, '--name', 'Alice'])
    await home.done(['rotate', '--epoch', '13', '--words-file', wordsFile, '--yes'])
    expect(await home.done(['status'])).toContain('persona succeed')
    const last = await home.run(['rotate', '--epoch', '16', '--words-file', wordsFile, '--dry-run'])
    expect(last.stdout).toMatch(/your last key[^]*persona succeed/)
    const plan = (await home.json(['succeed', '--without', 'phone', '--dry-run'])) as SuccessionPlan
    expect(plan).toMatchObject({ personaId: old, epoch: 13, followFrom: 0, devices: [{ name: 'laptop' }] })
    expect(await home.failure(['succeed', '--words-file', wordsFile])).toBe('2 USAGE')
    const made = await home.run(['succeed', '--without', 'phone', '--words-file', wordsFile, '--yes'])
    expect(made).toMatchObject({ status: 0 })
    const { personaId } = (await home.json(['device', 'list'])) as OwnTable
    expect(made.stdout).toContain(`your persona is now ${personaId}; it follows ${old}`)
    expect(made.stdout + made.stderr).not.toContain(words.slice(0, 2).join(' '))
    await friend.done(['observe', await textOf(home), '--from', OWN_LAPTOP])
    expect((await friend.json(['contact', 'show', 'Alice'])) as Contact).toMatchObject({ personaId, epoch: 0 })
    expect(await friend.done(['log'])).toMatch(/takes the place of persona …/)
    await home.stop()
    await home.start()
    expect(await home.run(['recovery', 'check', '--words-file', wordsFile])).toMatchObject({ status: 1 })
    expect(((await home.json(['succeed', '--end'])) as EditResult).table).toMatchObject({ personaId, seq: 2 })
    expect(await home.failure(['succeed', '--end'])).toBe('1 NO_STATEMENT')
    expect(await home.failure(['succeed', '--end', '--dry-run'])).toBe('2 USAGE')
  }, 60_000)

  test.skipIf(absence !== '')(
    `shows the new words on a terminal, on a screen that disappears${absence}`,
    async () => {
      const { home, words, wordsFile } = await owner()
      const typist = new Typist(home, ['succeed', '--words-file', wordsFile])
      await typist.until('Type "yes" to confirm')
      typist.type('yes\r')
      await typist.until('your persona is now')
      await typist.until(SCREEN_BEGIN)
      const screen = await typist.until('Press Enter')
      expect(screen).not.toContain(words.slice(0, 4).join(' '))
      expect(screen).toMatch(/ 1 [a-z]+[^]*24 [a-z]+/)
      typist.type('\r')
      await typist.until('word ')
      typist.type('\r')
      await typist.until('theft protection is off')
      expect(await typist.end()).toBe(0)
    },
    60_000,
  )
})

test('a daemon killed in the middle of a succession has either the old persona or the new one, whole', async () => {
  const home = tempDir()
  let daemon = await DaemonProcess.start({ home })
  const maker = await daemon.connect()
  await maker.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
  let killed = 0
  for (let round = 0; round < ROUNDS; round++) {
    const client = await daemon.connect()
    const { personaId } = await client.call('device.list')
    const { plan } = await client.call('succession.plan')
    const { stop } = killAt(daemon, home, randomInt(1, WRITES_SEEN))
    const done = await client.call('succession.apply', { plan }).then(
      ({ table }) => table.personaId,
      () => null,
    )
    if (done === null) killed++
    if (daemon.child.exitCode === null) daemon.child.kill('SIGKILL')
    stop()
    expect(await daemon.ended).toBe('SIGKILL')
    daemon = await DaemonProcess.start({ home })
    const after = await daemon.connect()
    const table = await after.call('device.list')
    if (done !== null) expect(table.personaId).toBe(done)
    expect(table.devices).toMatchObject([{ key: OWN_LAPTOP }])
    // The seed and the key are those of the persona that the store has.
    const { words } = await after.call('recovery.show')
    expect(await after.call('recovery.check', { words: words.join(' ') })).toEqual({ belongs: true })
    await after.call('device.rename', { device: OWN_LAPTOP, name: `laptop ${round}` })
    const { text } = await after.call('blob.get')
    expect(await after.call('verify', { text })).toMatchObject({ valid: true, verdict: 'refresh' })
    if (table.personaId === personaId) expect(done).toBeNull()
    await after.close()
  }
  expect(killed).toBeGreaterThan(0)
}, 120_000)
