import { expect, test } from 'vitest'
import { routeOf } from '../../../../src/relayd/http/routes.ts'
import { parseWait } from '../../../../src/relayd/http/wait-request.ts'

const route = (name: string): unknown => ({ outcome: 'route', route: name })

test.each([
  ['POST', '/', '', 'box'],
  ['GET', '/', '', 'page'],
  ['HEAD', '/?x', '', 'page'],
  ['POST', '/wait', '', 'wait'],
  ['GET', '/info', '', 'info'],
  ['GET', '/healthz?a=b', '', 'healthz'],
  ['POST', '/a/b', '/a/b', 'box'],
  ['POST', '/a/b/', '/a/b', 'box'],
  ['POST', '/a/b/wait', '/a/b', 'wait'],
  ['POST', '/wait', '/a/b', 'wait'],
  ['POST', '/', '/a/b', 'box'],
  ['OPTIONS', '/anything', '', 'options'],
])('%s %s with the base path "%s" is the route %s', (method, target, base, name) => {
  expect(routeOf(method, target, base)).toEqual(route(name))
})

test.each([
  ['GET', '/ab', '/a'],
  ['POST', '/wait/', ''],
  ['GET', '//', ''],
  ['GET', '/../info', ''],
  ['GET', 'http://relay.example/', ''],
  ['GET', '/metrics', ''],
])('%s %s with the base path "%s" is no path', (method, target, base) => {
  expect(routeOf(method, target, base)).toEqual({ outcome: 'no such path' })
})

test('another method names those that the route has', () => {
  expect(routeOf('DELETE', '/', '')).toEqual({ outcome: 'other method', allowed: 'GET, HEAD, POST, OPTIONS' })
  expect(routeOf('GET', '/wait', '')).toEqual({ outcome: 'other method', allowed: 'POST, OPTIONS' })
})

const boxes = (count: number): unknown => ({
  boxes: Array.from({ length: count }, (_, i) => ({ pub: `p${i}`, at: 0 })),
})

test('a wait names 1 to 256 boxes, each once', () => {
  expect(parseWait(boxes(0), 256)).toBeNull()
  expect(parseWait(boxes(1), 256)).toHaveLength(1)
  expect(parseWait(boxes(256), 256)).toHaveLength(256)
  expect(parseWait(boxes(257), 256)).toBeNull()
  expect(
    parseWait(
      {
        boxes: [
          { pub: 'p', at: 0 },
          { pub: 'p', at: 1 },
        ],
      },
      256,
    ),
  ).toBeNull()
})

test('the moment of a wait is a whole number below 2^53, or decimal text', () => {
  const at = (value: unknown): unknown => parseWait({ boxes: [{ pub: 'p', at: value }] }, 256)?.[0]?.at
  expect([0, 2 ** 53 - 1, '17', '9007199254740991'].map(at)).toEqual([0, 2 ** 53 - 1, 17, 2 ** 53 - 1])
  for (const bad of [-1, 0.5, 2 ** 53, '9007199254740992', '1e3', '', ' 1', null, undefined, [], {}])
    expect(at(bad), JSON.stringify(bad)).toBeUndefined()
})

test.each([
  null,
  'x',
  1,
  [],
  {},
  { boxes: {} },
  { boxes: [null] },
  { boxes: [{ at: 0 }] },
  { boxes: [{ pub: 1, at: 0 }] },
])('%j is no wait', (value) => {
  expect(parseWait(value, 256)).toBeNull()
})
