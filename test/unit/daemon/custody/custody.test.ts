import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import type { SigningSeed } from '../../../../src/daemon/custody/content.ts'
import { Custody } from '../../../../src/daemon/custody/custody.ts'
import { Guesses } from '../../../../src/daemon/custody/guesses.ts'
import { forwardClock } from '../../../../src/daemon/custody/auto-lock.ts'
import { statePaths } from '../../../../src/store/state-dir.ts'
import { quickEngine as engine } from '../../../support/quick-engine.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const PASSPHRASE = 'correct horse battery staple'
const SEEDS: readonly SigningSeed[] = [0, 1, 2].map((epoch) => ({ epoch, seed: new Uint8Array(32).fill(epoch + 1) }))

function open(stateDir: string): Promise<Custody> {
  return Custody.open(statePaths(stateDir), engine, { delay: () => Promise.resolve() })
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
    await custody.importKeys(SEEDS.slice(0, 1), passphrase)
    return { stateDir, custody }
  }

  async function reopened(stateDir: string): Promise<Custody> {
    const custody = await open(stateDir)
    expect(custody.isLocked).toBe(passphrase !== null)
    if (passphrase !== null) await custody.unlock(passphrase)
    return custody
  }

  it('can be imported, without a seed', async () => {
    const { stateDir } = await adopted()
    const custody = await reopened(stateDir)
    expect(held(custody)).toStrictEqual(of(0))
    expect(custody.hasSeed).toBe(false)
    expect(readdirSync(stateDir)).toStrictEqual(['secrets'])
  })

  it('cannot be imported where secrets exist', async () => {
    const { stateDir, custody } = await adopted()
    for (const again of [custody, await open(stateDir)]) {
      await expect(again.importKeys(SEEDS, passphrase)).rejects.toMatchObject({ code: 'PERSONA_EXISTS' })
      await expect(again.create(passphrase)).rejects.toMatchObject({ code: 'PERSONA_EXISTS' })
    }
    expect(held(await reopened(stateDir))).toStrictEqual(of(0))
  })

  it('are added beside those held, then all but one erased, on disk at each return and without a passphrase', async () => {
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

  it('may all be erased, which leaves the secrets open and empty', async () => {
    const { stateDir, custody } = await adopted()
    await custody.keepOnly(1)
    for (const again of [custody, await reopened(stateDir)]) {
      expect(again).toMatchObject({ isLocked: false, hasSecrets: true })
      expect(again.epochs()).toStrictEqual([])
    }
    await custody.addKey(1, SEEDS[1]!.seed)
    expect(held(await reopened(stateDir))).toStrictEqual(of(1))
  })

  it('still sign after others were erased', async () => {
    const { custody } = await adopted()
    await custody.addKey(1, SEEDS[1]!.seed)
    const message = Uint8Array.of(1, 2, 3)
    const sign = custody.signer(1)
    await custody.keepOnly(1)
    expect(engine.verify(sign(message), message, custody.publicKey(1)!)).toBe(true)
  })
})

describe('a locked custody', () => {
  it('adds, erases and returns no key', async () => {
    const stateDir = tempDir()
    await (await open(stateDir)).importKeys(SEEDS, PASSPHRASE)
    const before = readFileSync(join(stateDir, 'secrets'))
    const custody = await open(stateDir)
    await expect(custody.addKey(3, SEEDS[0]!.seed)).rejects.toMatchObject({ code: 'LOCKED' })
    await expect(custody.keepOnly(2)).rejects.toMatchObject({ code: 'LOCKED' })
    expect(() => custody.signingSeeds()).toThrow(expect.objectContaining({ code: 'LOCKED' }))
    expect(custody.epochs()).toStrictEqual([])
    expect(readFileSync(join(stateDir, 'secrets')).equals(before)).toBe(true)
  })
})

describe('the time that the secrets are open', () => {
  interface Timed {
    readonly custody: Custody
    readonly clock: { sec: number }
    readonly told: [boolean, string][]
  }

  async function timed(): Promise<Timed> {
    const clock = { sec: 1000 }
    const told: [boolean, string][] = []
    const options = { delay: () => Promise.resolve(), nowMs: (): number => clock.sec * 1000 }
    const custody = await Custody.open(statePaths(tempDir()), engine, options)
    custody.watch({ failed: () => {}, lockChanged: (locked, cause) => told.push([locked, cause]) })
    await custody.importKeys(SEEDS, PASSPHRASE)
    return { custody, clock, told }
  }

  it.each([
    [599, false],
    [600, true],
    [601, true],
  ])('ends without a use: after %d s locked is %s', async (sec, isLocked) => {
    const { custody, clock, told } = await timed()
    expect(custody.expiresInMs()).toBe(600_000)
    clock.sec += sec
    custody.expire()
    expect(custody.isLocked).toBe(isLocked)
    expect(told).toStrictEqual(isLocked ? [[true, 'idle']] : [])
    expect(custody.expiresInMs()).toBe(isLocked ? null : 1000)
  })

  it('continues with each use, but ends at 7200 s', async () => {
    const { custody, clock, told } = await timed()
    let uses = 0
    for (clock.sec += 599; clock.sec < 8200; clock.sec += 599, uses++) {
      custody.expire()
      custody.signer(0)
    }
    expect(uses).toBe(12)
    clock.sec = 8199
    custody.expire()
    expect(custody.isLocked).toBe(false)
    clock.sec = 8200
    custody.expire()
    expect(told).toStrictEqual([[true, 'ttl']])
  })

  it('is checked by each use, even if no timer ran', async () => {
    const { custody, clock } = await timed()
    clock.sec += 600
    expect(() => custody.signingSeeds()).toThrow(expect.objectContaining({ code: 'LOCKED' }))
    await custody.unlock(PASSPHRASE)
    clock.sec += 600
    await expect(custody.addKey(3, SEEDS[0]!.seed)).rejects.toMatchObject({ code: 'LOCKED' })
  })

  it('starts anew with each unlock, and follows the configuration', async () => {
    const { custody, clock, told } = await timed()
    custody.lock('request')
    clock.sec += 10_000
    await custody.unlock(PASSPHRASE)
    expect(custody.expiresInMs()).toBe(600_000)
    custody.limitOpenTime({ idleSec: 50, atMostSec: 20 })
    expect(custody.expiresInMs()).toBe(20_000)
    expect(told).toStrictEqual([
      [true, 'request'],
      [false, 'unlock'],
    ])
  })

  it('has no end if no passphrase could open them again', async () => {
    const { custody, clock } = await timed()
    await custody.changePassphrase(PASSPHRASE, null)
    clock.sec += 1_000_000
    custody.expire()
    expect(custody.expiresInMs()).toBeNull()
    expect(custody.isLocked).toBe(false)
    for (const cause of ['request', 'signal'] as const) {
      expect(() => custody.lock(cause)).toThrow(expect.objectContaining({ code: 'NO_PASSPHRASE' }))
    }
  })

  it('follows whichever clock advanced more, so that neither sleep nor a clock set back extends it', () => {
    const [steady, wall] = [{ ms: 0 }, { ms: 0 }]
    const now = forwardClock(
      () => steady.ms,
      () => wall.ms,
    )
    const steps: [number, number, number][] = [
      [10, 10, 10],
      [10, 500, 500],
      [20, -9000, 510],
      [30, -9000, 520],
      [30, -8990, 530],
    ]
    for (const [steadyMs, wallMs, total] of steps) {
      ;[steady.ms, wall.ms] = [steadyMs, wallMs]
      expect(now()).toBe(total)
    }
    expect(steps).toHaveLength(5)
  })
})

describe('passphrases being tried', () => {
  it('wait at most 10 s, and start again at 0 after the right one', async () => {
    const stateDir = tempDir()
    await (await open(stateDir)).importKeys(SEEDS, PASSPHRASE)
    const delays: number[] = []
    const guesses = new Guesses((seconds) => {
      delays.push(seconds)
      return Promise.resolve()
    })
    const wrong = (): Promise<void> => Promise.reject(new Error('wrong'))
    for (let i = 0; i < 102; i++) await expect(guesses.run(() => true, wrong)).rejects.toThrow('wrong')
    expect(delays.slice(0, 3)).toStrictEqual([0, 0.1, 0.2])
    expect(delays.slice(99)).toStrictEqual([9.9, 10, 10])
    await guesses.run(
      () => true,
      () => Promise.resolve(),
    )
    await expect(guesses.run(() => true, wrong)).rejects.toThrow('wrong')
    expect(delays.at(-1)).toBe(0)
  })

  it('number at most 8, and more are refused at once', async () => {
    const guesses = new Guesses(() => Promise.resolve())
    let go = (): void => {}
    const gate = new Promise<void>((done) => (go = done))
    const take = (): Promise<void> =>
      guesses.run(
        () => true,
        () => gate,
      )
    const waiting = Array.from({ length: 8 }, take)
    await expect(take()).rejects.toMatchObject({ code: 'TOO_MANY_GUESSES' })
    go()
    await Promise.all(waiting)
    await take()
  })

  it('open nothing that was locked meanwhile', async () => {
    const stateDir = tempDir()
    await (await open(stateDir)).importKeys(SEEDS, PASSPHRASE)
    const custody = await open(stateDir)
    const unlock = custody.unlock(PASSPHRASE)
    await new Promise((done) => setImmediate(done))
    custody.lock('signal')
    await expect(unlock).rejects.toMatchObject({ code: 'LOCKED' })
    expect(custody.isLocked).toBe(true)
    await custody.unlock(PASSPHRASE)
  })
})
