/** The calls of the operator's commands to a running relay. */
import { PersonadError } from '../../errors/personad-error.ts'
import { formatBoxKey } from '../../seal/box-key.ts'
import { readKey } from '../boxes/request.ts'
import type { Personas } from '../personas/personas.ts'
import type { RelayStore } from '../store/relay-store.ts'
import type { Figures } from './metrics.ts'
import type { Calls } from './operator-server.ts'
import type { Tokens } from './tokens.ts'

export class CallError extends PersonadError<'CALL_KEY' | 'CALL_FULL'> {
  override readonly name = 'CallError'
}

export interface OperatorInput {
  readonly store: RelayStore
  readonly personas: Pick<Personas, 'forget'>
  readonly tokens: Tokens
  readonly figures: () => Promise<Figures>
  readonly nowSec: () => number
  readonly random: (bytes: number) => Uint8Array
}

export function operatorCalls({ store, personas, tokens, figures, nowSec, random }: OperatorInput): Calls {
  return {
    stats: () => figures(),
    forget: async ({ pub }) => {
      // No key of a box is 48 bytes long, as these digits are in base64url.
      if (typeof pub === 'string' && /^[0-9A-F]{64}$/.test(pub)) {
        const forgotten = await personas.forget(pub)
        if (forgotten === null)
          throw new CallError('CALL_FULL', 'the disk is full, and a part is still there: make room, and do it again')
        return { found: Object.values(forgotten).some((count) => count > 0), ...forgotten }
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
