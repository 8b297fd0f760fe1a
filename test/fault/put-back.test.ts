/** A state directory that another program put back over itself (docs/backup.md, section 4). */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP, OWN_PHONE } from '../support/keeper.ts'
import { tempDir } from '../support/temp-dir.ts'

function copy(...args: string[]): void {
  expect(spawnSync('cp', args)).toMatchObject({ status: 0 })
}

interface Started {
  readonly codes: readonly string[]
  readonly seq: number
  /** Adds a device, and returns the code of the refusal. */
  readonly add: () => Promise<string>
  readonly stop: () => Promise<unknown>
}

async function start(home: string): Promise<Started> {
  const daemon = await DaemonProcess.start({ home })
  const client = await daemon.connect()
  const { findings, persona } = await client.call('status')
  if (persona === null) await client.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
  return {
    codes: findings.map(({ code }) => code),
    seq: persona?.seq ?? 1,
    add: () =>
      client.call('device.add', { name: 'phone', key: OWN_PHONE }).then(
        () => 'added',
        (error: unknown) => String((error as { code?: unknown }).code),
      ),
    stop: () => daemon.kill('SIGTERM'),
  }
}

/** A home with a persona, and a copy of its state at table 1; the daemon has signed table 2 since. */
async function wentOn(): Promise<{ home: string; state: string; backup: string }> {
  const home = tempDir()
  const [state, backup] = [join(home, 'state'), join(home, 'backup')]
  await (await start(home)).stop()
  copy('-a', state, backup)
  const daemon = await start(home)
  expect(daemon.seq).toBe(1)
  expect(await daemon.add()).toBe('added')
  await daemon.stop()
  return { home, state, backup }
}

async function isNoticed(home: string): Promise<void> {
  const daemon = await start(home)
  expect(daemon.seq).toBe(1)
  expect(daemon.codes).toContain('RESTORE_UNRECONCILED')
  // Otherwise it would sign another table 2.
  expect(await daemon.add()).toBe('RESTORE_UNRECONCILED')
  await daemon.stop()
}

/** Makes the directory the same as the copy, as `rsync -a --delete` does; a file that is in both keeps its number. */
function mirror(backup: string, state: string): void {
  for (const name of readdirSync(state, { recursive: true, encoding: 'utf8' }))
    if (!existsSync(join(backup, name))) rmSync(join(state, name), { recursive: true, force: true })
  copy('-a', `${backup}/.`, state)
}

it('made the same as an older copy is noticed, and no number is used twice', async () => {
  const { home, state, backup } = await wentOn()
  mirror(backup, state)
  await isNoticed(home)
})

it('is noticed without the witness outside too, as after a restart of the machine', async () => {
  const { home, state, backup } = await wentOn()
  mirror(backup, state)
  rmSync(join(home, 'run'), { recursive: true, force: true })
  await isNoticed(home)
})

it.each(process.env['STORIES'] === undefined ? ['-a'] : ['-a', '-r'])(
  'with files of both, after cp %s over it, loses nothing or is refused',
  async (flags) => {
    const { home, state, backup } = await wentOn()
    copy(flags, `${backup}/.`, state)
    // LevelDB's newer log was not overwritten, and goes on where the older one ends.
    const daemon = await start(home)
    expect(daemon.seq).toBe(2)
    await daemon.stop()
    // Now that log is a table, which the older files do not name; the newest log shows the gap.
    copy(flags, `${backup}/.`, state)
    const refused = await DaemonProcess.start({ home })
    expect(await refused.ended).toBe(78)
    expect(refused.log.join()).toContain('STORE_CORRUPT')
  },
)

it('copied while the daemon ran, and put back without a start in between, is noticed', async () => {
  const home = tempDir()
  const [state, backup] = [join(home, 'state'), join(home, 'backup')]
  await (await start(home)).stop()
  const daemon = await start(home)
  copy('-a', state, backup)
  expect(await daemon.add()).toBe('added')
  await daemon.stop()
  mirror(backup, state)
  rmSync(join(home, 'run'), { recursive: true, force: true })
  await isNoticed(home)
})

it('is not taken for one that was only stopped, killed, or given tighter modes', async () => {
  const { home, state } = await wentOn()
  const daemon = await DaemonProcess.start({ home })
  await daemon.kill('SIGKILL')
  spawnSync('chmod', ['-R', 'go=', state])
  const next = await start(home)
  expect(next.codes).not.toContain('RESTORE_UNRECONCILED')
  await next.stop()
})
