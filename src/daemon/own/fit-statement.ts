/** Decides what fits into the first table of a successor, beside its devices and the statement (docs/format.md, sections 6 and 14). Pure. */
import { NO_SETTINGS, SETTING_KEYS, withSetting, type Settings } from '../../core/document.ts'
import type { Device } from '../../core/table.ts'
import type { GaveUp } from '../../ipc/shapes/own.ts'
import { OwnPersonaError } from './errors.ts'
import { whatToGiveUp } from './rotation-plan.ts'

const FIRST_EPOCH = 0

/** The settings that the table keeps, and from which epoch contacts can judge its statement. */
export interface FittedStatement {
  readonly settings: Settings
  /** 0..15 */
  readonly followFrom: number
  readonly gaveUp: GaveUp[]
}

/**
 * A setting goes where it would cost a link of the statement: a contact who cannot judge the statement never follows, and the owner can set
 * the setting again. Nicknames go only where no form of the statement fits beside them.
 * @param wanted settings that a rotation would keep
 * @param forms the forms of the statement, the longest first
 * @throws {OwnPersonaError} ROTATION_TOO_LARGE
 */
export function fitStatement(
  devices: readonly Device[],
  wanted: Settings,
  named: boolean,
  forms: readonly string[],
): FittedStatement {
  for (const isNamed of named ? [true, false] : [false]) {
    const followFrom = forms.findIndex((form) => fits(devices, NO_SETTINGS, isNamed, form))
    if (followFrom < 0) continue
    const settings = fewer(wanted).find((some) => fits(devices, some, isNamed, forms[followFrom]!)) ?? NO_SETTINGS
    const isLess = SETTING_KEYS.some((key) => wanted[key] !== undefined && settings[key] === undefined)
    const gaveUp: GaveUp[] = [
      ...(named && !isNamed ? (['names'] as const) : []),
      ...(isLess ? (['settings'] as const) : []),
    ]
    return { settings, followFrom, gaveUp }
  }
  return { settings: NO_SETTINGS, followFrom: 0, gaveUp: whatToGiveUp(FIRST_EPOCH, devices, NO_SETTINGS, false, forms) }
}

/** The settings, then one less each time, in the order in which a table gives them up. */
function fewer(settings: Settings): Settings[] {
  const all = [settings]
  for (const key of SETTING_KEYS.toReversed()) all.push(withSetting(all.at(-1)!, key, null))
  return all
}

/** Whether all of this fits as it is. */
function fits(devices: readonly Device[], settings: Settings, named: boolean, form: string): boolean {
  try {
    return whatToGiveUp(FIRST_EPOCH, devices, settings, named, [form]).length === 0
  } catch (error) {
    if (error instanceof OwnPersonaError) return false
    throw error
  }
}
