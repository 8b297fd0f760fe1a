/** `persona join`: receives the persona from the device that shows the code (docs/pairing.md). */
import { setTimeout as sleep } from 'node:timers/promises'
import { checkNickname } from '../../core/nickname.ts'
import type { Client } from '../../ipc/client.ts'
import type { JoinParams } from '../../ipc/methods/custody.ts'
import type { PairingStep } from '../../ipc/shapes/pairing.ts'
import { parseAddress, type Address } from '../../pairing/address.ts'
import { deriveAnnounceKey, parseCode, type PairingCode } from '../../pairing/code.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { checkNoPersona } from '../own/checks.ts'
import { keyOf, type KeyOptions } from '../own/device.ts'
import { rememberProfile } from '../own/own-profile.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { SHOW_FRIENDS } from '../io/next-steps.ts'
import { askNewPassphrase } from '../io/passphrase.ts'
import { dial, HANDSHAKE_MS, MESSAGE_MS, type Line } from './connection.ts'
import { seek, type Seeker } from './discovery.ts'
import { bring, carryOn, closeWhen, compare, isPeersFault, send, withPairing } from './drive.ts'
import { FileLine } from './files.ts'
import { askLine } from '../io/prompt.ts'

const AGAIN_MS = 1000 // sanity: another peer may hold the line; the other device hangs up on it within seconds

export interface JoinOptions extends KeyOptions {
  readonly at?: string
  readonly file?: string
  /** Nickname of this device in the table. */
  readonly device?: string
  readonly passphrase?: true
  readonly passphraseFile?: string
}

/** @param typed the twelve words or the URI; if empty, the terminal asks for them */
export async function join(context: Context, typed: readonly string[], options: JoinOptions): Promise<number> {
  if (options.at !== undefined && options.file !== undefined) {
    throw new CliError('USAGE', 'give either --at or --file, not both')
  }
  await withDaemon(context, (client) => checkNoPersona(client))
  const text = typed.length > 0 ? typed.join(' ') : await askLine('Type the twelve words from the other screen: ')
  const code = parseCode(text)
  const params = await joinParams(text, options)
  await withDaemon(context, async (client) => {
    const { seconds } = await client.call('pairing.join', params)
    await withPairing(client, (over) => receivePersona(context, client, code, options, seconds * 1000, over))
    if (params.device !== undefined) await rememberProfile(context, client, options.toxProfile, params.device.key)
  })
  return EXIT_DONE
}

async function joinParams(code: string, options: JoinOptions): Promise<JoinParams> {
  const key = await keyOf(options)
  if ((key === null) !== (options.device === undefined)) {
    const hint =
      'give --device NAME with --tox-profile FILE or --key HEX; without all of these this device is not listed'
    throw new CliError('USAGE', 'a device in the table needs a nickname and a key', { hint })
  }
  const source = { file: options.passphraseFile, option: '--passphrase-file' }
  const isSealed = options.passphrase === true || options.passphraseFile !== undefined
  const passphrase = isSealed ? await askNewPassphrase(source) : null
  return {
    code,
    carrier: options.file === undefined ? 'connection' : 'files',
    ...(key === null || options.device === undefined ? {} : { device: { name: checkNickname(options.device), key } }),
    ...(passphrase === null ? {} : { passphrase }),
  }
}

async function receivePersona(
  context: Context,
  client: Client,
  code: PairingCode,
  options: JoinOptions,
  ms: number,
  over: AbortSignal,
): Promise<void> {
  const { line, step } =
    options.file === undefined
      ? await meet(context, client, code, options.at, AbortSignal.any([over, AbortSignal.timeout(ms)]))
      : await meetInFiles(context, client, options.file, ms, over)
  closeWhen(over, line)
  try {
    const { personaId, epoch } = step.persona!
    const about = `This device will join persona ${personaId}${context.verbose ? ` (epoch ${epoch})` : ''}.`
    await compare(context, step, [about], over)
    const moving = await client.call('pairing.confirm')
    await send(line, moving)
    await line.flush()
    // The person at the other device may take as long as the one here.
    const { table } = await carryOn(client, line, await bring(client, line, ms), MESSAGE_MS)
    print(context, { table }, [
      `joined: this device now has persona ${personaId}`,
      ...(options.device === undefined ? [] : [SHOW_FRIENDS]),
    ])
  } finally {
    line.close()
  }
}

interface Met {
  readonly line: Line
  readonly step: PairingStep
}

async function meetInFiles(
  context: Context,
  client: Client,
  path: string,
  ms: number,
  over: AbortSignal,
): Promise<Met> {
  const line = closeWhen(over, new FileLine(path, (file) => remark(context, `waiting for ${escapeText(file)}`)))
  return { line, step: await answer(client, line, ms) }
}

async function answer(client: Client, line: Line, timeoutMs: number): Promise<PairingStep> {
  const step = await bring(client, line, timeoutMs)
  await send(line, step)
  await line.flush()
  return step
}

async function meet(
  context: Context,
  client: Client,
  code: PairingCode,
  at: string | undefined,
  signal: AbortSignal,
): Promise<Met> {
  const named = at === undefined ? code.addresses : [addressOf(at)]
  if (named.length > 0) {
    remark(
      context,
      `connecting to ${named.map(({ host, port }) => `${host}:${port}`).join(', ')}; press Ctrl-C to stop`,
    )
    return await meetAny(client, named, null, signal)
  }
  const seeker = await seek(deriveAnnounceKey(code.code))
  if (seeker === null) throw notFound('this device cannot search the network: another program uses the port')
  remark(context, 'looking on this network for the device that shows this code; press Ctrl-C to stop')
  remark(context, 'if it is not found: end this, and give the address on its screen with --at HOST:PORT')
  try {
    return await meetAny(client, [], seeker, signal)
  } finally {
    seeker.close()
  }
}

/**
 * Tries all addresses in turn, also those found meanwhile. It tries an address that hangs up again: another peer may have held the
 * line. It drops an address with another code: somebody may replay the announcement from elsewhere.
 */
async function meetAny(
  client: Client,
  named: readonly Address[],
  seeker: Seeker | null,
  signal: AbortSignal,
): Promise<Met> {
  let known = named
  for (;;) {
    let last: unknown = notFound('no device on this network shows this code')
    for (const address of known) {
      try {
        return await meetAt(client, address)
      } catch (error) {
        if (!isPeersFault(error) && !hasCode(error, 'PAIRING_CONNECTION')) throw error
        if (hasCode(error, 'PAIRING_HANDSHAKE')) known = known.filter((other) => other !== address)
        last = error
      }
    }
    if (signal.aborted || (seeker === null && !hasCode(last, 'PAIRING_PEER_GONE'))) throw last
    const turn = AbortSignal.any([signal, AbortSignal.timeout(AGAIN_MS)])
    const found = await (seeker === null ? sleep(AGAIN_MS, null) : seeker.next(turn))
    if (found !== null) known = [...known, found]
  }
}

async function meetAt(client: Client, address: Address): Promise<Met> {
  const line = await dial(address)
  try {
    return { line, step: await answer(client, line, HANDSHAKE_MS) }
  } catch (error) {
    line.close()
    throw error
  }
}

function addressOf(text: string): Address {
  const address = parseAddress(text)
  if (address !== null) return address
  throw new CliError('USAGE', '--at needs an address', { hint: 'write it like --at 192.168.1.7:40123' })
}

function notFound(message: string): CliError {
  const hint = 'read the address on the other screen, and give it with --at HOST:PORT'
  return new CliError('PAIRING_NOT_FOUND', message, { hint })
}
