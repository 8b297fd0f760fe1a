/** Errors of the library for web pages. Each code has one cause, and each message is a sentence that a page can show. */
import { PersonadError } from '../errors/personad-error.ts'

export type ConnectoidErrorCode =
  | 'NOT_A_LINK' // the text begins like no link of an app and no invite
  | 'DAMAGED' // a character of the link is wrong or missing
  | 'CUT' // a messenger has cut off what stands after #
  | 'OTHER_APP' // the link is for another app
  | 'EXPIRED' // the link is over
  | 'OWN_LINK' // this browser has made the link
  | 'PERSONA' // the link asks for proof of a persona, which a page cannot check or give
  | 'BAD_APP' // the name of the app has another form
  | 'BAD_SERVICE' // the address of a relay has another form, or there are none or too many
  | 'BAD_ICE' // the browser does not take the servers for direct connections
  | 'BAD_PAGE' // the address of the page has another form
  | 'BAD_NAME' // the name of a person is no nickname
  | 'NOT_CONNECTED' // nothing can be sent to this peer now
  | 'TOO_LARGE' // a content has at most 64 MiB
  | 'OUTBOX_FULL' // the peer has not taken enough
  | 'UNSUPPORTED' // the browser lacks something that the library needs
  | 'UNREADABLE' // the data of one person is damaged, or a later version wrote it
  | 'STORAGE' // the browser cannot keep the data
  | 'CLOSED' // the library was closed, or another tab has the channels

export class ConnectoidError extends PersonadError<ConnectoidErrorCode> {
  override readonly name = 'ConnectoidError'
}

/** The records of one peer cannot be used. @param cause why */
export function unreadable(cause: unknown): ConnectoidError {
  return new ConnectoidError('UNREADABLE', 'the data of one person cannot be read in this browser', {
    hint: 'unshare with them, and share a new link',
    cause,
  })
}
