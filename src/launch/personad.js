#!/usr/bin/env node
// Starts the daemon. Old versions of Node must be able to parse this file. Otherwise they could not print a clear error.
import process from 'node:process'
import { launch } from './launch.js'

// The default action would end the daemon while it still loads. It reads the configuration later in any case.
process.on('SIGHUP', () => {})
await launch('personad', 'daemon/main', { cache: false })
