/** The steps that both sides of a pairing share: moving messages between the daemon and a line, and comparing the words on both screens. */
import { createInterface } from 'node:readline'
import { formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import type { Client } from '../../ipc/client.ts'
import type { PairingStep } from '../../ipc/shapes/pairing.ts'
import { hasCode } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError } from '../io/errors.ts'
import { INTERRUPTS } from '../io/interrupts.ts'
import type { Line } from './connection.ts'
import { askLine, isInteractive } from '../io/prompt.ts'

const PEERS_FAULT = ['PAIRING_HANDSHAKE', 'PAIRING_PEER_GONE', 'PAIRING_PEER_SILENT', 'PAIRING_FRAME']

/** True if the peer failed, so that the next peer may be the right one. */
export function isPeersFault(error: unknown): boolean {
  return PEERS_FAULT.some((code) => hasCode(error, code))
}

/** Moves the next message from the line to the daemon. */
export async function bring(client: Client, line: Line, timeoutMs: number): Promise<PairingStep> {
  const message = await line.receive(timeoutMs)
  return await client.call('pairing.carry', { message: formatBase64url(message) })
}

/** Sends the message of a step, if it has one. */
export async function send(line: Line, step: PairingStep): Promise<void> {
  if (step.send !== null) await line.send(parseBase64url(step.send)!)
}

/** Carries messages in both directions until this side is done. */
export async function carryOn(client: Client, line: Line, first: PairingStep, timeoutMs: number): Promise<PairingStep> {
  let step = first
  for (;;) {
    await send(line, step)
    if (!step.more) await line.flush()
    if (step.state === 'done') return step
    step = step.more ? await client.call('pairing.carry', {}) : await bring(client, line, timeoutMs)
  }
}

/**
 * Asks whether both screens show the same words. Without a terminal it reads the words of the other screen from stdin, one line:
 * nobody can confirm without them.
 * @param about more lines for the person, escaped
 * @param over aborts when the pairing ends and the question is moot
 * @throws {CliError} PAIRING_REFUSED | CANCELLED
 */
export async function compare(
  context: Context,
  step: PairingStep,
  about: readonly string[],
  over: AbortSignal,
): Promise<void> {
  const words = step.compare!.join(' ')
  print(context, { compare: step.compare, device: step.device, persona: step.persona }, [
    'The other device has connected. Both screens must now show these six words:',
    '',
    `    ${words}`,
    '',
    ...about,
  ])
  const isSame =
    isInteractive() && !context.json ? await askSame(words, over) : isSameLine(await readLine(context, over), words)
  if (isSame) return
  const hint =
    'somebody may be between your devices; pair again on a network that you trust, and show the code to nobody'
  throw new CliError('PAIRING_REFUSED', 'the two screens show different words; no data was moved', { hint })
}

/** Whoever types the words of the other screen has compared them too. */
async function askSame(words: string, over: AbortSignal): Promise<boolean> {
  const answer = plainLine(await askLine('Does the other screen show the same six words? [y/N] ', over))
  return /^y(es)?$/.test(answer) || answer === words
}

/** @throws {CliError} CANCELLED if there is no answer: that is no sign of an attack */
function isSameLine(line: string, words: string): boolean {
  if (line !== '') return line === words
  throw new CliError('CANCELLED', 'stdin did not give the six words of the other screen; no data was moved')
}

function plainLine(line: string): string {
  return line.trim().toLowerCase().split(/\s+/).join(' ')
}

async function readLine(context: Context, over: AbortSignal): Promise<string> {
  remark(context, 'type the six words of the other screen on stdin')
  const reader = createInterface({ input: process.stdin, signal: over })
  try {
    for await (const line of reader) return plainLine(line)
    return ''
  } finally {
    reader.close()
  }
}

/**
 * Runs a pairing that has begun in the daemon, and always ends it there, also at Ctrl-C or when the terminal closes. Otherwise the next
 * pairing would find this one still running.
 * @param run its signal aborts when the pairing is cancelled
 * @throws {CliError} PAIRING_CANCELLED | CANCELLED
 */
export async function withPairing<T>(client: Client, run: (over: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController()
  let isInterrupted = false
  const interrupt = (): void => {
    isInterrupted = true
    over.abort()
  }
  for (const signal of INTERRUPTS) process.once(signal, interrupt)
  const subscription = await client.subscribe(['pairing.cancelled'], ({ event }) => {
    if (event === 'pairing.cancelled') over.abort()
  })
  try {
    return await run(over.signal)
  } catch (error) {
    if (isInterrupted) throw new CliError('CANCELLED', 'cancelled the pairing', { cause: error })
    if (!over.signal.aborted) throw error
    const hint = 'start again with: persona pair'
    throw new CliError('PAIRING_CANCELLED', 'the pairing was cancelled from another terminal', { cause: error, hint })
  } finally {
    for (const signal of INTERRUPTS) process.off(signal, interrupt)
    await subscription.close().catch(() => {})
    // A pairing that runs after ours was cancelled may belong to another terminal.
    if (isInterrupted || !over.signal.aborted) await client.call('pairing.cancel').catch(() => {})
  }
}

/** Closes a line when the pairing is over. That also ends every wait on it. */
export function closeWhen<L extends Line>(over: AbortSignal, line: L): L {
  over.addEventListener('abort', () => line.close(), { once: true })
  return line
}
