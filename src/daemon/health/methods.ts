/** Answers `doctor` (docs/ipc.md, section 3): gathers the state once for all checks. */
import type { Sighting } from '../../core/consent.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import { diagnose } from './doctor.ts'
import { verifyHistory } from '../state/history.ts'
import type { About } from './status.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { seedState } from '../own/seed.ts'
import { isProtected, NO_STANDING, standingOf } from '../own/standing.ts'
import type { OpenWing } from '../wing/wing.ts'
import { OWN } from '../state/own-record.ts'
import { listAlarms } from '../keeper/alarms.ts'
import type { Examined } from './examined.ts'

export type DoctorMethods = Pick<Methods, 'doctor'>

/** @param coreDumps the reasons why a crash could write one: see forbidCoreDumps */
export function doctorHandlers(
  keeper: Keeper,
  wings: readonly Pick<OpenWing, 'findings' | 'sees'>[],
  coreDumps: readonly string[],
  about: () => About,
): Handlers<DoctorMethods> {
  return {
    doctor: async () => {
      const examined = await examine(keeper, wings, coreDumps, about())
      const ofWings = await Promise.all(wings.map(async (wing) => (await wing.findings?.()) ?? []))
      return diagnose(examined, ofWings.flat())
    },
  }
}

async function examine(
  keeper: Keeper,
  wings: readonly Pick<OpenWing, 'sees'>[],
  coreDumps: readonly string[],
  about: About,
): Promise<Examined> {
  const [alarms, history, waiting] = [
    await listAlarms(keeper),
    await verifyHistory(keeper.onDisk, keeper.engine),
    await countWaiting(keeper),
  ]
  const { ownTable: table, custody, onDisk } = keeper
  const own = onDisk.own.get(OWN)
  custody.expire()
  return {
    table,
    standing:
      own === undefined
        ? NO_STANDING
        : standingOf(own, keeper.ownPersona(), custody.isLocked ? null : custody.epochs()),
    isLocked: custody.isLocked,
    sealing: custody.mode,
    theftProtection: isProtected(own, keeper.ownTable ?? undefined),
    seed: seedState(keeper),
    clock: keeper.clock(),
    engine: keeper.engine.name,
    storeKind: about.storeKind,
    storeSchema: about.storeSchema,
    coreDumps,
    shown: new Map(table?.devices.map(({ key }) => [key, shownBy(key, keeper, wings)])),
    alarms,
    history,
    waiting,
  }
}

async function countWaiting({ onDisk }: Keeper): Promise<Examined['waiting']> {
  let [contacts, apps] = [0, 0]
  for await (const [, { kinds }] of onDisk.pending.iterate()) contacts += kinds.length
  for await (const [, { asks, revoking }] of onDisk.apps.iterate()) if (asks !== null && !revoking) apps++
  return { contacts, apps }
}

/** A wing that sees the device right now wins over the reports. */
function shownBy(key: string, keeper: Keeper, wings: readonly Pick<OpenWing, 'sees'>[]): Sighting | null {
  for (const wing of wings) {
    const sighting = wing.sees?.(key) ?? null
    if (sighting !== null) return sighting
  }
  return keeper.shownBy(key)
}
