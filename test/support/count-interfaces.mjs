// Preloaded into a daemon: says on stderr when something lists the network interfaces.
import os from 'node:os'

const { networkInterfaces } = os
os.networkInterfaces = () => {
  process.stderr.write('"interfaces.listed"\n')
  return networkInterfaces()
}
if (process.env['LIST_INTERFACES'] !== undefined) os.networkInterfaces()
