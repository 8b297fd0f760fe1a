/** Waits until the two sides of a new channel have met, and shows the four words that both see. */
import type { Client, DaemonEvent, LaggedEvent } from '../../ipc/client.ts'
import { quoteWord } from '../../ipc/command-word.ts'
import type { ChannelView } from '../../ipc/methods/channel-values.ts'
import { describeChannelEvent } from '../events/channels.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { lookAgain } from '../io/look-again.ts'
import { wordsAdvice } from './list.ts'
import { channelState } from './states.ts'

/** Looks for the channel that is waited for; null while there is none. */
export type Look = () => Promise<ChannelView | null>

/**
 * Waits until the channel is there and its state is settled.
 * @param app whose alarms are shown meanwhile
 * @returns null at Ctrl-C: the daemon goes on alone
 */
export async function waitForMeeting(
  context: Context,
  client: Client,
  app: string,
  look: Look,
): Promise<ChannelView | null> {
  return await lookAgain(client, {
    events: ['channel.changed', 'channel.alarm'],
    see: (event) => {
      if (isAlarmOf(app, event)) remark(context, describeChannelEvent(event))
      return true
    },
    look: async () => {
      const channel = await look()
      return channel === null || channel.state === 'waiting' || channel.state === 'meeting' ? null : channel
    },
  })
}

/** Prints a channel that was waited for, with its words. @returns the exit status */
export function printMet(context: Context, channel: ChannelView): number {
  const who = showName(channel.name, channel.peer.persona)
  if (channel.words === null || (channel.state !== 'open' && channel.state !== 'held')) {
    print(context, channel, [`the channel with ${who} is ${channelState(channel)}`])
    return channel.state === 'open' ? EXIT_DONE : EXIT_FAILED
  }
  print(context, channel, [
    channel.state === 'open'
      ? `the channel with ${who} is open`
      : `somebody came with the invite for ${who}, but without its secret part: the channel waits until you compare the words`,
    'both sides see these four words:',
    '',
    `    ${channel.words.join(' ')}`,
    '',
    ...wordsAdvice(channel),
  ])
  return EXIT_DONE
}

type Alarm = Extract<DaemonEvent, { readonly event: 'channel.alarm' }>

function isAlarmOf(app: string, event: DaemonEvent | LaggedEvent): event is Alarm {
  return event.event === 'channel.alarm' && event.data.app === app
}

/**
 * The error CANCELLED, so that a script sees that nobody has come yet.
 * @param name of the channel that is to be; null where the daemon will give one
 */
export function stillWaiting(name: string | null): CliError {
  const command = name === null ? 'persona channel list' : `persona channel show ${quoteWord(name)}`
  return new CliError('CANCELLED', 'stopped waiting; the daemon goes on', {
    hint: `to see later whether the channel is open: ${escapeText(command)}`,
  })
}
