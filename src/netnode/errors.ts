/** Errors of personad-net, and of orders that it does not carry out. */
import { PersonadError } from '../errors/personad-error.ts'

export type NetErrorCode =
  | 'NET_NOT_CONFINED' // personad-net was started without Node's permission model
  | 'NET_UDP' // the system gives no UDP socket
  | 'NET_PROXY' // a proxy is configured, and the DHT cannot go through it
  | 'NET_BUSY' // too many orders wait
  | 'NET_OFF' // the configuration has nothing that needs the network
  | 'NET_DOWN' // personad-net does not run now
  | 'NET_UNIT_MISSING' // the daemon is a service, and the unit of personad-net is not installed
  | 'NET_LOST' // personad-net ended before the order did
  | 'NET_TIMEOUT' // personad-net did not answer the order in time
  | 'NET_LIED' // personad-net answered with something that nobody signed
  | 'NET_FAILED' // it crashed, hung, sent something impossible, or cannot be started
  | 'NET_DHT' // the DHT client refuses the order; the message says why
  | 'NET_CA' // the file of net.ca_file cannot be used
  | 'NET_ADDRESS' // the address is not one that is called, or its name leads into a private network
  | 'NET_NAME' // no server of the DNS knows the name
  | 'NET_UNREACHABLE' // no connection, or it broke
  | 'NET_TLS' // the certificate is not good
  | 'NET_SILENT' // the server took too long
  | 'NET_TOO_LARGE' // the answer is longer than what was asked for
  | 'NET_REDIRECT' // the server leads to another address, which is not followed
  | 'NET_STRANGE' // the server does not answer in HTTP

export class NetError extends PersonadError<NetErrorCode> {
  override readonly name = 'NetError'
}
