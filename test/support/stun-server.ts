/**
 * A program: a STUN server that answers requests of Binding over IPv4 (RFC 8489) at the address in argv[2], on port 3478. It prints `ready`, then a line
 * with the address and the port of each asker as it sees them.
 */
import { createSocket } from 'node:dgram'

const PORT = 3478
const COOKIE = 0x2112a442
const HEADER_BYTES = 20
const BINDING_REQUEST = 0x0001
const BINDING_RESPONSE = 0x0101
const XOR_MAPPED_ADDRESS = 0x0020
const ADDRESS_BYTES = 8
const IPV4 = 1

/** The answer to a request from this address; null for other datagrams. */
function answer(request: Buffer, address: string, port: number): Buffer | null {
  if (request.length < HEADER_BYTES || request.readUInt16BE(0) !== BINDING_REQUEST) return null
  if (request.readUInt32BE(4) !== COOKIE) return null
  const response = Buffer.alloc(HEADER_BYTES + 4 + ADDRESS_BYTES)
  // The cookie and the id of the request.
  request.copy(response, 4, 4, HEADER_BYTES)
  response.writeUInt16BE(BINDING_RESPONSE, 0)
  response.writeUInt16BE(4 + ADDRESS_BYTES, 2)
  response.writeUInt16BE(XOR_MAPPED_ADDRESS, HEADER_BYTES)
  response.writeUInt16BE(ADDRESS_BYTES, HEADER_BYTES + 2)
  response.writeUInt16BE(IPV4, HEADER_BYTES + 4)
  response.writeUInt16BE(port ^ (COOKIE >>> 16), HEADER_BYTES + 6)
  const number = Buffer.from(address.split('.').map(Number)).readUInt32BE()
  response.writeUInt32BE((number ^ COOKIE) >>> 0, HEADER_BYTES + 8)
  return response
}

const socket = createSocket('udp4')
socket.on('message', (request, { address, port }) => {
  const response = answer(request, address, port)
  if (response === null) return
  socket.send(response, port, address)
  console.log(`${address} ${port}`)
})
// An answer from another address of this machine would belong to no connection of a NAT.
socket.bind(PORT, process.argv[2], () => console.log('ready'))
