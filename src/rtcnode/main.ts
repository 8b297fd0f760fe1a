/**
 * The program personad-rtc: makes connections of WebRTC for the daemon, by the native code of node-datachannel. It has no keys, and reads no file but
 * its own code. It serves one daemon on its standard input and output, or any on the socket of its unit.
 */
import { serveDaemons } from '../process/daemon-child.ts'
import { useOneCompiler } from '../process/small-program.ts'
import { Session } from './session.ts'

useOneCompiler()
await serveDaemons('personad-rtc', (input, output) => new Session(output).serve(input))
