/** Answers the methods of messages (docs/ipc.md, section 3, message). */
import type { Handlers } from '../../ipc/methods/method.ts'
import type { MessagesMethods } from '../../ipc/methods/messages.ts'
import type { CallApps } from '../wing/call-apps.ts'
import type { Messages } from './messages.ts'
import { propose, rejectProposal } from './proposed.ts'
import { answerRequest } from './receiving/answer-request.ts'
import { hasRoomAgain } from './receiving/fetch-object.ts'
import { ackMessages, readMessages } from './receiving/read.ts'
import { appsOf, mailboxOf, requestsOf, sentPage } from './views.ts'

/** @param count brings the figures of the status up to date, after a change of which no event tells */
export function messageHandlers(
  messages: Messages,
  apps: CallApps,
  count: () => Promise<void>,
): Handlers<MessagesMethods> {
  const { means } = messages
  return {
    'message.open': async ({ app: wish }, caller) => {
      await messages.opened()
      const app = apps.appFor(caller, wish)
      await messages.use(app)
      return mailboxOf(app, messages)
    },
    'message.put': async (params, caller) => {
      const { sender } = await messages.opened()
      const app = apps.appFor(caller, params.app)
      if (caller.role !== 'admin') sender.count(app)
      return { number: await sender.put(app, params) }
    },
    'message.read': async (params, caller) => {
      await messages.opened()
      return readMessages(apps.appFor(caller, params.app), params, means)
    },
    'message.ack': async ({ app: wish, upTo }, caller) => {
      const { queue } = await messages.opened()
      const app = apps.appFor(caller, wish)
      const unread = await ackMessages(app, upTo, means)
      if (hasRoomAgain(app, means)) queue.wake('MESSAGES_FULL')
      await count()
      return { unread }
    },
    'message.sent': async (params, caller) =>
      sentPage(apps.appFor(caller, params.app), params, await messages.opened()),
    'message.list': async ({ app: wish }, caller) => {
      await messages.opened()
      const app = apps.seenBy(caller, wish)
      const names = app === null ? await appsOf(messages) : [app]
      return { apps: names.map((name) => mailboxOf(name, messages)), requests: await requestsOf(app, messages) }
    },
    'message.propose': async ({ app: wish, ...places }, caller) => {
      await messages.opened()
      const app = apps.appFor(caller, wish)
      const isRejection = caller.role === 'admin' && places.inboxes === undefined && places.stores === undefined
      await (isRejection ? rejectProposal(app, means) : propose(app, places, means))
      await count()
      return mailboxOf(app, messages)
    },
    'message.answer': async ({ app, persona, answer }) => {
      const { queue, inboxes } = await messages.opened()
      await answerRequest(app, persona, answer, queue, means)
      inboxes.rule(persona, [app])
      await count()
      return {}
    },
  }
}
