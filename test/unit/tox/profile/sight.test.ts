import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Machine } from '../../../../src/tox/profile/lock-file.ts'
import { canSeeClients } from '../../../../src/tox/profile/sight.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const WHOLE = '         0          0 4294967295\n'
const ONE_USER = '      1000       1000          1\n'
const PARENT = 77

function machine(uidMap: string | null, own: string | null, parents: string | null): Machine {
  const procDir = tempDir()
  for (const pid of ['self', String(PARENT)]) mkdirSync(join(procDir, pid, 'ns'), { recursive: true })
  if (uidMap !== null) writeFileSync(join(procDir, 'self/uid_map'), uidMap)
  if (own !== null) symlinkSync(own, join(procDir, 'self/ns/user'))
  if (parents !== null) symlinkSync(parents, join(procDir, String(PARENT), 'ns/user'))
  return { procDir, machineIdFile: '', hostname: '' }
}

test.each([
  ['in the initial user namespace', WHOLE, null, null, true],
  ["in its parent's namespace, as in a container", ONE_USER, 'user:[2]', 'user:[2]', true],
  ['in its own namespace, as under PrivateUsers', ONE_USER, 'user:[2]', 'user:[1]', false],
  ['whose parent is hidden', ONE_USER, 'user:[2]', null, false],
  ['whose namespace and parent are unknown', ONE_USER, null, null, false],
  ['with a map of two lines', `${WHOLE}1 1 1\n`, 'user:[2]', 'user:[1]', false],
  ['without /proc', null, 'user:[2]', 'user:[2]', false],
])('a process %s knows whether it can see clients', async (_where, uidMap, own, parents, sees) => {
  expect(await canSeeClients(machine(uidMap, own, parents), PARENT)).toBe(sees)
})
