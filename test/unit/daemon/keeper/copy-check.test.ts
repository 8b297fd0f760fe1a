import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Place } from '../../../../src/daemon/keeper/copy-check.ts'
import { openLog } from '../../../../src/process/log.ts'
import { statePaths } from '../../../../src/store/state-dir.ts'
import { identityOf, readOutside, writeOutside } from '../../../../src/store/witness.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const MACHINE = '0123456789abcdef0123456789abcdef\n'

/** A machine with a state directory and a run directory, whose daemon starts again and again. */
class Machine {
  readonly directory = tempDir()
  readonly paths = statePaths(join(this.directory, 'state'))
  readonly outside = join(this.directory, 'run', 'witness')
  readonly #machineIdFile = join(this.directory, 'machine-id')
  readonly place = new Place({
    paths: this.paths,
    outside: this.outside,
    log: openLog({ level: 'error' }),
    machineIdFile: this.#machineIdFile,
  })
  keeper!: TestKeeper

  static async withPersona(machineId: string = MACHINE): Promise<Machine> {
    const machine = new Machine()
    machine.setId(machineId)
    mkdirSync(machine.paths.witness, { recursive: true, mode: 0o700 })
    writeFileSync(machine.paths.anchor, 'anchor')
    machine.keeper = await TestKeeper.open({ stateDir: join(machine.directory, 'state'), place: machine.place })
    await machine.keeper.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
    return machine
  }

  setId(id: string): void {
    writeFileSync(this.#machineIdFile, id)
  }

  /** Starts again. @returns when the state was copied, by its own clock; null if it was not */
  async start(): Promise<number | null> {
    const { stateDir, store, nowSec } = this.keeper
    this.keeper = await TestKeeper.open({ stateDir, store, nowSec: nowSec + 10, place: this.place })
    return this.keeper.records.own.get('own')!.restoredSec
  }

  /** The one witness. */
  get witness(): string {
    const names = readdirSync(this.paths.witness)
    expect(names).toHaveLength(1)
    return join(this.paths.witness, names[0]!)
  }
}

describe('a state that was copied', () => {
  it('is noticed by another machine, and signs nothing before it was reconciled (attack 24)', async () => {
    const machine = await Machine.withPersona()
    expect([await machine.start(), await machine.start()]).toEqual([null, null])
    machine.setId('another')
    const noticedSec = await machine.start()
    expect(noticedSec).toEqual(expect.any(Number))
    // Noticed once, and remembered.
    expect(await machine.start()).toBe(noticedSec)
  })

  it('is recognized by its files alone where a machine has no id', async () => {
    const machine = await Machine.withPersona('')
    expect(await machine.start()).toBeNull()
    machine.setId(MACHINE)
    expect(await machine.start()).toBeNull()
    machine.setId('')
    expect(await machine.start()).toBeNull()
    rmSync(machine.witness)
    expect(await machine.start()).not.toBeNull()
  })

  it('is noticed by a witness that was copied, under the same name', async () => {
    const machine = await Machine.withPersona()
    const { witness } = machine
    copyFileSync(witness, `${witness}.copy`)
    renameSync(`${witness}.copy`, witness)
    expect(await machine.start()).not.toBeNull()
  })

  it('is noticed by the witness outside alone, if that one is of this store and has gone further', async () => {
    const machine = await Machine.withPersona()
    const { store, times } = (await readOutside(machine.outside))!
    expect(await machine.start()).toBeNull()
    expect(await readOutside(machine.outside)).toEqual({ store, times: times + 1 })
    await writeOutside(machine.outside, { store: 'f'.repeat(32), times: times + 50 })
    expect(await machine.start()).toBeNull()
    for (const text of ['', 'damaged\n', `${store} -1\n`]) {
      writeFileSync(machine.outside, text)
      expect(await machine.start()).toBeNull()
    }
    await writeOutside(machine.outside, { store, times: times + 50 })
    const noticedSec = await machine.start()
    expect(noticedSec).not.toBeNull()
    expect(await machine.start()).toBe(noticedSec)
  })

  it('goes on once another device shows the table', async () => {
    const laptop = await Machine.withPersona()
    await laptop.keeper.call('device.add', { name: 'phone', key: OWN_PHONE })
    const text = await ownText(laptop.keeper)
    laptop.setId('another')
    await laptop.start()
    await expect(laptop.keeper.call('device.rename', { device: 'phone', name: 'mobile' })).rejects.toThrow(
      /restored from a backup or copied/,
    )
    await laptop.keeper.later(60).sees(OWN_PHONE, text)
    await laptop.keeper.call('device.rename', { device: 'phone', name: 'mobile' })
  })
})

it('a new witness replaces the one before, also that of a crash', async () => {
  const machine = await Machine.withPersona()
  const first = machine.witness
  writeFileSync(join(machine.paths.witness, '0'.repeat(32)), '')
  await machine.place.renew(machine.keeper.keeper)
  expect(machine.witness).not.toBe(first)
  // The keeper reads its own store, so a later start finds this one.
  expect(await machine.start()).toBeNull()
})

it('changes that come while a witness is being made share the next one', async () => {
  const machine = await Machine.withPersona()
  const { keeper } = machine.keeper
  const before = (await readOutside(machine.outside))!
  const first = machine.place.renew(keeper)
  await Promise.resolve() // it has begun
  await Promise.all([first, ...Array.from({ length: 5 }, () => machine.place.renew(keeper))])
  expect(await readOutside(machine.outside)).toEqual({ store: before.store, times: before.times + 2 })
  expect(await machine.start()).toBeNull()
})

it('a store of an earlier version names the anchor, which is compared once more', async () => {
  const machine = await Machine.withPersona()
  const { records, keeper } = machine.keeper
  const old = { ...records.places.get('here')!, file: (await identityOf(machine.paths.anchor))! }
  delete (old as { store?: string }).store
  await keeper.change(() => keeper.state.stage(records.places.put('here', old)))
  expect(await machine.start()).toBeNull()
  await machine.keeper.keeper.change(() =>
    machine.keeper.keeper.state.stage(records.places.put('here', { ...old, file: '7 7' })),
  )
  expect(await machine.start()).not.toBeNull()
})

it('of the machine only a hash is kept', async () => {
  const machine = await Machine.withPersona()
  expect(JSON.stringify(machine.keeper.records.places.get('here'))).not.toContain(MACHINE.trim())
})

it('the keys of a persona are kept if a store from before it was put back beside them', async () => {
  const machine = await Machine.withPersona()
  const { keeper, records, stateDir, store } = machine.keeper
  await keeper.change(() => keeper.state.removeOwn())
  rmSync(machine.witness)
  await expect(TestKeeper.open({ stateDir, store, place: machine.place })).rejects.toMatchObject({
    code: 'SECRETS_FOREIGN',
  })
  expect(records.own.get('own')).toBeUndefined()
  expect(readdirSync(stateDir)).toContain('secrets')
})
