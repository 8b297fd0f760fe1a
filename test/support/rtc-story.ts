/**
 * Makes a connection of WebRTC through the unit of personad-rtc, both ends of it over loopback, and keeps it open. Prints the line
 * "rtc-connected yes" for test/e2e/systemd.test.ts. Argument: the socket of the unit.
 */
import { connectRtc } from '../../src/daemon/net/program.ts'
import type { ConnectionListener } from '../../src/channel/rtc/connections.ts'
import { Rtc } from '../../src/daemon/net/rtc.ts'
import { silentLog } from './silent-log.ts'

const [socket = ''] = process.argv.slice(2)

class Peer implements ConnectionListener {
  readonly sdp = Promise.withResolvers<string>()
  readonly open = Promise.withResolvers<void>()

  described(sdp: string): void {
    this.sdp.resolve(sdp)
  }

  connected(): void {
    this.open.resolve()
  }

  message(): void {}

  closed(): void {
    const error = rtc.problem ?? new Error('the connection is closed')
    this.sdp.reject(error)
    this.open.reject(error)
  }
}

const rtc = new Rtc({ settings: { ice: [], address: '127.0.0.1' }, log: silentLog, open: () => connectRtc(socket) })
const [host, guest] = [new Peer(), new Peer()]
const offer = rtc.connect(null, host)
rtc.connect(await host.sdp.promise, guest)
offer.answer(await guest.sdp.promise)
await Promise.all([host.open.promise, guest.open.promise])
console.log('rtc-connected yes')
