/** What both sides of a pairing do alike: messages between the daemon and a line, and the question whether both screens show the same. */
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

/** Whether a peer failed and the next one may be the right one. */
export function isPeersFault(error: unknown): boolean {
  return PEERS_FAULT.some((code) => hasCode(error, code))
}

/** Takes the next message from the line to the daemon. */
export async function bring(client: Client, line: Line, timeoutMs: number): Promise<PairingStep> {
  const message = await line.receive(timeoutMs)
  return await client.call('pairing.carry', { message: formatBase64url(message) })
}

/** Takes what a step wants sent to the line. */
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
 * Asks whether both screens show the same words. On a terminal it is a question; elsewhere the words of the other screen are read from
 * stdin, one line: there is no way to confirm without them.
 * @param about what else the person should know, escaped
 * @param over nobody need answer any more
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
    'the other device is there; both screens must now show these six words:',
    '',
    `    ${words}`,
    '',
    ...about,
  ])
  const isSame =
    isInteractive() && !context.json ? await askSame(over) : isSameLine(await readLine(context, over), words)
  if (isSame) return
  const hint = 'if nobody else knows the code, begin again; otherwise somebody stands between your devices'
  throw new CliError('PAIRING_REFUSED', 'the two screens do not show the same words: nothing has moved', { hint })
}

async function askSame(over: AbortSignal): Promise<boolean> {
  const answer = await askLine('Does the other screen show the same six words? [y/N] ', over)
  return /^y(es)?$/i.test(answer.trim())
}

/** @throws {CliError} CANCELLED: nobody said that they differ, so nobody is to be alarmed */
function isSameLine(line: string, words: string): boolean {
  if (line !== '') return line === words
  throw new CliError('CANCELLED', 'the six words of the other screen did not come in on stdin: nothing has moved')
}

async function readLine(context: Context, over: AbortSignal): Promise<string> {
  remark(context, 'waiting for the six words of the other screen on stdin')
  const reader = createInterface({ input: process.stdin, signal: over })
  try {
    for await (const line of reader) return line.trim().toLowerCase().split(/\s+/).join(' ')
    return ''
  } finally {
    reader.close()
  }
}

/**
 * Runs a pairing that has begun in the daemon, and ends it there whatever happens, at Ctrl-C or with its terminal too: the next one would
 * find it under way.
 * @param run its signal says that the pairing was cancelled, and that there is nothing to wait for
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
    if (isInterrupted) throw new CliError('CANCELLED', 'cancelled: the pairing is over', { cause: error })
    if (!over.signal.aborted) throw error
    const hint = 'begin again with: persona pair'
    throw new CliError('PAIRING_CANCELLED', 'the pairing was cancelled from elsewhere', { cause: error, hint })
  } finally {
    for (const signal of INTERRUPTS) process.off(signal, interrupt)
    await subscription.close().catch(() => {})
    // The one that is under way now may be somebody else's.
    if (isInterrupted || !over.signal.aborted) await client.call('pairing.cancel').catch(() => {})
  }
}

/** Closes a line when the pairing is over, which ends whatever waits for it. */
export function closeWhen<L extends Line>(over: AbortSignal, line: L): L {
  over.addEventListener('abort', () => line.close(), { once: true })
  return line
}
