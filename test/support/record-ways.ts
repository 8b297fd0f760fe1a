/** The ways of a daemon that has one carrier over records in memory. */
import type { RecordCarrier } from '../../src/channel/carriers/records/record-carrier.ts'
import type { Ways } from '../../src/daemon/channels/ends/means.ts'
import { exportBoxSecret, generateBoxKeyPair } from '../../src/seal/key-pair.ts'

export function waysBy(carrier: RecordCarrier): Ways {
  return {
    all: [carrier],
    of: (url) => (carrier.serves(url) ? carrier : null),
    openPlace: async () => {
      const pair = await generateBoxKeyPair('x25519', true)
      const [pub, secret] = [pair.key.bytes, await exportBoxSecret(pair)]
      return { address: { pub, where: [await carrier.open('records', pub, secret)] }, secret }
    },
  }
}
