/** The own persona in chats: whose messages go beside channels. */
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import { RpcError } from '../../ipc/wire/rpc.ts'

/** @returns PersonaID; null without a persona */
export async function ownPersona(client: Client): Promise<string | null> {
  const { persona } = await client.call('status')
  if (persona === null) return null
  try {
    await client.call('message.open', { app: CHAT_APP })
  } catch (error) {
    // Without a relay, lines go by channels alone.
    if (!(error instanceof RpcError)) throw error
  }
  return persona.personaId
}
