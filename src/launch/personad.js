#!/usr/bin/env node
// Starts the daemon. This file must parse on old versions of Node, or they could not say what is wrong.
import { launch } from './launch.js'

await launch('personad', 'daemon/main', { cache: false })
