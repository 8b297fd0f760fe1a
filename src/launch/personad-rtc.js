#!/usr/bin/env node
// Starts personad-rtc. Old versions of Node must be able to parse this file. Otherwise they could not print a clear error.
import { launch } from './launch.js'

await launch('personad-rtc', 'rtcnode/main', { cache: false })
