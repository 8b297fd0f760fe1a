/** `persona lock` and `persona passphrase ...`: the passphrase that seals the signing key, and the seed while it is on this device. */
import type { SealMode } from '../../crypto/seal.ts'
import type { Client } from '../../ipc/client.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { askNewPassphrase, tryPassphrase } from '../io/passphrase.ts'

export interface PassphraseOptions {
  /** File with the new passphrase. */
  readonly passphraseFile?: string
  /** File with the present passphrase. */
  readonly oldPassphraseFile?: string
}

const SEALED: Readonly<Record<SealMode, string>> = {
  passphrase: 'the new passphrase seals the signing key',
  key: 'the key of the service manager now seals the signing key, without a passphrase',
  unsealed: 'the signing key is no longer sealed: anybody who can read your files has it',
}

export async function lock(context: Context): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('persona.lock'))
  print(context, result, ['the signing key is locked; to unlock it: persona unlock'])
  return EXIT_DONE
}

export async function setPassphrase(context: Context, options: PassphraseOptions): Promise<number> {
  const passphrase = await askNew(options)
  const result = await withDaemon(context, (client) => client.call('passphrase.set', { passphrase }))
  print(context, result, [SEALED[result.sealing]])
  return EXIT_DONE
}

export async function changePassphrase(context: Context, options: PassphraseOptions): Promise<number> {
  if (options.passphraseFile === '-' && options.oldPassphraseFile === '-') {
    throw new CliError('USAGE', 'stdin can give only one of the two passphrases', {
      hint: 'give the other one as /dev/fd/3',
    })
  }
  const result = await withDaemon(context, async (client) => {
    // Checked before anybody thinks of a new one.
    const present = await checkedPresent(client, options)
    return await client.call('passphrase.change', { present, passphrase: await askNew(options) })
  })
  print(context, result, [SEALED[result.sealing]])
  return EXIT_DONE
}

export async function removePassphrase(context: Context, options: PassphraseOptions): Promise<number> {
  const result = await withDaemon(context, async (client) =>
    client.call('passphrase.remove', { present: await checkedPresent(client, options) }),
  )
  print(context, result, [SEALED[result.sealing]])
  return EXIT_DONE
}

async function askNew({ passphraseFile }: PassphraseOptions): Promise<string> {
  return await askNewPassphrase({ file: passphraseFile, option: '--passphrase-file' })
}

async function checkedPresent(client: Client, { oldPassphraseFile }: PassphraseOptions): Promise<string> {
  const source = { file: oldPassphraseFile, option: '--old-passphrase-file' }
  return await tryPassphrase(
    source,
    'Present passphrase of the persona: ',
    'SEAL_WRONG_PASSPHRASE',
    async (present) => {
      await client.call('passphrase.check', { present })
      return present
    },
  )
}
