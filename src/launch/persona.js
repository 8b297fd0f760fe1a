#!/usr/bin/env node
// Starts the command line. This file must parse on old versions of Node, or they could not say what is wrong.
import { launch } from './launch.js'

await launch('persona', 'cli/main', { cache: true })
