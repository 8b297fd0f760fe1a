/** Nodes of the DHT on UDP ports of 127.0.0.1, for programs in other processes (their answers: dht-net.ts). */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { DhtNet, type NetNode } from './dht-net.ts'

export async function udpNodes(count: number): Promise<NetNode[]> {
  const net = new DhtNet()
  for (let i = 0; i < count; i++) {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    onTestFinished(() => void socket.close())
    const node = net.addNode({}, { host: '127.0.0.1', port: socket.address().port })
    socket.on('message', (packet, from) => socket.send(net.answer(node, packet), from.port, from.address))
  }
  return net.nodes
}
