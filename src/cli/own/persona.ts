/** `persona init` and `persona unlock`: creates the persona, and unlocks its signing key. */
import { checkNickname } from '../../core/nickname.ts'
import type { Client } from '../../ipc/client.ts'
import type { InitParams } from '../../ipc/methods/own.ts'
import { unlockWith, withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { checkNoPersona } from './checks.ts'
import { keyOf, type KeyOptions } from './device.ts'
import { rememberProfile } from './own-profile.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { showName } from '../io/escape.ts'
import { SHOW_FRIENDS } from '../io/next-steps.ts'
import { askNewPassphrase } from '../io/passphrase.ts'
import { isInteractive } from '../io/prompt.ts'
import { rehearse, UNPROTECTED } from './recovery.ts'

export interface InitOptions extends KeyOptions {
  readonly device?: string
  readonly unnamed?: true
  /** Ask for a passphrase that seals the signing key. */
  readonly passphrase?: true
  readonly passphraseFile?: string
}

/** Creates the persona, and on a terminal shows its recovery words. */
export async function init(context: Context, options: InitOptions): Promise<number> {
  const canAsk = !context.json && isInteractive()
  checkNamed(options, canAsk)
  await withDaemon(context, async (client) => {
    await checkNoPersona(client)
    const chosen = canAsk ? await withProfile(options) : options
    const params = await initParams(chosen)
    const result = await client.call('persona.init', params)
    const { table } = result
    const [device] = table.devices
    if (device !== undefined) await rememberProfile(context, client, chosen.toxProfile, device.key)
    print(context, result, [
      `created your persona ${table.personaId}`,
      device === undefined ? NO_DEVICE : `its first device is ${showName(device.name, device.key)}`,
      ...(device === undefined ? [] : [SHOW_FRIENDS]),
    ])
    await offerWords(context, client)
  })
  return EXIT_DONE
}

const NO_DEVICE = 'it has no devices yet; add one: persona device add NAME --tox-profile FILE'

/** Whether the options give the key of the first device. */
function hasKey({ key, toxProfile }: KeyOptions): boolean {
  return key !== undefined || toxProfile !== undefined
}

/** @throws {CliError} USAGE: a key without a nickname; or a nickname without a key, where nobody can be asked for a profile */
function checkNamed(options: InitOptions, canAsk: boolean): void {
  if (hasKey(options) && options.device === undefined)
    throw new CliError('USAGE', 'the device needs a nickname', { hint: 'add --device NAME, such as --device laptop' })
  if (!canAsk) checkKeyed(options)
}

function checkKeyed(options: InitOptions): void {
  if (options.device === undefined || hasKey(options)) return
  throw new CliError('USAGE', `the device ${options.device} needs a key; nothing was created`, {
    hint: 'give --tox-profile FILE or --key HEX; or leave --device out, and add devices later',
  })
}

/** The options with a profile for the first device, which the owner chooses among those on this computer. @throws {CliError} USAGE */
async function withProfile(options: InitOptions): Promise<InitOptions> {
  if (hasKey(options)) return options
  const { askFirstDevice, findProfiles } = await import('./choose-profile.ts')
  const found = await findProfiles(process.env)
  const chosen = found.length === 0 ? null : await askFirstDevice(found, options.device)
  if (chosen === null) checkKeyed(options)
  return { ...options, ...chosen }
}

async function initParams(options: InitOptions): Promise<InitParams> {
  const key = await keyOf(options)
  const source = { file: options.passphraseFile, option: '--passphrase-file' }
  const isSealed = options.passphrase === true || options.passphraseFile !== undefined
  const passphrase = isSealed ? await askNewPassphrase(source) : null
  return {
    ...(key === null || options.device === undefined ? {} : { device: { name: checkNickname(options.device), key } }),
    ...(passphrase === null ? {} : { passphrase }),
    ...(options.unnamed === true ? { unnamed: true } : {}),
  }
}

/** The persona exists already. If the terminal closes or the owner presses Ctrl-C, they can see the words later. */
export async function offerWords(context: Context, client: Client): Promise<void> {
  if (context.json || !isInteractive()) {
    remark(context, UNPROTECTED)
    return
  }
  try {
    const { words } = await client.call('recovery.show')
    print(context, null, await rehearse(client, words))
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'CANCELLED') throw error
    remark(context, UNPROTECTED)
  }
}

export async function unlock(context: Context, options: { readonly passphraseFile?: string }): Promise<number> {
  const result = await withDaemon(context, async (client) => {
    const { persona, locked } = await client.call('status')
    // Nobody types a passphrase that is not needed. A file is passed on, and the daemon names the error.
    if (options.passphraseFile === undefined && persona !== null && !locked) return { locked }
    return await unlockWith(client, options.passphraseFile ?? null)
  })
  print(context, result, [result.locked ? 'the signing key is still locked' : 'unlocked the signing key'])
  return EXIT_DONE
}
