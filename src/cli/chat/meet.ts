/** `persona chat invite` and `accept`: a chat begins with a channel of its own app. */
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import { accept, type AcceptOptions } from '../channels/accept.ts'
import { invite, type InviteOptions } from '../channels/invite.ts'
import type { Context } from '../io/context.ts'

export async function inviteToChat(
  context: Context,
  name: string | undefined,
  options: InviteOptions,
): Promise<number> {
  return await invite(context, name, { ...options, app: CHAT_APP })
}

export async function acceptChat(context: Context, text: string, options: AcceptOptions): Promise<number> {
  return await accept(context, text, { ...options, app: CHAT_APP })
}
