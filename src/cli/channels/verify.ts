/** `persona channel verify`: two people compare the four words of their channel. */
import { quoteWord } from '../../ipc/command-word.ts'
import { withDaemon } from '../io/connect.ts'
import { print, tell, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
import { findChannel, type WithApp } from './find.ts'

export interface VerifyOptions extends WithApp {
  /** The words that the other side sees, for scripts. */
  readonly words?: string
}

const WORDS = 4 // format: docs/channel.md, section 4

/** Only a yes, or the same words, confirms. Without a terminal it shows the words and changes nothing. */
export async function verify(context: Context, name: string, options: VerifyOptions): Promise<number> {
  const given = options.words === undefined ? null : splitWords(options.words)
  return await withDaemon(context, async (client) => {
    const channel = await findChannel(client, name, options)
    const who = showName(channel.name, channel.peer.persona)
    const known = await client.call('channel.verify', { id: channel.id })
    const asks = given === null && known.words !== null && !known.verified && !context.json && isInteractive()
    const words = asks ? await askSame(channel.name, who, known.words) : given
    if (words === null) {
      print(context, known, describeKnown(known, who, channel.name))
      return EXIT_DONE
    }
    const done = await client.call('channel.verify', { id: channel.id, words })
    print(context, done, [`verified: nobody is between you and ${who}`])
    return EXIT_DONE
  })
}

/** @throws {CliError} USAGE */
function splitWords(text: string): string[] {
  const words = text.trim().toLowerCase().split(/\s+/)
  if (words.length === WORDS) return words
  throw new CliError('USAGE', `--words needs the four words, not ${words.length}`, { hint: 'put them in quotes' })
}

/** @throws {CliError} WORDS_DIFFER | CANCELLED */
async function askSame(channel: string, who: string, words: string[] | null): Promise<string[]> {
  tell(`You see these four words:\n\n    ${words!.join(' ')}\n\n`)
  const answer = (await askLine(`Does ${who} see the same four words? [yes/no] `)).trim()
  if (/^y(es)?$/i.test(answer)) return words!
  if (!/^no?$/i.test(answer)) throw new CliError('CANCELLED', 'nothing was confirmed')
  throw new CliError('WORDS_DIFFER', `you and ${who} see different words; nothing was confirmed`, {
    hint: 'somebody may be between you: send nothing, close this channel, and send a new invite another way',
    details: { channel },
  })
}

function describeKnown(
  { words, verified }: { readonly words: string[] | null; readonly verified: boolean },
  who: string,
  name: string,
): string[] {
  if (verified) return [`the words were compared with ${who} already`]
  if (words === null) return [`there are no words yet: ${who} has not answered`]
  return [
    `    ${words.join(' ')}`,
    '',
    `ask ${escapeText(name)} for their four words, and compare them with: persona channel verify ${escapeText(quoteWord(name))} --words "FOUR WORDS"`,
  ]
}
