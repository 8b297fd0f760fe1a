import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { chosenFile, findProfiles, formatOffer } from '../../../../src/cli/own/choose-profile.ts'
import { encryptSave } from '../../../../src/tox/save/esave.ts'
import { newSave } from '../../../../src/tox/save/new-profile.ts'
import { encodeSave } from '../../../../src/tox/save/savefile.ts'
import { engine, seedOf } from '../../../support/person.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { A, expectEscaped, HOSTILE } from '../../../support/views.ts'

const FOUND = [
  { file: '/tox/alice.tox', name: 'Alice', key: A },
  { file: '/tox/sealed.tox', name: '', key: null },
]

test('an own profile is found where clients keep it, also an encrypted one, and a damaged one is left out', async () => {
  const config = tempDir()
  const tox = join(config, 'tox')
  mkdirSync(tox)
  const secretKey = seedOf('device laptop')
  const save = newSave(
    { name: 'Alice', statusMessage: '', secretKey, nospam: Uint8Array.of(1, 2, 3, 4), friends: [] },
    engine,
  )
  writeFileSync(join(tox, 'a.tox'), encodeSave(save))
  writeFileSync(join(tox, 'b.tox'), await encryptSave(encodeSave(save), 'secret', engine))
  writeFileSync(join(tox, 'c.tox'), 'no profile')
  const found = await findProfiles({ HOME: tempDir(), XDG_CONFIG_HOME: config })
  expect(found).toEqual([
    { file: join(tox, 'a.tox'), name: 'Alice', key: formatHex(engine.boxPublicKey(secretKey)) },
    { file: join(tox, 'b.tox'), name: '', key: null },
  ])
})

test('the answer is a number of the list or a file, and Enter chooses none', () => {
  expect([' 1 ', '2', '~/x.tox', ''].map((answer) => chosenFile(answer, FOUND))).toEqual([
    '/tox/alice.tox',
    '/tox/sealed.tox',
    join(homedir(), 'x.tox'),
    null,
  ])
  for (const answer of ['0', '3']) expect(() => chosenFile(answer, FOUND)).toThrow(/no profile \d in the list/)
})

test('the offer names each profile with the end of its key, and an encrypted one as that', () => {
  expect(formatOffer(FOUND).slice(1)).toEqual([
    '  1  /tox/alice.tox (Alice …AAAA1111)',
    '  2  /tox/sealed.tox (encrypted)',
  ])
  expectEscaped(formatOffer([{ file: HOSTILE, name: HOSTILE, key: A }]))
})
