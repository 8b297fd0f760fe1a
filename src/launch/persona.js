#!/usr/bin/env node
// Starts the command line. Old versions of Node must be able to parse this file. Otherwise they could not print a clear error.
import { launch } from './launch.js'

await launch('persona', 'cli/main', { cache: true })
