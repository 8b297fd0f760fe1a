#!/usr/bin/env node
// Starts the daemon. Old versions of Node must be able to parse this file. Otherwise they could not print a clear error.
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { launch } from './launch.js'

// The default action would end the daemon while it still loads. It reads the configuration later in any case.
process.on('SIGHUP', () => {})
// The young heap stays at its first megabyte. Otherwise it grows while the program loads and at each larger piece of work, and the daemon keeps its
// memory. Node does not start with a flag that a later V8 lacks, so it is set here.
setFlagsFromString('--semi-space-growth-factor=1')
await launch('personad', 'daemon/main', { cache: false })
