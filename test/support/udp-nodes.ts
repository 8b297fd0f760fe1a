/** Nodes of the DHT on UDP ports of 127.0.0.1, for programs in other processes (their answers: dht-net.ts). */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { formatAddress } from '../../src/dht/address.ts'
import { DhtNet, type NetNode } from './dht-net.ts'

export async function udpNodes(count: number): Promise<NetNode[]> {
  const net = new DhtNet()
  const sockets = new Map<string, Socket>()
  const stranger = await openSocket()
  for (let i = 0; i < count; i++) {
    const socket = await openSocket()
    const node = net.addNode({}, { host: '127.0.0.1', port: socket.address().port })
    sockets.set(formatAddress(node), socket)
    socket.on('message', (packet, from) => {
      if (node.manners.answersAfterMs === null) return
      const answer = net.answer(node, packet)
      const sent = node.manners.send?.(answer, node) ?? [[answer, node] as const]
      // From an address that is no node's, the packet comes from a stranger.
      for (const [bytes, as] of sent) (sockets.get(formatAddress(as)) ?? stranger).send(bytes, from.port, from.address)
    })
  }
  return net.nodes
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  return socket
}
