/**
 * The program personad-net: moves sealed bytes over the network for the daemon. It has no keys, and reads no file but
 * its own code. It serves one daemon on its standard input and output, or any on the socket of its unit.
 */
import { lookup } from 'node:dns/promises'
import { serveDaemons } from '../process/daemon-child.ts'
import { useOneCompiler } from '../process/small-program.ts'
import { Session, type Resolvers } from './session.ts'

const resolvers: Resolvers = {
  ipv4: async (host) => (await lookup(host, { family: 4, all: true })).map(({ address }) => address),
  all: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
}

useOneCompiler()
await serveDaemons('personad-net', (input, output) => new Session(output, resolvers).serve(input))
