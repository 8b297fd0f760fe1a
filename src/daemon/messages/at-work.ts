/** The wing of messages once there is something to do (docs/messages.md). wing.ts loads it with the first call. */
import type { MessagesMethods, MessagesStatus } from '../../ipc/methods/messages.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import { describeError } from '../../process/describe-error.ts'
import { systemClock } from '../../process/pulse.ts'
import { CallApps } from '../wing/call-apps.ts'
import type { Letters } from '../wing/letters.ts'
import type { Host, OpenWing } from '../wing/wing.ts'
import { MessagesError } from './records/errors.ts'
import { sayFarewell } from './farewell.ts'
import { messageFigures, messageFindings, NO_MESSAGES, relayFindings } from './findings.ts'
import { messageHandlers } from './methods.ts'
import { Messages } from './messages.ts'
import { noteFailure } from './records/means.ts'

/** All of an open wing but its start, which is this call. */
export type AtWork = Required<
  Pick<OpenWing<MessagesMethods, null>, 'handlers' | 'onEvent' | 'status' | 'findings' | 'farewell' | 'close'>
> & { readonly sendInvite: Letters['send'] }

/** Opens the messages of this daemon. They begin as soon as the apps key is open. */
export function openAtWork({ keeper, sealed, cards, relays, letters, log, appOf }: Host): AtWork {
  const takeInvite: Letters['take'] = async (letter) => await letters.take(letter)
  const messages = new Messages({ keeper, sealed, cards, relays, takeInvite, log, clock: systemClock })
  const apps = new CallApps(appOf, 'messages', (message, hint) => new MessagesError('MESSAGE_APP', message, hint))
  let figures = NO_MESSAGES
  const count = async (): Promise<void> => {
    try {
      if (messages.isOpen) figures = await messageFigures(messages)
    } catch (error) {
      log.debug('messages.figures', describeError(error))
    }
  }
  messages.start()
  void messages.idle().then(count)
  return {
    handlers: messageHandlers(messages, apps, count),
    onEvent: ({ event, data }) => {
      if (event.startsWith('message.')) void count()
      if ((event === 'locked' && data.locked) || event === 'own.changed') void messages.settle()
      const noteFailed = (error: unknown): void => log.debug('messages.known', describeError(error))
      if (event === 'contact.changed') void messages.contactChanged(data).catch(noteFailed)
      if (event === 'contact.forgotten') void messages.contactForgotten(data).catch(noteFailed)
    },
    status: () => {
      const part: { messages: MessagesStatus } = { messages: { appsLocked: !sealed.key.isOpen, ...figures } }
      return { part, findings: relayFindings(messages) }
    },
    findings: async (): Promise<Finding[]> => await messageFindings(messages),
    sendInvite: async (app, persona, invite) => await sendInvite(messages, app, persona, invite),
    farewell: async () => await sayFarewell(messages),
    close: async () => await messages.close(),
  }
}

/** An app that takes no messages here gets no inbox by this. */
async function sendInvite(messages: Messages, app: string, persona: string, invite: string): Promise<boolean> {
  const { sender, means } = await messages.opened()
  if (!means.cards.deviceNow(app)?.card.inboxes.length) return false
  try {
    await sender.invite(app, persona, invite)
    return true
  } catch (error) {
    if (!(error instanceof MessagesError)) throw error
    noteFailure('message.invite', error, means)
    return false
  }
}
