import { describe, expect, test } from 'vitest'
import { createDispatch, type Dispatch, type DispatchOptions } from '../../../../src/ipc/server/dispatch.ts'
import { MAX_FRAME_BYTES } from '../../../../src/ipc/wire/frame.ts'
import type { Caller } from '../../../../src/ipc/methods/method.ts'
import { RpcError } from '../../../../src/ipc/wire/rpc.ts'
import { METHODS, testHandlers, type TestMethods } from '../../../support/ipc.ts'
import { callerAs } from '../../../support/caller.ts'

const caller: Caller = callerAs('app')

interface Logged {
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>> | undefined
}

function dispatcher(options: Partial<DispatchOptions<TestMethods>> = {}): { dispatch: Dispatch; logged: Logged[] } {
  const logged: Logged[] = []
  const dispatch = createDispatch({
    methods: METHODS,
    handlers: testHandlers(),
    authorize: (_caller, permission) => permission === 'read',
    log: (_level, message, fields) => logged.push({ message, fields }),
    ...options,
  })
  return { dispatch, logged }
}

async function answer(data: unknown, options?: Partial<DispatchOptions<TestMethods>>): Promise<unknown> {
  const frame = await dispatcher(options).dispatch(data, caller)
  expect(frame.endsWith('\f')).toBe(true)
  const { type, data: reply } = JSON.parse(frame.slice(0, -1)) as { type: string; data: unknown }
  expect(type).toBe('rpc')
  return reply
}

function request(method: string, params?: unknown, id: unknown = 1): Record<string, unknown> {
  return { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) }
}

function translate(error: unknown): RpcError | null {
  return error instanceof TypeError ? new RpcError('STORE_FULL', 'full') : null
}

function failure(number: number, code: string): object {
  return { jsonrpc: '2.0', error: { code: number, data: { code } } }
}

describe('a call', () => {
  test('announces a large result before it runs, only if the table marks it', async () => {
    const big = { ...METHODS, big: { ...METHODS.big, isLarge: true } }
    for (const [methods, told] of [
      [METHODS, 0],
      [big, 1],
    ] as const) {
      let calls = 0
      const { dispatch } = dispatcher({ methods })
      await dispatch(request('big', { bytes: 1 }), caller, () => void calls++)
      await dispatch(request('big', { bytes: 'many' }), caller, () => void calls++)
      expect(calls).toBe(told)
    }
  })

  test.each([1, -1, 0, Number.MAX_SAFE_INTEGER, 'a', '', 'x'.repeat(128)])(
    'is answered under its id: %j',
    async (id) => {
      expect(await answer(request('echo', { text: 'hi' }, id))).toEqual({ jsonrpc: '2.0', id, result: { text: 'hi' } })
    },
  )

  test.each([
    { id: null },
    { id: 1.5 },
    { id: 2 ** 53 },
    { id: 'x'.repeat(129) },
    { id: {} },
    { id: [1] },
    { id: true },
  ])('is refused under the id $id, which an answer cannot repeat', async ({ id }) => {
    const reply = await answer({ ...request('echo', { text: 'hi' }), id })
    expect(reply).toMatchObject({ ...failure(-32_600, 'BAD_REQUEST'), id: null })
  })

  test('may leave out params', async () => {
    expect(await answer(request('anything'))).toEqual({ jsonrpc: '2.0', id: 1, result: null })
  })

  test('is also answered by a promise of its handler', async () => {
    const handlers = { ...testHandlers(), echo: ({ text }: { text: string }) => Promise.resolve({ text }) }
    expect(await answer(request('echo', { text: 'later' }), { handlers })).toMatchObject({ result: { text: 'later' } })
  })
})

describe('anything else than a call', () => {
  const { id: _id, ...notification } = request('echo', { text: 'hi' })

  test.each([
    { what: 'a batch', data: [request('echo', { text: 'hi' })], code: 'BATCH_UNSUPPORTED', id: null },
    { what: 'a notification', data: notification, code: 'NOTIFICATION_UNSUPPORTED', id: null },
    { what: 'nothing', data: undefined, code: 'BAD_REQUEST', id: null },
    { what: 'a text', data: 'echo', code: 'BAD_REQUEST', id: null },
    { what: 'JSON-RPC 1', data: { id: 5, method: 'echo', params: {} }, code: 'BAD_REQUEST', id: 5 },
    { what: 'a method that is not a text', data: { ...request('x'), method: ['echo'] }, code: 'BAD_REQUEST', id: 1 },
    { what: 'a misspelt params', data: { ...request('anything'), param: {} }, code: 'BAD_REQUEST', id: 1 },
    { what: 'an answer', data: { jsonrpc: '2.0', id: 1, result: 1 }, code: 'BAD_REQUEST', id: 1 },
  ])('is refused: $what', async ({ data, code, id }) => {
    expect(await answer(data)).toMatchObject({ ...failure(-32_600, code), id })
  })

  test.each(['nothing.such', '', 'constructor', '__proto__', 'toString', 'Echo'])(
    'is not a method: "%s"',
    async (name) => {
      expect(await answer(request(name))).toMatchObject({ ...failure(-32_601, 'METHOD_UNKNOWN'), id: 1 })
    },
  )
})

describe('params', () => {
  test.each([
    { method: 'echo', params: {}, path: 'params.text: ' },
    { method: 'echo', params: { text: 7 }, path: 'params.text: ' },
    { method: 'echo', params: { text: 'a', more: 1 }, path: 'params: ' },
    { method: 'echo', params: ['hi'], path: 'params: ' },
    { method: 'echo', params: null, path: 'params: ' },
    { method: 'list', params: { devices: [{ name: 'a' }, { name: 3 }] }, path: 'params.devices[1].name: ' },
  ])('the path of what is wrong stands in the message: $params', async ({ method, params, path }) => {
    const reply = await answer(request(method, params))
    expect(reply).toMatchObject(failure(-32_602, 'BAD_PARAMS'))
    expect((reply as { error: { message: string } }).error.message.slice(0, path.length)).toBe(path)
  })

  test('cause a message of bounded length, whatever the names in them', async () => {
    const reply = await answer(request('echo', { text: 'a', ['\u{d83d}\u{de00}'.repeat(5000)]: 1 }))
    const { message } = (reply as { error: { message: string } }).error
    expect(message.length).toBeLessThanOrEqual(200)
    expect(message.isWellFormed()).toBe(true)
  })
})

describe('permission', () => {
  test('is checked once, before the params', async () => {
    const asked: string[] = []
    const authorize = (_caller: Caller, permission: string): boolean => {
      asked.push(permission)
      return false
    }
    const reply = await answer(request('erase', { nonsense: true }), { authorize })
    expect(reply).toMatchObject({
      id: 1,
      error: { code: -32_000, data: { code: 'PERMISSION_DENIED', permission: 'admin' } },
    })
    expect(asked).toEqual(['admin'])
  })

  test('that is missing keeps the handler from running', async () => {
    let ran = 0
    const handlers = { ...testHandlers(), erase: () => (ran++, null) }
    await answer(request('erase', {}), { handlers })
    expect(ran).toBe(0)
    await answer(request('erase', {}), { handlers, authorize: () => true })
    expect(ran).toBe(1)
  })
})

describe('a failing handler', () => {
  test.each(['throw', 'reject'])('causes INTERNAL, without details of the error: %s', async (method) => {
    const { dispatch, logged } = dispatcher()
    const frame = await dispatch(request(method), caller)
    expect(JSON.parse(frame.slice(0, -1))).toMatchObject({ data: failure(-32_603, 'INTERNAL') })
    expect(frame).not.toContain('1234')
    expect(logged).toMatchObject([{ message: 'a method failed', fields: { method, error: 'the secret is 1234' } }])
  })

  test('that throws an RpcError causes that error', async () => {
    expect(await answer(request('refuse'))).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32_000,
        message: 'there is no such device',
        data: { code: 'DEVICE_UNKNOWN', hint: 'look', bytesOver: 3 },
      },
    })
  })

  test('that throws an error of another layer causes its translation', async () => {
    expect(await answer(request('reject'), { toRpcError: translate })).toMatchObject({
      error: { data: { code: 'STORE_FULL' } },
    })
  })

  test('whose result has no JSON causes INTERNAL', async () => {
    expect(await answer(request('unsayable'))).toMatchObject(failure(-32_603, 'INTERNAL'))
  })

  test('whose result does not fit a frame causes RESULT_TOO_LARGE', async () => {
    const overhead = '{"type":"rpc","data":{"jsonrpc":"2.0","id":1,"result":""}}'.length
    const fits = await answer(request('big', { bytes: MAX_FRAME_BYTES - overhead }))
    expect(fits).toHaveProperty('result')
    const over = await answer(request('big', { bytes: MAX_FRAME_BYTES - overhead + 1 }))
    expect(over).toMatchObject({ id: 1, ...failure(-32_000, 'RESULT_TOO_LARGE') })
  })
})
