import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatHex } from '../../../src/core/bytes.ts'
import { Custody, type SigningSeed } from '../../../src/daemon/custody.ts'
import { statePaths } from '../../../src/store/state-dir.ts'
import { engine } from '../../support/person.ts'
import { tempDir } from '../../support/temp-dir.ts'

const PASSPHRASE = 'correct horse battery staple'
const SEEDS: readonly SigningSeed[] = [0, 1, 2].map((epoch) => ({ epoch, seed: new Uint8Array(32).fill(epoch + 1) }))

function open(stateDir: string): Promise<Custody> {
  return Custody.open(statePaths(stateDir), engine, () => Promise.resolve())
}

function held(custody: Custody): [number, string][] {
  return custody.signingSeeds().map(({ epoch, seed }) => [epoch, formatHex(seed)])
}

function of(...epochs: number[]): [number, string][] {
  return epochs.map((epoch) => [epoch, formatHex(SEEDS[epoch]!.seed)])
}

describe.each([
  ['unsealed', null],
  ['sealed by a passphrase', PASSPHRASE],
])('the signing keys, %s,', (_, passphrase) => {
  async function adopted(): Promise<{ stateDir: string; custody: Custody }> {
    const stateDir = tempDir()
    const custody = await open(stateDir)
    await custody.adopt(SEEDS.slice(0, 1), passphrase)
    return { stateDir, custody }
  }

  async function reopened(stateDir: string): Promise<Custody> {
    const custody = await open(stateDir)
    expect(custody.isLocked).toBe(passphrase !== null)
    if (passphrase !== null) await custody.unlock(passphrase)
    return custody
  }

  it('come from elsewhere, and bring no seed', async () => {
    const { stateDir } = await adopted()
    const custody = await reopened(stateDir)
    expect(held(custody)).toStrictEqual(of(0))
    expect(custody.hasSeed).toBe(false)
    expect(readdirSync(stateDir)).toStrictEqual(['secrets'])
  })

  it('are not taken from elsewhere where there are some', async () => {
    const { stateDir, custody } = await adopted()
    for (const again of [custody, await open(stateDir)]) {
      await expect(again.adopt(SEEDS, passphrase)).rejects.toMatchObject({ code: 'PERSONA_EXISTS' })
      await expect(again.create(passphrase)).rejects.toMatchObject({ code: 'PERSONA_EXISTS' })
    }
    expect(held(await reopened(stateDir))).toStrictEqual(of(0))
  })

  it('are added beside those held and erased but one, each on disk when it returns, and no passphrase is asked', async () => {
    const { stateDir, custody } = await adopted()
    await custody.addKey(1, SEEDS[1]!.seed)
    expect(formatHex(SEEDS[1]!.seed)).toBe('02'.repeat(32))
    expect(custody.epochs()).toStrictEqual([0, 1])
    expect(held(await reopened(stateDir))).toStrictEqual(of(0, 1))
    await Promise.all([custody.addKey(2, SEEDS[2]!.seed), custody.keepOnly(2)])
    expect(held(custody)).toStrictEqual(of(2))
    expect(() => custody.signer(1)).toThrow(expect.objectContaining({ code: 'KEY_SUPERSEDED' }))
    expect(held(await reopened(stateDir))).toStrictEqual(of(2))
  })

  it('may all be erased, and the secrets are then open and hold none', async () => {
    const { stateDir, custody } = await adopted()
    await custody.keepOnly(1)
    for (const again of [custody, await reopened(stateDir)]) {
      expect(again).toMatchObject({ isLocked: false, hasSecrets: true })
      expect(again.epochs()).toStrictEqual([])
    }
    await custody.addKey(1, SEEDS[1]!.seed)
    expect(held(await reopened(stateDir))).toStrictEqual(of(1))
  })

  it('sign after others were erased', async () => {
    const { custody } = await adopted()
    await custody.addKey(1, SEEDS[1]!.seed)
    const message = Uint8Array.of(1, 2, 3)
    const sign = custody.signer(1)
    await custody.keepOnly(1)
    expect(engine.verify(sign(message), message, custody.publicKey(1)!)).toBe(true)
  })
})

describe('while it is locked', () => {
  it('no key is added, erased or given out', async () => {
    const stateDir = tempDir()
    await (await open(stateDir)).adopt(SEEDS, PASSPHRASE)
    const before = readFileSync(join(stateDir, 'secrets'))
    const custody = await open(stateDir)
    await expect(custody.addKey(3, SEEDS[0]!.seed)).rejects.toMatchObject({ code: 'LOCKED' })
    await expect(custody.keepOnly(2)).rejects.toMatchObject({ code: 'LOCKED' })
    expect(() => custody.signingSeeds()).toThrow(expect.objectContaining({ code: 'LOCKED' }))
    expect(custody.epochs()).toStrictEqual([])
    expect(readFileSync(join(stateDir, 'secrets')).equals(before)).toBe(true)
  })
})
