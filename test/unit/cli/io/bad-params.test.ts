import { expect, test } from 'vitest'
import * as z from 'zod'
import { describeBadParams, VALUES } from '../../../../src/cli/io/bad-params.ts'
import { describeFailure } from '../../../../src/cli/io/errors.ts'
import { METHODS } from '../../../../src/ipc/methods/all-methods.ts'
import type { Caller, Handlers, MethodSpec } from '../../../../src/ipc/methods/method.ts'
import { createDispatch } from '../../../../src/ipc/server/dispatch.ts'
import { readReply, RpcError } from '../../../../src/ipc/wire/rpc.ts'
import { callerAs } from '../../../support/caller.ts'

const CALLER: Caller = callerAs('admin')

const dispatch = createDispatch({
  methods: METHODS,
  handlers: {} as Handlers<typeof METHODS>,
  authorize: () => true,
  log: () => {},
})

/** The failure that a person reads after a call with these params. */
async function failureOf(method: string, params: unknown): Promise<{ message: string; hint: string | null }> {
  const frame = await dispatch({ jsonrpc: '2.0', id: 1, method, params }, CALLER)
  const reply = readReply((JSON.parse(frame.slice(0, -1)) as { data: unknown }).data)
  return describeFailure('error' in reply ? reply.error : null)
}

test('a refused value is named in words for people, without the param of the socket or a page of the documents', async () => {
  const word = { position: 1, word: 'x'.repeat(17) }
  const cases: [string, unknown, string][] = [
    ['recovery.confirm', { words: [word, word, word] }, 'the word is too long: it can have 16 characters at most'],
    ['recovery.confirm', { words: [] }, 'the text of your words is too short: it must have 3 entries or more'],
    ['device.add', { name: 'x'.repeat(257), key: '' }, 'the name is too long: it can have 256 characters at most'],
    ['device.add', { name: 'x', key: '' }, 'the key must be 64 upper-case hex digits'],
    ['lookup', { query: '' }, 'the name is empty'],
    ['log.list', { limit: 0 }, 'the number of entries must be 1 or more'],
    ['log.list', { limit: 501 }, 'the number of entries can be 500 at most'],
    [
      'rotation.plan',
      { keep: ['x'.repeat(257)] },
      'an entry in the list of devices to keep is too long: it can have 256 characters at most',
    ],
    ['device.add', { name: 'x' }, 'the key is not valid'],
  ]
  for (const [method, params, message] of cases)
    expect(await failureOf(method, params), method).toMatchObject({ message, hint: null })
  expect(cases).toHaveLength(9)
})

/** Params that a command makes itself: no person types them. */
const MADE = new Set(
  [
    'again,backup,blocked,box,carrier,check,force,header,isLast,message,observations,offset,page,persona,plan,repaired',
    'repin,restore,total,upload,upTo',
    'how,provide,receive',
    'by,chat,earlier,ids,make,mine,read,sentSec,state,ways',
    'short,source,trustVerified,unnamed,verified',
  ].flatMap((names) => names.split(',')),
)

test('every param that a person can give has a name for people', () => {
  const names = new Set<string>()
  for (const { params } of Object.values(METHODS as unknown as Record<string, MethodSpec<unknown, unknown>>))
    addNames(params.toJSONSchema(), names)
  expect(names.size).toBeGreaterThan(50)
  expect([...names].filter((name) => !(name in VALUES) && !MADE.has(name))).toEqual([])
  expect(Object.keys(VALUES).filter((name) => !names.has(name))).toEqual([])
})

function addNames({ properties = {}, items, anyOf = [] }: z.core.JSONSchema.BaseSchema, names: Set<string>): void {
  for (const [name, inner] of Object.entries(properties)) {
    names.add(name)
    if (typeof inner === 'object') addNames(inner, names)
  }
  if (typeof items === 'object' && !Array.isArray(items)) addNames(items, names)
  for (const inner of anyOf) if (typeof inner === 'object') addNames(inner, names)
}

test('an error of an older daemon, without details, still makes a sentence', () => {
  expect(describeBadParams({}, 'params.name: Too big')).toBe('the daemon does not accept a value of this command')
  expect(describeFailure(new RpcError('BAD_PARAMS', 'params.name: Too big')).message).not.toContain('params')
})
