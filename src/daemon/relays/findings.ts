/** What `doctor` says about the relays of the owner: each is called once. */
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { OwnRelays } from './own-relays.ts'

const MAX_AHEAD_SEC = 60 // format: a question is good for 60 s, and clients allow 120

export async function relayFindings(relays: OwnRelays): Promise<Finding[]> {
  const own = relays.list()
  if (own.length === 0) return []
  const { readAbout } = await import('./try-relay.ts')
  return await Promise.all(
    own.map(async ({ url, hasToken }) => {
      const client = await relays.client(url).catch(() => null)
      const about = client === null ? { url } : { url: client.address.url }
      const said = client === null ? null : await readAbout(client).catch(() => null)
      if (said === null) return problem('RELAY_AWAY', `your relay ${url} does not answer`, AWAY, about)
      if (said.needsToken && !hasToken)
        return problem('RELAY_WANTS_TOKEN', `your relay ${url} lets nobody send to you without a token`, TOKEN, about)
      if (said.aheadSec !== null && Math.abs(said.aheadSec) > MAX_AHEAD_SEC) {
        const message = `the clocks of your relay ${url} and of this computer are ${Math.abs(said.aheadSec)} s apart`
        return notice('RELAY_CLOCK', message, 'see whether the clock of this computer is right', about)
      }
      return ok('RELAY', `your relay ${url} answers`)
    }),
  )
}

const AWAY = 'check its address and the network; channels and messages go on by themselves once it answers'
const TOKEN = 'ask its operator for a token, and add the relay again with it'
