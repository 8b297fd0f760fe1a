/** The start of a program that serves daemons: one on its standard input and output, or any on the socket of its unit. */
import process from 'node:process'
import { Writable } from 'node:stream'
import { isActivated, listen, LISTEN_FD } from './listen.ts'
import { systemClock } from './pulse.ts'

/** @param serve serves one daemon until its input ends. Never throws */
export async function serveDaemons(
  name: string,
  serve: (input: AsyncIterable<Buffer>, output: Writable) => Promise<void>,
): Promise<void> {
  const refuse = (reason: string): never => {
    process.stderr.write(`${name}: error: ${reason}\n`)
    process.exit(2)
  }
  // A start by hand would otherwise give the program all files of the user.
  if (process.permission === undefined || process.permission.has('fs.write'))
    refuse('start it under the permissions of Node: the daemon and "persona service install --net" do that')
  if (isActivated(process.env, process.pid)) {
    listen(
      { fd: LISTEN_FD },
      { clock: systemClock, serve: (socket) => serve(socket, socket), onIdle: () => process.exit(0) },
    )
    return
  }
  if (process.stdin.isTTY) refuse('it is no program for people: the daemon starts it')
  // In a terminal Ctrl-C reaches this process too. The daemon ends it, after its own last orders.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  await serve(process.stdin, process.stdout)
  process.exit(0)
}
