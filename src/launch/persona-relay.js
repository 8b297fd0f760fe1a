#!/usr/bin/env node
// Starts the relay. Old versions of Node must be able to parse this file. Otherwise they could not print a clear error.
import process from 'node:process'
import { launch } from './launch.js'

// The default action would end the relay while it still loads. It reads the configuration later in any case.
process.on('SIGHUP', () => {})
await launch('persona-relay', 'relayd/main', { cache: false })
