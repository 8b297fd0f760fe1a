/** A state directory that is removed, moved or replaced under the running daemon, and the modes of the files in it. */
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  chmodSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP } from '../support/keeper.ts'
import { person } from '../support/person.ts'
import { removeTree } from '../support/remove-tree.ts'
import { openState } from '../support/state-dir.ts'
import { tempDir } from '../support/temp-dir.ts'

const REFUSED = 78

async function running(): Promise<{ home: string; state: string; daemon: DaemonProcess }> {
  const home = tempDir()
  const daemon = await DaemonProcess.start({ home })
  await (await daemon.connect()).call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
  // The persona gets a witness of its own after the answer. It must not be what finds the loss, nor come into a copy that is being made.
  await vi.waitFor(() => expect(readFileSync(join(home, 'run', 'witness'), 'latin1')).toMatch(/ 2\n$/), 10_000)
  return { home, state: join(home, 'state'), daemon }
}

const LOSSES: readonly (readonly [string, (state: string) => void])[] = [
  ['removed', removeTree],
  ['moved away', (state) => renameSync(state, `${state}.away`)],
  [
    'replaced by a copy',
    (state) => {
      renameSync(state, `${state}.away`)
      cpSync(`${state}.away`, state, { recursive: true, filter: (source) => !source.endsWith('LOCK') })
    },
  ],
]

describe('a state directory under the running daemon', () => {
  it.each(LOSSES)('that is %s ends the daemon, even if nothing is written', async (_, lose) => {
    const { state, daemon } = await running()
    lose(state)
    expect(await daemon.ended).toBe(REFUSED)
    expect(daemon.log.join()).toContain('STORE_MISSING')
  })

  it('whose files are removed gets nothing acknowledged, and makes no new ones', async () => {
    const { state, daemon } = await running()
    const client = await daemon.connect()
    await client.call('observe', { from: person('Eve').key('phone'), text: 'hi' })
    const bob = person('Bob')
    for (const name of readdirSync(state)) rmSync(join(state, name), { recursive: true })
    const observed = client.call('observe', { from: bob.key('phone'), text: bob.table(['phone']).text() })
    await expect(observed).rejects.toMatchObject({ code: 'STORE_MISSING' })
    expect(await daemon.ended).toBe(REFUSED)
    expect(existsSync(join(state, 'store', 'CURRENT'))).toBe(false)
  })
})

const LOST_FILES: typeof LOSSES = [
  ...LOSSES,
  ['without its anchor', (state) => rmSync(join(state, 'anchor'))],
  [
    'with another store',
    (state) => {
      renameSync(join(state, 'store'), join(state, 'away'))
      cpSync(join(state, 'away'), join(state, 'store'), { recursive: true })
    },
  ],
]

describe('a state directory under a store', () => {
  it.each(LOST_FILES)(
    'that is %s once a batch is in it gets the commit refused, and all later ones',
    async (_, lose) => {
      const state = join(tempDir(), 'state')
      let batches = 0
      const { store, close } = await openState(state, async (point, write) => {
        await write()
        // The second batch is on disk, and the anchor is not written yet.
        if (point === 'batch' && ++batches === 2) lose(state)
      })
      await store.commit([{ key: 'a/0', value: null }])
      await expect(store.commit([{ key: 'a/1', value: null }])).rejects.toMatchObject({ code: 'STORE_MISSING' })
      await expect(store.commit([{ key: 'a/2', value: null }])).rejects.toMatchObject({ code: 'STORE_STOPPED' })
      await close()
    },
  )
})

describe('a start', () => {
  it.each([
    ['STATE_DIR_SYMLINK', 'store', 'link'],
    ['STATE_DIR_SYMLINK', 'anchor', 'link'],
    ['STATE_DIR_OPEN_TO_OTHERS', 'store', 0o777],
    ['STATE_DIR_OPEN_TO_OTHERS', 'anchor', 0o666],
  ] as const)('is refused with %s for %s', async (code, name, change) => {
    const { home, state, daemon } = await running()
    await daemon.kill('SIGTERM')
    const path = join(state, name)
    if (change === 'link') {
      renameSync(path, `${path}.moved`)
      symlinkSync(`${path}.moved`, path)
    } else chmodSync(path, change)
    const refused = await DaemonProcess.start({ home })
    expect(await refused.ended).toBe(REFUSED)
    expect(refused.log.join()).toContain(code)
  })

  it('under an open umask leaves no file that others can read', async () => {
    const home = tempDir()
    const daemon = await DaemonProcess.start({ home, prefix: ['sh', '-c', 'umask 0; exec "$@"', 'sh'] })
    await (await daemon.connect()).call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
    await daemon.kill('SIGTERM')
    const state = join(home, 'state')
    const open = readdirSync(state, { recursive: true, encoding: 'utf8' }).filter(
      (name) => (statSync(join(state, name)).mode & 0o077) !== 0,
    )
    expect(open).toEqual([])
  })
})
