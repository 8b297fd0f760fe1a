/** The real daemon erases its data, and continues with that however often it is killed. */
import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP, OWN_PHONE } from '../support/keeper.ts'
import { Home } from '../support/persona.ts'
import { person } from '../support/person.ts'
import { tempDir } from '../support/temp-dir.ts'
import { SCRIPT, Typist } from '../support/typist.ts'

const ROUNDS = Number(process.env['ERASE_ROUNDS'] ?? 3) // `npm run test:slow` asks for more
const absence = existsSync(SCRIPT) ? '' : ` (skipped: no ${SCRIPT})`

/** A home with a persona of two devices and one contact. */
async function lived(): Promise<{ home: Home; personaId: string; stateDir: string }> {
  const home = new Home()
  await home.start()
  await home.done(['init', '--device', 'laptop', '--key', OWN_LAPTOP])
  await home.done(['device', 'add', 'phone', '--key', OWN_PHONE])
  const bob = person('Bob')
  await home.done(['observe', bob.table(['phone']).text(), '--from', bob.key('phone')])
  const { persona } = (await home.json(['status'])) as { persona: { personaId: string } }
  return { home, personaId: persona.personaId, stateDir: join(home.directory, 'state') }
}

describe('persona erase', () => {
  test('leaves nothing of the daemon, lists what remains elsewhere, and the next start is like a first one', async () => {
    const { home, personaId, stateDir } = await lived()
    writeFileSync(join(stateDir, 'bob.tox'), 'a profile')
    const said = await home.done(['erase', '--persona', personaId.slice(0, 8).toLowerCase()])
    expect(readdirSync(stateDir)).toEqual(['bob.tox'])
    expect(existsSync(join(home.directory, 'run'))).toBe(false)
    expect(said).toContain(`erased: ${stateDir}\n`)
    expect(said).toContain('bob.tox')
    expect(said).toMatch(/1 other device of yours still has the persona: phone/)
    expect(said).toContain('\n  persona device remove laptop --retired\n')
    for (const remaining of ['Tox profiles', 'friends', 'backups']) expect(said).toContain(remaining)
    expect(await home.failure(['status'])).toBe('3 DAEMON_UNREACHABLE')
    await home.start()
    expect(await home.json(['status'])).toMatchObject({ persona: null, counts: { contacts: 0 } })
  })

  test('erases nothing with wrong digits, or without digits and a terminal', async () => {
    const { home, personaId } = await lived()
    const other = personaId.startsWith('0') ? '1' : '0'
    expect(await home.failure(['erase', '--persona', other + personaId.slice(1, 8)])).toBe('1 ERASE_MISMATCH')
    for (const digits of ['', personaId.slice(0, 7), personaId, 'everything']) {
      expect(await home.failure(['erase', '--persona', digits])).toBe('1 CANCELLED')
    }
    expect(await home.failure(['erase'])).toBe('1 NO_TERMINAL')
    expect(await home.json(['status'])).toMatchObject({ persona: { personaId }, counts: { contacts: 1 } })
  })

  test('accepts zeros as the digits of a daemon without a persona, and erases the rest', async () => {
    const { home, stateDir } = await lived()
    const { words } = (await home.json(['recovery', 'show'])) as { words: string[] }
    await home.done(['recovery', 'confirm'], { stdin: [1, 2, 3].map((n) => `${n} ${words[n - 1]!}`).join('\n') })
    await home.done(['leave', '--yes'])
    expect(await home.json(['status'])).toMatchObject({ persona: null, counts: { contacts: 2 } })
    expect(await home.failure(['erase'])).toBe('1 NO_TERMINAL')
    expect(await home.failure(['erase', '--persona', '00000001'])).toBe('1 ERASE_MISMATCH')
    await home.done(['erase', '--persona', '00000000'])
    expect(readdirSync(stateDir)).toEqual([])
  })

  test.skipIf(absence !== '')(`asks on a terminal, having said what goes${absence}`, async () => {
    const { home, personaId, stateDir } = await lived()
    const hesitant = new Typist(home, ['erase'])
    expect(await hesitant.until('to erase it: ')).toContain('You have not confirmed the recovery words')
    hesitant.type('no\r')
    await hesitant.until('nothing was erased')
    expect(await hesitant.end()).toBe(1)
    expect(readdirSync(stateDir)).toContain('secrets')
    const typist = new Typist(home, ['erase'])
    await typist.until('to erase it: ')
    typist.type(`${personaId.slice(0, 8)}\r`)
    await typist.until('erased: ')
    expect(await typist.end()).toBe(0)
    expect(readdirSync(stateDir)).toEqual([])
  })
})

test('a daemon killed while it erases either has everything, or erases the rest when it starts again', async () => {
  const ends = { whole: 0, erased: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const home = tempDir()
    const stateDir = join(home, 'state')
    const daemon = await DaemonProcess.start({ home })
    const client = await daemon.connect()
    const { table } = await client.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
    let changesLeft = round === 0 ? 1 : randomInt(1, 24)
    const watcher = watch(stateDir, () => {
      if (--changesLeft === 0) daemon.child.kill('SIGKILL')
    })
    await client.call('persona.erase', { digits: table.personaId.slice(0, 8) }).catch(() => null)
    await daemon.ended
    watcher.close()
    const isMarked = existsSync(join(stateDir, 'erasing'))
    const next = await DaemonProcess.start({ home })
    const { persona } = await (await next.connect()).call('status')
    if (isMarked) expect(next.log.join('\n')).toContain('"persona.erased"')
    if (persona === null) ends.erased++
    else {
      expect(isMarked).toBe(false)
      expect(persona).toStrictEqual(table)
      ends.whole++
    }
    await next.kill('SIGTERM')
  }
  expect(ends.whole + ends.erased).toBe(ROUNDS)
  expect(ends.erased).toBeGreaterThan(0)
}, 60_000)
