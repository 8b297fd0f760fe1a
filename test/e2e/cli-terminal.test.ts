import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import type { OwnLink } from '../../src/ipc/shapes/links.ts'
import type { DaemonStatus } from '../../src/ipc/methods/status.ts'
import { BOB, keyOf, LAPTOP, putProfiles } from '../support/people.ts'
import { person } from '../support/person.ts'
import { Home } from '../support/persona.ts'
import { SCRIPT, Typist } from '../support/typist.ts'

const absence = existsSync(SCRIPT) ? '' : ` (skipped: no ${SCRIPT})`
const SCREEN_BEGIN = '\x1b[?1049h'
const SCREEN_END = '\x1b[?1049l'

let home: Home
beforeEach(async () => {
  home = new Home()
  await home.start()
})

async function theftProtection(): Promise<boolean> {
  return ((await home.json(['status'])) as DaemonStatus).theftProtection
}

/** The words by their places, out of what the screen shows. */
function wordsOn(screen: string): ReadonlyMap<number, string> {
  const words = new Map<number, string>()
  for (const [, place, word] of screen.matchAll(/(?<![\w])(\d{1,2}) ([a-z]{3,8})(?=\s)/g))
    words.set(Number(place), word!)
  return words
}

/** Types three words, each at the place that is asked for. */
async function answer(typist: Typist, words: ReadonlyMap<number, string>): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await typist.until('word ')
    const place = Number.parseInt(await typist.until(':'), 10)
    typist.type(`${words.get(place)}\r`)
  }
}

describe.skipIf(absence !== '')(`on a terminal${absence}`, () => {
  test('init shows the words on a screen that disappears, asks for three of them, and turns theft protection on', async () => {
    const typist = new Typist(home, ['init'])
    await typist.until(SCREEN_BEGIN)
    const words = wordsOn(await typist.until('Press Enter'))
    expect([...words.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, i) => i + 1))
    typist.type('\r')
    await typist.until(SCREEN_END)
    await answer(typist, words)
    await typist.until('theft protection is on')
    expect(await typist.end()).toBe(0)
    expect(await theftProtection()).toBe(true)
  })

  test('init offers the profiles of this computer, and asks for the nickname of the device', async () => {
    const tox = join(home.directory, 'config/tox')
    mkdirSync(tox, { recursive: true })
    putProfiles(tox)
    const key = formatHex(keyOf(join(tox, LAPTOP)))
    const typist = new Typist(home, ['init'], `export XDG_CONFIG_HOME=${join(home.directory, 'config')}`)
    expect(await typist.until('Which one is this device?')).toContain(`1  ${join(tox, LAPTOP)} (`)
    typist.type('1\r')
    await typist.until('Nickname of this device')
    typist.type('laptop\r')
    await typist.until('Press Enter')
    typist.type('\x03')
    await typist.until('theft protection is off')
    expect(await typist.end()).toBe(0)
    const { persona } = (await home.json(['status'])) as DaemonStatus
    expect(persona?.devices).toEqual([{ name: 'laptop', key }])
    expect(await home.json(['publish'])).toMatchObject({ profiles: [{ report: { written: true } }] })
  })

  test('Enter postpones the confirmation, and theft protection stays off', async () => {
    const typist = new Typist(home, ['init'])
    await typist.until('Press Enter')
    typist.type('\r')
    await typist.until('word ')
    typist.type('\r')
    await typist.until('theft protection is off')
    expect(await typist.end()).toBe(0)
    expect(await theftProtection()).toBe(false)
  })

  test('confirmed words and a missing persona fail before any question', async () => {
    const nobody = new Typist(home, ['leave'])
    await nobody.until('NO_PERSONA')
    expect(await nobody.end()).toBe(1)
    await home.done(['init'])
    const { words } = (await home.json(['recovery', 'show'])) as { words: string[] }
    await home.done(['recovery', 'confirm'], { stdin: [1, 2, 3].map((n) => `${n} ${words[n - 1]!}`).join('\n') })
    const again = new Typist(home, ['recovery', 'confirm'])
    await again.until('RECOVERY_CONFIRMED')
    expect(await again.end()).toBe(1)
    expect(again.all).not.toContain('word ')
  })

  test('Ctrl-C wipes the words from the screen and keeps the new persona', async () => {
    const typist = new Typist(home, ['init'])
    await typist.until('Press Enter')
    typist.type('\x03')
    await typist.until(SCREEN_END)
    await typist.until('theft protection is off')
    expect(await typist.end()).toBe(0)
    expect(((await home.json(['status'])) as DaemonStatus).persona).not.toBeNull()
  })

  test('after wrong words the questions are repeated, and the right words confirm', async () => {
    await home.done(['init'])
    const typist = new Typist(home, ['recovery', 'show'])
    const words = wordsOn(await typist.until('Press Enter'))
    typist.type('\r')
    await answer(
      typist,
      new Map(Array.from({ length: 24 }, (_, i) => [i + 1, words.get(i + 1) === 'zoo' ? 'zone' : 'zoo'])),
    )
    await typist.until('Try again')
    expect(await theftProtection()).toBe(false)
    await answer(typist, words)
    await typist.until('theft protection is on')
    expect(await typist.end()).toBe(0)
    expect(await theftProtection()).toBe(true)
  })

  test('a new passphrase is typed twice, unseen, and opens the key later', async () => {
    // Letters and digits: the recovery words on the screen could be any English words.
    const typist = new Typist(home, ['init', '--passphrase'])
    await typist.until('New passphrase: ')
    typist.type('c0rrect h0rse\r')
    await typist.until('Repeat the passphrase: ')
    typist.type('c0rrect h0rse\r')
    await typist.until('Press Enter')
    typist.type('\r')
    await typist.until('word ')
    typist.type('\r')
    expect(await typist.end()).toBe(0)
    await home.stop()
    await home.start()
    const unlocking = new Typist(home, ['unlock'])
    await unlocking.until('Passphrase of the persona: ')
    unlocking.type('c0rrect h0rse\r')
    await unlocking.until('unlocked the signing key')
    expect(await unlocking.end()).toBe(0)
    expect(typist.all + unlocking.all).not.toContain('c0rrect')
  })

  test('a locked key is unlocked in place after a wrong passphrase, and the command goes on', async () => {
    await home.done(['init', '--passphrase-file', '-'], { stdin: 'c0rrect h0rse' })
    await home.done(['device', 'add', 'desk', '--key', person('alice').key('desk')])
    await home.done(['lock'])
    const typist = new Typist(home, ['device', 'rename', 'desk', 'chair'])
    await typist.until('The signing key is locked.')
    await typist.until('Passphrase of the persona: ')
    typist.type('wr0ng\r')
    await typist.until('wrong. Try again.')
    await typist.until('Passphrase of the persona: ')
    typist.type('c0rrect h0rse\r')
    await typist.until('renamed desk')
    expect(await typist.end()).toBe(0)
    await home.done(['lock'])
    const third = new Typist(home, ['device', 'rename', 'chair', 'desk'])
    for (let attempt = 1; attempt <= 3; attempt++) {
      await third.until('Passphrase of the persona: ')
      third.type('wr0ng\r')
    }
    await third.until('SEAL_WRONG_PASSPHRASE')
    expect(await third.end()).toBe(1)
  })

  test('a wrong present passphrase is found before the new one is asked for', async () => {
    await home.done(['init', '--passphrase-file', '-'], { stdin: 'c0rrect h0rse' })
    const typist = new Typist(home, ['passphrase', 'change'])
    await typist.until('Present passphrase of the persona: ')
    typist.type('wr0ng\r')
    await typist.until('wrong. Try again.')
    await typist.until('Present passphrase of the persona: ')
    typist.type('c0rrect h0rse\r')
    await typist.until('New passphrase: ')
    typist.type('f0ur new w0rds\r')
    await typist.until('Repeat the passphrase: ')
    typist.type('f0ur new w0rds\r')
    await typist.until('the new passphrase seals')
    expect(await typist.end()).toBe(0)
  })

  test.each([['recover'], ['init', '--passphrase'], ['join']])(
    '%s finds out that there is a persona before it asks',
    async (...args) => {
      await home.done(['init'])
      const typist = new Typist(home, args)
      await typist.until('PERSONA_EXISTS')
      expect(await typist.end()).toBe(1)
      expect(typist.all).not.toMatch(/passphrase: |word 1|words from/)
    },
  )

  test('two different passphrases, Ctrl-C and Ctrl-D create no persona', async () => {
    const typist = new Typist(home, ['init', '--passphrase'])
    for (let attempt = 1; attempt <= 3; attempt++) {
      await typist.until('New passphrase: ')
      typist.type('one\r')
      await typist.until('This passphrase is short')
      await typist.until('Repeat the passphrase: ')
      typist.type('two\r')
      await typist.until(attempt === 3 ? 'PASSPHRASE_DIFFERS' : 'Try again.')
    }
    expect(await typist.end()).toBe(1)
    let count = 0
    for (const key of ['\x03', '\x04']) {
      const leaving = new Typist(home, ['init', '--passphrase'])
      await leaving.until('New passphrase: ')
      leaving.type(key)
      await leaving.until('Cancelled.')
      expect(await leaving.end()).toBe(1)
      expect(leaving.all).not.toContain('error')
      count++
    }
    expect(count).toBe(2)
    expect(((await home.json(['status'])) as DaemonStatus).persona).toBeNull()
  })

  test('a scan shows its progress on one line that disappears', async () => {
    putProfiles(home.directory)
    const typist = new Typist(home, ['tox', 'scan', join(home.directory, BOB)])
    await typist.until(`${BOB}: 0 of `)
    await typist.until('\r\x1b[K')
    await typist.until('no friend shows a persona yet')
    expect(await typist.end()).toBe(0)
  })
})

describe.skipIf(absence !== '')(`contact links on a terminal${absence}`, () => {
  test('link shows the contact link, a QR code and the safety number', async () => {
    await home.done(['init'])
    const { link } = (await home.json(['link'])) as OwnLink
    const typist = new Typist(home, ['link'], 'stty cols 80')
    await typist.until('safety number')
    expect(await typist.end()).toBe(0)
    expect(typist.all.match(/▀/g)?.length).toBeGreaterThan(100)
    expect(typist.all).toContain(link)
    const narrow = new Typist(home, ['link'], 'stty cols 40')
    await narrow.until('safety number')
    expect(await narrow.end()).toBe(0)
    expect(narrow.all).not.toContain('▀')
    expect(narrow.all).toContain(link)
  })

  test('a link with another chain asks, and for a verified contact needs --repin', async () => {
    await home.done(['init'])
    const bob = person('bob')
    await home.done(['contact', 'add', bob.thief().link(), '--name', 'Bob'])
    const no = new Typist(home, ['contact', 'add', bob.link()])
    await no.until('Type "yes"')
    no.type('no\r')
    expect(await no.end()).toBe(1)
    const yes = new Typist(home, ['contact', 'add', bob.link()])
    await yes.until('Type "yes"')
    yes.type('yes\r')
    expect(await yes.end()).toBe(0)
    const verify = new Typist(home, ['contact', 'verify', 'Bob'])
    await verify.until('(Enter alone: show it only): ')
    verify.type(`${bob.safetyNumber}\r`)
    await verify.until('verified Bob')
    expect(await verify.end()).toBe(0)
    const verified = new Typist(home, ['contact', 'add', bob.thief().link()])
    await verified.until('the one that you verified')
    await verified.until('--repin')
    expect(await verified.end()).toBe(1)
    expect(verified.all).not.toContain('Type "yes"')
  })

  test('removing a lost device asks for the reason, the epoch, consent to the table, and the words, on a screen that disappears', async () => {
    const keys = ['laptop', 'phone'].map((name) => person('alice').key(name))
    await home.done(['init', '--device', 'laptop', '--key', keys[0]!])
    await home.done(['device', 'add', 'phone', '--key', keys[1]!])
    const { words } = (await home.json(['recovery', 'show'])) as { words: string[] }
    await home.done(['recovery', 'confirm'], { stdin: [1, 2, 3].map((n) => `${n} ${words[n - 1]!}`).join('\n') })
    const typist = new Typist(home, ['device', 'remove', 'phone'])
    await typist.until('lost or retired? ')
    typist.type('lost\r')
    expect(await typist.until('Number of the next key')).toContain('no copy of your table was ever read')
    typist.type('2\r')
    expect(await typist.until('Type "yes" to confirm: ')).toMatch(/Your next key[^]*laptop[^]*left out: phone/)
    typist.type('yes\r')
    await typist.until(SCREEN_BEGIN)
    await typist.until('word 1 of 24: ')
    typist.type('notaword\r')
    await typist.until('Word 1 is not in the list')
    await typist.until('word 1 of 24: ')
    await new Promise((resolve) => setTimeout(resolve, 200))
    // The first 4 letters and Tab, then a paste of lines with numbers and commas.
    typist.type(`${words[0]!.slice(0, 4)}\t\r`)
    await typist.until('word 2 of 24: ')
    const rest = words.slice(1).map((word, i) => `${i + 2}. ${word.toUpperCase()}`)
    typist.type(`${rest.slice(0, 11).join(', ')}\r${rest.slice(11).join(', ')}.\r`)
    await typist.until(SCREEN_END)
    const screen = typist.all.lastIndexOf(SCREEN_END)
    await typist.until('rotated: your new key now signs')
    expect(await typist.end()).toBe(0)
    // One word may be an ordinary word of the output; two in a row are not.
    const pairs = words.slice(1).map((word, i) => `${words[i]!} ${word}`)
    expect(pairs.filter((pair) => typist.all.slice(screen).includes(pair))).toEqual([])
    expect(((await home.json(['status'])) as DaemonStatus).persona).toMatchObject({
      epoch: 2,
      devices: [{ name: 'laptop' }],
    })
  })

  test.each(['rotate', 'leave'])('%s is cancelled by any answer except the requested one', async (command) => {
    await home.done(['init', '--device', 'laptop', '--key', person('alice').key('laptop')])
    const { persona } = (await home.json(['status'])) as DaemonStatus
    const typist = new Typist(home, command === 'rotate' ? ['rotate', '--epoch', '1'] : ['leave'])
    await typist.until('to confirm: ')
    typist.type('no\r')
    await typist.until('Cancelled.')
    expect(await typist.end()).toBe(1)
    expect(((await home.json(['status'])) as DaemonStatus).persona).toEqual(persona)
  })
})
