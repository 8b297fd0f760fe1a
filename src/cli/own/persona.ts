/** `persona init` and `persona unlock`: creates the persona, and unlocks its signing key. */
import { checkNickname } from '../../core/nickname.ts'
import type { Client } from '../../ipc/client.ts'
import type { InitParams } from '../../ipc/methods/own.ts'
import { unlockWith, withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { checkNoPersona } from './checks.ts'
import { keyOf, type KeyOptions } from './device.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
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
  checkNamed(options)
  await withDaemon(context, async (client) => {
    await checkNoPersona(client)
    const params = await initParams(options)
    const result = await client.call('persona.init', params)
    const { table } = result
    const [device] = table.devices
    print(context, result, [
      `created your persona ${table.personaId}`,
      device === undefined
        ? noDevice(options.device ?? 'NAME')
        : `its first device is ${showName(device.name, device.key)}`,
    ])
    await offerWords(context, client)
  })
  return EXIT_DONE
}

/** A device needs a key as well as a nickname. */
function noDevice(name: string): string {
  return `it has no devices yet; add one: persona device add ${escapeText(name)} --tox-profile FILE`
}

/** @throws {CliError} USAGE: the options name a key, but no nickname for its device */
function checkNamed(options: InitOptions): void {
  if ((options.key === undefined && options.toxProfile === undefined) || options.device !== undefined) return
  throw new CliError('USAGE', 'the device needs a nickname', { hint: 'add --device NAME, such as --device laptop' })
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
async function offerWords(context: Context, client: Client): Promise<void> {
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
