/** The methods of a pairing. Their code is loaded with the first call (docs/ipc.md, section 3). */
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { Pairing } from './pairing.ts'

export type PairingMethods = Pick<
  Methods,
  'pairing.offer' | 'pairing.join' | 'pairing.carry' | 'pairing.confirm' | 'pairing.cancel'
>

export function pairingHandlers(keeper: Keeper): Handlers<PairingMethods> {
  let pairing: Promise<Pairing> | null = null
  // Loaded late: the Noise library takes time to load, and most daemons never pair.
  const load = async (): Promise<Pairing> => new (await import('./pairing.ts')).Pairing(keeper)
  const once = (): Promise<Pairing> => (pairing ??= load())
  return {
    'pairing.offer': async ({ carrier }) => (await once()).offer(carrier),
    'pairing.join': async ({ code, carrier, device, passphrase }) =>
      (await once()).join(code, carrier, { device: device ?? null, passphrase: passphrase ?? null }),
    'pairing.carry': async ({ message }) => (await once()).carry(message),
    'pairing.confirm': async () => (await once()).confirm(),
    'pairing.cancel': async () => {
      await (await once()).cancel()
      return {}
    },
  }
}
