/** The wing of messages once there is something to do (docs/messages.md). wing.ts loads it with the first call. */
import type { MessagesMethods, MessagesStatus } from '../../ipc/methods/messages.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import { describeError } from '../../process/describe-error.ts'
import { systemClock } from '../../process/pulse.ts'
import { CallApps } from '../wing/call-apps.ts'
import type { Host, OpenWing } from '../wing/wing.ts'
import { MessagesError } from './records/errors.ts'
import { sayFarewell } from './farewell.ts'
import { messageFigures, messageFindings, NO_MESSAGES, relayFindings } from './findings.ts'
import { messageHandlers } from './methods.ts'
import { Messages } from './messages.ts'

/** All of an open wing but its start, which is this call. */
export type AtWork = Required<
  Pick<OpenWing<MessagesMethods, null>, 'handlers' | 'onEvent' | 'status' | 'findings' | 'farewell' | 'close'>
>

/** Opens the messages of this daemon. They begin as soon as the apps key is open. */
export function openAtWork({ keeper, sealed, cards, relays, log, appOf }: Host): AtWork {
  const messages = new Messages({ keeper, sealed, cards, relays, log, clock: systemClock })
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
    handlers: messageHandlers(messages, apps),
    onEvent: ({ event, data }) => {
      if (event.startsWith('message.')) void count()
      if (event === 'locked' && data.locked) void messages.settle()
    },
    status: () => {
      const part: { messages: MessagesStatus } = { messages: { appsLocked: !sealed.key.isOpen, ...figures } }
      return { part, findings: relayFindings(messages) }
    },
    findings: async (): Promise<Finding[]> => await messageFindings(messages),
    farewell: async () => await sayFarewell(messages),
    close: async () => await messages.close(),
  }
}
