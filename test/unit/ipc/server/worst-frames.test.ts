/** The largest frame of the worst shape, for each method: it may cost the daemon little more than a valid call of the same size. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { createDispatch } from '../../../../src/ipc/server/dispatch.ts'
import { FrameReader, MAX_FRAME_BYTES, MAX_FRAME_VALUES } from '../../../../src/ipc/wire/frame.ts'
import { METHODS, type Methods } from '../../../../src/ipc/methods/all-methods.ts'
import type { Caller, Handlers } from '../../../../src/ipc/methods/method.ts'
import { IpcError } from '../../../../src/ipc/wire/errors.ts'
import { callerAs } from '../../../support/caller.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const ROOM = MAX_FRAME_BYTES - 1000
const ROOM_BYTES = 8 << 20 // sanity: the engine collects young objects at 16 MiB
let heapAfterCollectionBytes = 0
const TIMES = 5 // of a frame that seems to cost too much, the cheapest counts: other programs run on this machine

const caller: Caller = callerAs('admin')
const noHandlers = new Proxy({}, { get: () => () => null }) as Handlers<Methods>
const dispatch = createDispatch({ methods: METHODS, handlers: noHandlers, authorize: () => true, log() {} })

/** The JSON text of a list with one item again and again, as often as fits. */
function listOf(item: string, most = Infinity): string {
  const count = Math.min(most, Math.floor(ROOM / (item.length + 1)))
  return `[${Array.from({ length: count }, () => item).join()}]`
}

/** The JSON text of an object with unknown members, as many as fit. */
function strangers(most = Infinity): string {
  const count = Math.min(most, Math.floor(ROOM / 11))
  return `{${Array.from({ length: count }, (_, i) => `"${i.toString(36).padStart(6, '_')}":1`).join()}}`
}

const FEW = MAX_FRAME_VALUES - 20 // passes the reader of frames
const TEXTS: readonly string[] = [`"${'A'.repeat(ROOM)}"`, `"${String.raw`\u00e9`.repeat(ROOM / 6)}"`]
const OBJECTS: readonly string[] = [strangers(), strangers(FEW)]
const LISTS: readonly string[] = [
  listOf('1'),
  listOf('""', FEW),
  listOf(`"${'x'.repeat(Math.floor(ROOM / FEW) - 3)}"`),
  listOf(`"${'A'.repeat(64)}"`),
]

function defOf({ _zod: { def } }: z.core.$ZodType): z.core.$ZodTypes['_zod']['def'] {
  return def as z.core.$ZodTypes['_zod']['def']
}

function maxLengthOf({ checks = [] }: z.core.$ZodArrayDef): number {
  return Math.min(...checks.map(({ _zod: { def } }) => ('maximum' in def ? (def.maximum as number) : Infinity)))
}

/** Schemas that had their turn: many methods share the schema of a member, and a text costs it the same in each of them. */
const tried = new Set<z.core.$ZodType>()

/** JSON texts of hostile values of a schema: huge at each place, and lists whose items have a fault in each member. */
function hostile(schema: z.core.$ZodType): string[] {
  const def = defOf(schema)
  if (def.type === 'optional' || def.type === 'nullable') return hostile(def.innerType)
  if (tried.has(schema)) return []
  tried.add(schema)
  if (def.type === 'object')
    return [
      ...OBJECTS,
      ...Object.entries(def.shape).flatMap(([name, member]) => hostile(member).map((text) => `{"${name}":${text}}`)),
    ]
  if (def.type !== 'array') return def.type === 'string' ? [...TEXTS] : []
  const item = defOf(def.element)
  const members = item.type === 'object' ? Object.keys(item.shape) : []
  const faulty = `{${members.map((name) => `"${name}":{}`).join()}}`
  const perItem = members.length + 1
  const most = Math.min(FEW / perItem, maxLengthOf(def))
  return [
    ...LISTS,
    ...OBJECTS,
    listOf(faulty, most),
    listOf('1', most),
    ...hostile(def.element).map((text) => `[${text}]`),
  ]
}

function frameOf(method: string, params: string): string {
  return `{"type":"rpc","data":{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}}\f`
}

/** Hands one frame to the daemon; true if it was a valid call. */
function take(frame: string): boolean {
  const reader = new FrameReader(MAX_FRAME_BYTES, MAX_FRAME_VALUES)
  reader.push(frame)
  try {
    const answer = dispatch(reader.next()!.data, caller)
    return typeof answer === 'string' && answer.includes('"result":null')
  } catch (error) {
    if (error instanceof IpcError) return false
    throw error
  }
}

interface Cost {
  readonly ms: number
  readonly bytes: number
}

/** Collects garbage before the engine does so by itself, in the middle of a measurement. Once for each frame would take most of the test's time. */
function makeRoom(): void {
  if (process.memoryUsage().heapUsed < heapAfterCollectionBytes + ROOM_BYTES) return
  collectGarbage()
  heapAfterCollectionBytes = process.memoryUsage().heapUsed
}

function costOf(frame: string): Cost {
  makeRoom()
  const before = process.memoryUsage().heapUsed
  const start = process.threadCpuUsage()
  take(frame)
  const { user, system } = process.threadCpuUsage(start)
  return { ms: (user + system) / 1000, bytes: process.memoryUsage().heapUsed - before }
}

/** Time and memory of a frame, each the least of some runs; one run is enough if it is below the bound. */
function leastCostOf(frame: string, bound: Cost): Cost {
  const least = { ms: Infinity, bytes: Infinity }
  for (let i = 0; i < TIMES && (least.ms > bound.ms || least.bytes > bound.bytes); i++) {
    const cost = costOf(frame)
    least.ms = Math.min(least.ms, cost.ms)
    least.bytes = Math.min(least.bytes, cost.bytes)
  }
  return least
}

const observation = { from: 'A'.repeat(64), text: 'x, y'.repeat(1000), name: 'Alice', seenAtSec: 1 }
const VALID: string = frameOf(
  'observe.batch',
  JSON.stringify({ source: 'test', observations: Array.from({ length: 250 }, () => observation) }),
)

describe('the largest frame', () => {
  // The garbage collector may run in between, and then a run seems to cost nothing: of the valid call the most counts.
  const valid = { ms: 0, bytes: 0 }
  for (let i = 0; i < TIMES; i++) {
    const cost = costOf(VALID)
    valid.ms = Math.max(valid.ms, cost.ms)
    valid.bytes = Math.max(valid.bytes, cost.bytes)
  }
  const bound = { ms: 3 * valid.ms + 5, bytes: 2 * valid.bytes + 2 * MAX_FRAME_BYTES }

  test('that is valid is a valid call', () => {
    expect(VALID.length).toBeGreaterThan(0.95 * MAX_FRAME_BYTES)
    expect(take(VALID)).toBe(true)
  })

  const methods = Object.entries(METHODS) as [string, { params: z.core.$ZodType }][]
  const byParams = Map.groupBy(methods, ([, { params }]) => params)
  test.each([...byParams].map(([params, [first]]) => [first![0], params] as const))(
    'of the worst shape costs little more: %s, and methods with its parameters',
    (name, params) => {
      const texts = new Set(hostile(params))
      expect(texts.size).toBeGreaterThan(0)
      for (const text of texts) {
        const cost = leastCostOf(frameOf(name, text), bound)
        expect(cost.ms, text.slice(0, 80)).toBeLessThanOrEqual(bound.ms)
        expect(cost.bytes, text.slice(0, 80)).toBeLessThanOrEqual(bound.bytes)
      }
    },
  )
})
