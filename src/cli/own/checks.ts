/** Checks that come before a command asks for a secret or writes a file: nobody types 24 words only to read that they were not needed. */
import type { Client } from '../../ipc/client.ts'
import { CliError } from '../io/errors.ts'

/** @throws {CliError} PERSONA_EXISTS */
export async function checkNoPersona(client: Client): Promise<void> {
  const { persona } = await client.call('status')
  if (persona === null) return
  throw new CliError('PERSONA_EXISTS', `this daemon already keeps a persona: ${persona.personaId}`, {
    hint: 'one daemon keeps one persona; use another --home for a second one, or see: persona status',
  })
}

/** @throws {RpcError} NO_PERSONA */
export async function checkPersona(client: Client): Promise<void> {
  await client.call('device.list')
}
