/**
 * The program personad-net: moves sealed bytes over the network for the daemon. It has no keys, and reads no file but
 * its own code. It serves one daemon on its standard input and output, or any on the socket of its unit.
 */
import { lookup } from 'node:dns/promises'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { systemClock } from '../process/pulse.ts'
import { isActivated, listen, LISTEN_FD } from './listen.ts'
import { Session, type Resolvers } from './session.ts'

const resolvers: Resolvers = {
  ipv4: async (host) => (await lookup(host, { family: 4, all: true })).map(({ address }) => address),
  all: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
}

function refuse(reason: string): never {
  process.stderr.write(`personad-net: error: ${reason}\n`)
  process.exit(2)
}

/** In a terminal Ctrl-C reaches this process too. The daemon ends it, after its own last orders. */
function ignoreTerminal(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
}

// One compiler of V8 is enough: maglev without inlining takes 2 MB and halves the CPU of a lookup, and the others would take 4 MB more. They are set
// here because node does not start with a flag that a later V8 lacks.
for (const flag of ['--no-turbofan', '--no-sparkplug', '--no-maglev-inlining']) setFlagsFromString(flag)
// A start by hand would otherwise give the program all files of the user.
if (process.permission === undefined || process.permission.has('fs.write'))
  refuse('start it under the permissions of Node: the daemon and "persona service install --net" do that')
if (isActivated(process.env, process.pid)) {
  listen(
    { fd: LISTEN_FD },
    {
      clock: systemClock,
      serve: (socket) => new Session(socket, resolvers).serve(socket),
      onIdle: () => process.exit(0),
    },
  )
} else {
  if (process.stdin.isTTY) refuse('it is no program for people: the daemon starts it')
  ignoreTerminal()
  await new Session(process.stdout, resolvers).serve(process.stdin)
  process.exit(0)
}
