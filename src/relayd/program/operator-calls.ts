/** The calls of the operator's commands to a running relay. */
import { PersonadError } from '../../errors/personad-error.ts'
import { formatBoxKey } from '../../seal/box-key.ts'
import { readKey } from '../boxes/request.ts'
import type { RelayStore } from '../store/relay-store.ts'
import type { Figures } from './metrics.ts'
import type { Calls } from './operator-server.ts'
import type { Tokens } from './tokens.ts'

export class CallError extends PersonadError<'CALL_KEY'> {
  override readonly name = 'CallError'
}

export interface OperatorInput {
  readonly store: RelayStore
  readonly tokens: Tokens
  readonly figures: () => Promise<Figures>
  readonly nowSec: () => number
  readonly random: (bytes: number) => Uint8Array
}

export function operatorCalls({ store, tokens, figures, nowSec, random }: OperatorInput): Calls {
  return {
    stats: () => figures(),
    forget: async ({ pub }) => {
      // No key of a box is 48 bytes long, as these digits are in base64url.
      if (typeof pub === 'string' && /^[0-9A-F]{64}$/.test(pub)) {
        const cards = await store.forgetCards(pub)
        const inboxes = await store.inboxes.forget(pub)
        return { found: cards + inboxes > 0, cards, inboxes }
      }
      const key = readKey(pub)
      if (key === null)
        throw new CallError(
          'CALL_KEY',
          'this is no key of a box and no PersonaID: give the pub of a link or of a request in base64url, or 64 digits of upper-case hex',
        )
      return { found: await store.forget(formatBoxKey(key)) }
    },
    'token-add': async ({ name }) => ({ token: await tokens.add(String(name), nowSec(), random) }),
    'token-list': () => Promise.resolve({ tokens: tokens.list() }),
    'token-remove': async ({ name }) => ({ found: await tokens.remove(String(name)) }),
  }
}
