/**
 * node-ipc without a look at the network. It lists the interfaces of this machine when it is imported and for each server, only to choose
 * an address for servers on the network, of which we have none. The list opens a netlink socket, which the sandbox of the service forbids.
 */
import os from 'node:os'
import type { GuardedParser as Parser, IPCModule as Module } from 'node-ipc'

const { IPCModule, GuardedParser: Guarded } = await withoutInterfaces(() => import('node-ipc'))

/** The parser of node-ipc, to derive from. */
export const GuardedParser: typeof Parser = Guarded

export function makeIpc(): Module {
  const list = hideInterfaces()
  try {
    return new IPCModule()
  } finally {
    list.show()
  }
}

async function withoutInterfaces<T>(work: () => Promise<T>): Promise<T> {
  const list = hideInterfaces()
  try {
    return await work()
  } finally {
    list.show()
  }
}

/** node-ipc takes the function from this object at each call, so no file of the package needs a change. */
function hideInterfaces(): { show(): void } {
  const { networkInterfaces } = os
  os.networkInterfaces = () => ({})
  return { show: () => void (os.networkInterfaces = networkInterfaces) }
}
