/** `persona pair`: shows a one-time code, and gives the persona to the device that joins with it (docs/pairing.md). */
import { formatHostPort } from '../../core/encoding/host-port.ts'
import type { Client } from '../../ipc/client.ts'
import type { PairingOffer, PairingStep } from '../../ipc/shapes/pairing.ts'
import { parseAddress, type Address } from '../../pairing/address.ts'
import { deriveAnnounceKey, formatPairingUri, parseCode } from '../../pairing/code.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { showsPictures } from '../io/style.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { HANDSHAKE_MS, listen, MESSAGE_MS, type Line, type Listener } from './connection.ts'
import { announce, reachableAddresses } from './discovery.ts'
import { bring, carryOn, closeWhen, compare, isPeersFault, send, withPairing } from './drive.ts'
import { FileLine, removeLegs } from './files.ts'

export interface PairOptions {
  /** The address to listen on, HOST:PORT. */
  readonly listen?: string
  /** Exchange files with this path instead of a connection. */
  readonly file?: string
  /** Write the QR code into this PNG file. */
  readonly qr?: string
  /** Cancel a pairing that still runs. */
  readonly cancel?: true
}

export async function pair(context: Context, options: PairOptions): Promise<number> {
  if (options.listen !== undefined && options.file !== undefined) {
    throw new CliError('USAGE', 'give either --listen or --file, not both')
  }
  await withDaemon(context, async (client) => {
    if (options.cancel === true) {
      print(context, await client.call('pairing.cancel'), ['no pairing is running now'])
    } else if (options.file === undefined) {
      await pairOverConnection(context, client, listenAddress(options.listen), options.qr)
    } else {
      await pairOverFiles(context, client, options.file, options.qr)
    }
  })
  return EXIT_DONE
}

function listenAddress(text: string | undefined): Address | null {
  const address = text === undefined ? null : parseAddress(text)
  if (text !== undefined && address === null) {
    throw new CliError('USAGE', '--listen needs an address', { hint: 'write it like --listen 192.168.1.7:40123' })
  }
  return address
}

async function pairOverConnection(
  context: Context,
  client: Client,
  at: Address | null,
  qr: string | undefined,
): Promise<void> {
  const listener = await listen(at?.host ?? null, at?.port ?? 0)
  try {
    const offer = await client.call('pairing.offer', { carrier: 'connection' })
    await withPairing(client, async (over) => {
      const addresses = at === null ? reachableAddresses(listener.port) : [at]
      await showCode(context, offer, addresses, null, qr)
      const { line, step } = await meetAnnounced(context, client, listener, offer, over)
      try {
        await hand(context, client, line, step, offer.seconds * 1000, over)
      } finally {
        line.close()
      }
    })
  } finally {
    listener.close()
  }
}

interface Met {
  readonly line: Line
  readonly step: PairingStep
}

async function meetAnnounced(
  context: Context,
  client: Client,
  listener: Listener,
  offer: PairingOffer,
  over: AbortSignal,
): Promise<Met> {
  const stop = await announce(deriveAnnounceKey(parseCode(offer.words.join(' ')).code), listener.port)
  try {
    return await meet(context, client, listener, over, AbortSignal.timeout(offer.seconds * 1000))
  } finally {
    stop()
  }
}

/** Tries one peer after another until one has the code. */
async function meet(
  context: Context,
  client: Client,
  listener: Listener,
  over: AbortSignal,
  late: AbortSignal,
): Promise<Met> {
  for (;;) {
    const line = await listener.next(AbortSignal.any([over, late]))
    if (line === null) {
      const hint = 'get a new code with: persona pair'
      throw new CliError('PAIRING_PEER_SILENT', 'no device joined before the code expired', { hint })
    }
    closeWhen(over, line)
    try {
      return { line, step: await greet(client, line, HANDSHAKE_MS) }
    } catch (error) {
      line.close()
      if (!isPeersFault(error)) throw error
      remark(context, 'somebody without the code connected; still waiting')
    }
  }
}

async function greet(client: Client, line: Line, timeoutMs: number): Promise<PairingStep> {
  await send(line, await client.call('pairing.carry', {}))
  await line.flush()
  return await bring(client, line, timeoutMs)
}

async function pairOverFiles(context: Context, client: Client, path: string, qr: string | undefined): Promise<void> {
  await removeLegs(path)
  const offer = await client.call('pairing.offer', { carrier: 'files' })
  await withPairing(client, async (over) => {
    await showCode(context, offer, [], path, qr)
    const line = closeWhen(over, new FileLine(path, (file) => remark(context, `waiting for ${escapeText(file)}`)))
    const step = await greet(client, line, offer.seconds * 1000)
    await hand(context, client, line, step, offer.seconds * 1000, over)
    remark(context, `last step: copy ${escapeText(path)}.3 to the other device`)
  })
}

/** Compares the words, then gives the persona to the other device. */
async function hand(
  context: Context,
  client: Client,
  line: Line,
  met: PairingStep,
  waitMs: number,
  over: AbortSignal,
): Promise<void> {
  const wish =
    met.device === null
      ? 'The other device joins without a place in your table.'
      : `The other device asks for a place in your table as ${showName(met.device.name, null)}, key ${met.device.key}.`
  await compare(context, met, [wish], over)
  const confirmed = await client.call('pairing.confirm')
  // The person at the other device may take as long as the one here.
  const moving = confirmed.more ? confirmed : await bring(client, line, waitMs)
  const { table } = await carryOn(client, line, moving, MESSAGE_MS)
  print(context, { table }, [
    met.device === null
      ? 'paired: the other device now has your persona too'
      : `paired: ${showName(met.device.name, met.device.key)} now has your persona too`,
  ])
}

async function showCode(
  context: Context,
  offer: PairingOffer,
  addresses: Address[],
  file: string | null,
  qrFile: string | undefined,
): Promise<void> {
  const { words, seconds } = offer
  const uri = formatPairingUri({ code: parseCode(words.join(' ')).code, addresses })
  const option = file === null ? '' : ` --file ${escapeText(file)}`
  const { drawQr, writeQr } = await import('../io/qr.ts')
  if (qrFile !== undefined) await writeQr(uri, qrFile)
  const qr = showsPictures() && !context.json ? drawQr(uri, process.stdout.columns) : null
  print(context, { words, uri, addresses: addresses.map(formatHostPort), seconds }, [
    ...(qr === null ? [] : [...qr, '']),
    uri,
    '',
    `within ${seconds / 60} minutes, the other device runs: persona join ${words.join(' ')}${option}`,
    '',
    ...(addresses.length === 0
      ? []
      : [`If it does not find this device, add --at ${addresses.map(formatHostPort).join(' or --at ')}`]),
  ])
}
