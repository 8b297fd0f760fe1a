/** A call whose answer is a stream of events: bounded in its silence, and read part by part. */
import { RelayError } from './errors.ts'
import { EventReader } from './event-stream.ts'
import { chunksOf, inTime, openCall, parseJson, type Call } from './http-call.ts'
import type { RelayMeans, RelayResponse } from './means.ts'

const STREAM_SILENCE_MS = 70_000 // format: three comments and some time on the way
const MAX_REFUSAL_CHARS = 4096 // sanity: a refusal has some 100

/** The news of one part of a stream. */
export interface StreamPart {
  /** The data of each event that it ended. */
  readonly events: readonly string[]
  /** The last field `id` so far; null before the first. */
  readonly id: string | null
}

export interface EventCall extends Call {
  readonly noteTime: (relayMs: number | null) => void
  /** Makes the error of an answer that is no stream. @param value its body; undefined where that is no JSON */
  readonly refusalOf: (status: number, value: unknown) => RelayError
}

/**
 * Calls, and gives the stream once its header is there. Whoever stops reading it early ends the call by `return`.
 * @throws {RelayError} RELAY_UNREACHABLE | RELAY_SILENT, and that of `refusalOf`
 * @throws the reason of the signal
 */
export async function openEvents(means: RelayMeans, call: EventCall): Promise<AsyncGenerator<StreamPart, void, void>> {
  const { response, stop, relayMs } = await openCall(means, call)
  call.noteTime(relayMs)
  const chunks = chunksOf(response.body)
  const next = (): Promise<IteratorResult<Uint8Array, void>> =>
    inTime(means.clock, STREAM_SILENCE_MS, stop, call, async () => await chunks.next())
  if (isStream(response)) return readParts(next, stop)
  try {
    throw call.refusalOf(response.status, await readRefusal(next))
  } finally {
    stop.abort()
  }
}

type Next = () => Promise<IteratorResult<Uint8Array, void>>

async function* readParts(next: Next, stop: AbortController): AsyncGenerator<StreamPart, void, void> {
  const reader = new EventReader()
  try {
    for (let part = await next(); part.done !== true; part = await next()) {
      const events = take(reader, part.value)
      yield { events, id: reader.id }
    }
  } finally {
    stop.abort()
  }
}

function take(reader: EventReader, chunk: Uint8Array): string[] {
  try {
    return reader.take(chunk)
  } catch (cause) {
    throw new RelayError('RELAY_STRANGE', 'the relay sent a stream of another form', {
      hint: 'check the address of the relay',
      cause,
    })
  }
}

function isStream({ status, headers }: RelayResponse): boolean {
  return status === 200 && headers.get('content-type')?.startsWith('text/event-stream') === true
}

/** @returns undefined for what no relay wrote */
async function readRefusal(next: Next): Promise<unknown> {
  let text = ''
  const decoder = new TextDecoder()
  for (let part = await next(); part.done !== true && text.length < MAX_REFUSAL_CHARS; part = await next()) {
    text += decoder.decode(part.value, { stream: true })
  }
  return parseJson(text)
}
