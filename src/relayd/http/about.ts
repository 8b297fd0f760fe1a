/** A relay describes itself: `GET /info` for programs, and `GET /` for people. */
import { MAX_CARD_CHARS } from '../../card/card.ts'
import type { RelayLimits } from '../../relay/limits.ts'

export interface About {
  readonly version: string
  /** The relay's own URL, as clients write it. */
  readonly url: string
  readonly operator: { readonly name: string; readonly contact: string }
  readonly terms: { readonly text: string; readonly price: string; readonly url: string | null }
  /** The senders to a box: everybody, or only those who prove a token by `ext`. */
  readonly senders: 'everybody' | 'token'
  readonly limits: RelayLimits
}

const SEC_US = 1_000_000

/** The value of `GET /info`. Names keep their meaning; later versions add some. */
export function infoOf({ version, url, operator, terms, senders, limits }: About): Record<string, unknown> {
  const { box, card, inbox, object, wait, boxSends, address } = limits
  return {
    software: 'persona-relay',
    version,
    protocol: 'connectoid 0.1',
    url,
    operator,
    terms,
    senders,
    limits: {
      dataChars: limits.maxDataChars,
      bodyBytes: limits.maxBodyBytes,
      receive: limits.maxReceive,
      questionSeconds: limits.questionSec,
      messageSeconds: box.messageUs / SEC_US,
      boxSeconds: box.boxUs / SEC_US,
      boxMessages: box.maxMessages,
      boxBytes: box.maxBytes,
      uncheckedMessages: box.maxUnchecked,
      uncheckedBoxesOfAddress: box.maxUncheckedBoxes,
      retiredMessages: box.maxRetired,
      cardBytes: MAX_CARD_CHARS,
      cardSeconds: card.cardUs / SEC_US,
      guestCardsOfAddress: card.maxGuestCards,
      appsOfPersona: card.maxApps,
      inboxEntries: inbox.maxEntries,
      inboxStrangers: inbox.maxStrangers,
      entriesOfStranger: inbox.maxOfStranger,
      namedSenders: inbox.maxNamed,
      entrySeconds: inbox.entryUs / SEC_US,
      silentDeviceSeconds: inbox.silentUs / SEC_US,
      entryBytes: limits.maxEntryBytes,
      list: limits.maxList,
      objectBytes: object.maxObjectBytes,
      objectBytesOfPersona: object.maxPersonaBytes,
      objectSeconds: object.objectUs / SEC_US,
      transfers: object.maxTransfers,
      transfersOfAddress: object.maxTransfersOfAddress,
      sendsToBox: boxSends,
      requestsOfAddress: address,
      waitBoxes: wait.maxBoxes,
      waitCommentSeconds: wait.commentSec,
      streams: wait.maxStreams,
      streamsOfAddress: wait.maxStreamsOfAddress,
      diskBytes: limits.maxDiskBytes,
    },
  }
}

/** The page of `GET /`. */
export function pageOf(about: About): string {
  const { version, url, operator, terms, senders } = about
  const whose =
    operator.name === '' ? 'Its operator has not given a name.' : `${escapeHtml(operator.name)} operates this relay.`
  const contact = operator.contact === '' ? '' : ` Contact: ${escapeHtml(operator.contact)}.`
  const rows = limitRows(about.limits).map(([what, limit]) => `<tr><td>${what}</td><td>${limit}</td></tr>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>persona-relay</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }
td { padding: 0 1rem 0.2rem 0; vertical-align: top }
</style>
<h1>This is a relay</h1>
<p>Apps of two people leave sealed messages for each other at ${escapeHtml(url)}, until the other app fetches them. There is nothing
to read here: every message is encrypted before it comes, and this machine cannot decrypt it.</p>
<h2>Whose it is</h2>
<p>${whose}${contact}</p>
${terms.text === '' ? '' : `<p>${escapeHtml(terms.text)}</p>\n`}${terms.price === '' ? '' : `<p>Price: ${escapeHtml(terms.price)}</p>\n`}${terms.url === null ? '' : `<p><a href="${escapeHtml(terms.url)}" rel="noreferrer">Terms</a></p>\n`}<h2>Limits</h2>
<table>
${rows.join('\n')}
<tr><td>Who may send</td><td>${senders === 'everybody' ? 'everybody' : 'who has a token of the operator'}</td></tr>
</table>
<h2>Privacy</h2>
<p>This relay keeps sealed messages and objects, the keys of boxes, and times. It also keeps cards, which say what keys the
devices of a person have for an app, and in inboxes who left something for whom. It keeps no account and sets no cookie. It does not write addresses to
its log or its disk: it counts requests under a code of each address, whose key is forgotten each day. Whoever operates this machine or
its network can still see who connects, and when.</p>
<p>persona-relay ${escapeHtml(version)}. Programs read <a href="info">/info</a>.</p>
</html>
`
}

function limitRows({
  maxDataChars,
  box,
  card,
  inbox,
  object,
  boxSends,
  address,
  questionSec,
}: RelayLimits): [what: string, limit: string][] {
  return [
    ['One message', `${maxDataChars} characters`],
    ['One box', `${box.maxMessages} messages, ${box.maxBytes} bytes`],
    ['A message that nobody fetched', `deleted after ${spanOf(box.messageUs)}`],
    ['A box that nobody checks', `deleted after ${spanOf(box.boxUs)}`],
    ['A card', `${MAX_CARD_CHARS} bytes; kept until it expires, ${spanOf(card.cardUs)} at most`],
    ['Cards of one address without a token', card.maxGuestCards === 0 ? 'none' : String(card.maxGuestCards)],
    [
      'One inbox',
      `${inbox.maxEntries} entries, ${inbox.maxStrangers} of them from strangers; kept for ${spanOf(inbox.entryUs)} at most`,
    ],
    ['One object', `${object.maxObjectBytes} bytes; deleted after ${spanOf(object.objectUs)}`],
    ['All objects of one persona', `${object.maxPersonaBytes} bytes`],
    ['Sends to one box, and entries of one sender', `${boxSends.burst} at once, then ${boxSends.perSec} a second`],
    ['Requests of one address', `${address.burst} at once, then ${address.perSec} a second`],
    ['A question', `answered within ${questionSec} seconds`],
  ]
}

/** A span in the largest unit that has at least two. */
function spanOf(us: number): string {
  const sec = us / SEC_US
  const [unit, length] = (
    [
      ['days', 86_400],
      ['hours', 3600],
      ['minutes', 60],
    ] as const
  ).find(([, length]) => sec >= 2 * length) ?? ['seconds', 1]
  return `${Math.floor(sec / length)} ${unit}`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)
}
