import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readFriends } from '../../src/tox/save/friends.ts'
import { readName, readStatusMessage } from '../../src/tox/save/savefile.ts'
import { LAPTOP, putProfiles, readSave } from '../support/people.ts'
import { Home } from '../support/persona.ts'
import { Toxic, toxicAbsence } from '../support/toxic.ts'

const absence = toxicAbsence()

describe.skipIf(absence !== null)(`toxic ${absence === null ? '' : `(skipped: ${absence})`}`, () => {
  test('opens a second device, shows its Tox ID, and saves it with the blob and all friends', async () => {
    const home = new Home()
    const at = (file: string): string => join(home.directory, file)
    putProfiles(home.directory)
    await home.start()
    await home.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP])
    const made = (await home.json(['tox', 'rekey', LAPTOP, 'phone.tox', '--device', 'phone'])) as {
      toxId: string
      persona: string
    }
    expect(made.persona).toBe('published')
    const before = readSave(at('phone.tox'))
    expect(readStatusMessage(before).text).toMatch(/ persona:\S{200,}$/)

    const toxic = new Toxic(home.directory, at('phone.tox'))
    await toxic.shows(`] ${readName(before).text} `)
    toxic.type('/myid')
    await toxic.shows(made.toxId)
    expect(await home.failure(['tox', 'set', 'phone.tox', 'name', 'Somebody'])).toBe('1 TOX_CLIENT_RUNNING')
    // Make a change to see that toxic writes. It would write anyway, but then nothing would show it.
    toxic.type('/nick Changed')
    await toxic.shows('] Changed ')
    await toxic.exit()

    const after = readSave(at('phone.tox'))
    expect(readName(after).text).toBe('Changed')
    expect(readStatusMessage(after).bytes).toEqual(readStatusMessage(before).bytes)
    expect(readFriends(after)).toEqual(readFriends(before))
    const inspected = (await home.json(['tox', 'inspect', 'phone.tox'])) as {
      toxId: string
      status: { valid: boolean; listsSender: boolean }
      findings: unknown[]
    }
    expect(inspected).toMatchObject({ toxId: made.toxId, status: { valid: true, listsSender: true }, findings: [] })
  })

  test('opens a profile that we encrypted with its passphrase, and keeps it encrypted', async () => {
    const home = new Home()
    const at = (file: string): string => join(home.directory, file)
    putProfiles(home.directory)
    writeFileSync(at('word'), 'correct horse')
    await home.done(['tox', 'encrypt', LAPTOP, '--passphrase-file', 'word'])
    const toxic = new Toxic(home.directory, at(LAPTOP))
    await toxic.shows('assword')
    toxic.type('correct horse')
    await toxic.shows('] Alice ')
    toxic.type('/nick Changed')
    await toxic.shows('] Changed ')
    await toxic.exit()
    const inspect = ['tox', 'inspect', LAPTOP]
    expect(await home.failure(inspect)).toBe('1 TOX_ENCRYPTED')
    expect(await home.json([...inspect, '--passphrase-file', 'word'])).toMatchObject({
      encrypted: true,
      name: 'Changed',
      findings: [],
    })
  })
})
