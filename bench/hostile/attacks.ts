/** A program: attacks the app socket in one way until it is killed. Arguments: the socket, the kind, the key of a known device. */
import { createConnection, type Socket } from 'node:net'
import { formatRequest } from '../../src/ipc/wire/rpc.ts'
import { MAX_FRAME_BYTES } from '../../src/ipc/wire/frame.ts'

const AGAIN_MS = 20 // sanity: a closed connection comes back soon, and the program does not spin

/** Opens a connection, and another one whenever it is closed. */
function always(path: string, work: (socket: Socket) => void): void {
  const socket = createConnection(path)
  socket.on('error', () => {})
  socket.on('connect', () => work(socket))
  socket.on('close', () => setTimeout(() => always(path, work), AGAIN_MS))
}

/** Sends a text again and again, as fast as it is taken, and reads all answers. */
function flood(socket: Socket, text: string): void {
  socket.resume()
  const send = (): void => {
    while (socket.writable && socket.write(text));
  }
  socket.on('drain', send)
  send()
}

function many(path: string, count: number, work: (socket: Socket) => void): void {
  for (let n = 0; n < count; n++) always(path, work)
}

const manyNames = JSON.stringify(Array.from({ length: 16_000 }, (_, n) => `no.such.event.${n}`))
const wrongNames = `{"type":"rpc","data":{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"events":${manyNames}}}}\f`
const members = Array.from({ length: 16_000 }, (_, n) => `"x${n}":0`).join()
const unknownMembers = `{"type":"rpc","data":{"jsonrpc":"2.0","id":1,"method":"lookup","params":{"query":"a",${members}}}}\f`
const call = (method: string, params: object): string => formatRequest(1, method, params)

/** Each kind that the issue and the tests of the socket name. */
const KINDS: Readonly<Record<string, (path: string, known: string) => void>> = {
  'frames of wrong event names': (path) => many(path, 60, (socket) => flood(socket, wrongNames)),
  'lookups with unknown members': (path) => many(path, 60, (socket) => flood(socket, unknownMembers)),
  'pipelined app.hello': (path) =>
    many(path, 150, (socket) => flood(socket, call('app.hello', { token: 'A'.repeat(43) }).repeat(50))),
  'pipelined contact.list': (path) =>
    many(path, 150, (socket) => flood(socket, call('contact.list', { limit: 500 }).repeat(20))),
  'pipelined lookups': (path, known) =>
    many(path, 60, (socket) => flood(socket, call('lookup', { query: known }).repeat(200))),
  'replays of a rare event': (path) =>
    many(path, 20, (socket) => flood(socket, call('subscribe', { events: ['clock'], after: 0 }))),
  'calls whose answers nobody reads': (path) =>
    many(path, 150, (socket) => {
      socket.pause()
      const send = (): void => {
        while (socket.writable && socket.write(call('contact.list', { limit: 500 }).repeat(20)));
      }
      socket.on('drain', send)
      send()
    }),
  'frames that never end': (path) => many(path, 150, (socket) => void socket.write('x'.repeat(MAX_FRAME_BYTES - 1))),
  'connections that come and go': (path) => many(path, 60, (socket) => void socket.end('GET / HTTP/1.1\r\n\r\n\f')),
  'idle connections': (path) => many(path, 300, (socket) => void socket.resume()),
}

export const ATTACKS: readonly string[] = Object.keys(KINDS)

if (import.meta.main) {
  const [, , path = '', kind = '', known = ''] = process.argv
  KINDS[kind]!(path, known)
  console.log('attacking')
}
