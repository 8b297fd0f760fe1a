/** The daemon's log on stderr: JSON lines for the journal, plain lines for a terminal. Nothing gets in by accident. */
import { fstatSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { createLogger, format, transports } from 'winston'
import { Stderr } from './stderr.ts'

/**
 * Fields of a record: plain values only, so that no object can bring a key along. `message` is a sentence for people.
 * The three names that every record has are reserved.
 */
export interface LogFields {
  readonly [name: string]: string | number | boolean | undefined
  readonly message?: string
  readonly time?: never
  readonly level?: never
  readonly event?: never
}

/** Writes records. `event` is a stable dotted name such as `daemon.ready`. No method throws. */
export interface Log {
  error(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  debug(event: string, fields?: LogFields): void
  setLevel(level: LogLevel): void
}

export interface LogOptions {
  readonly level: LogLevel
  /** stderr by default. */
  readonly stream?: Writable
  /** `auto`: plain on a terminal, journal if stderr is the journal's socket, else JSON. */
  readonly form?: LogForm | 'auto'
  readonly now?: () => Date
}

export type LogForm = 'plain' | 'json' | 'journal'

const MAX_FIELD_CHARS = 1024 // sanity: long enough for most paths; a hostile text cannot flood the log

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 }

const SYSLOG_PRIORITY: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 }

// Characters that move a cursor, change text direction, are invisible, or end a line for some reader.
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

interface LogRecord {
  readonly time: string
  readonly level: LogLevel
  readonly event: string
  readonly [name: string]: string | number | boolean
}

/**
 * Opens the log. If its stream fails, as stderr does when its reader is gone, the log falls silent and nothing else
 * stops.
 */
export function openLog(options: LogOptions): Log {
  const stream = options.stream ?? new Stderr()
  const now = options.now ?? ((): Date => new Date())
  const form = options.form === undefined || options.form === 'auto' ? formOf(stream) : options.form
  // Without a listener EPIPE would end the daemon. Later writes fail the same way, silently.
  stream.on('error', () => undefined)
  const logger = createLogger({
    level: options.level,
    levels: { ...LEVELS },
    format: format.printf((info) => formatRecord(info.record as LogRecord, form)),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  })
  const write = (level: LogLevel, event: string, fields: LogFields = {}): void => {
    if (!logger.isLevelEnabled(level)) return
    logger.log({ level, message: '', record: makeRecord(now().toISOString(), level, event, fields) })
  }
  return {
    error: (event, fields) => write('error', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    info: (event, fields) => write('info', event, fields),
    debug: (event, fields) => write('debug', event, fields),
    setLevel: (level) => {
      logger.level = level
    },
  }
}

/** Replaces every character that a terminal or a line reader could act on by its JSON escape. */
export function escapeUnprintable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    let escaped = ''
    for (let i = 0; i < character.length; i++) escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
    return escaped
  })
}

function makeRecord(time: string, level: LogLevel, event: string, fields: LogFields): LogRecord {
  const record: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) record[name] = plainValue(value)
  }
  return { ...record, time, level, event }
}

/** The types already ensure this; the check catches values that came through a cast. */
function plainValue(value: unknown): string | number | boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value !== 'string') return `[${typeof value}, not logged]`
  return value.length <= MAX_FIELD_CHARS ? value : `${value.slice(0, MAX_FIELD_CHARS)}...`
}

function formatRecord(record: LogRecord, form: LogForm): string {
  const { time, level, event, message, ...fields } = record
  if (form !== 'plain') {
    const line = escapeUnprintable(JSON.stringify({ time, level, event, message, ...fields }))
    return form === 'journal' ? `<${SYSLOG_PRIORITY[level]}>${line}` : line
  }
  const label = level === 'info' ? '' : `${level}: `
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${quoteWhereNeeded(String(value))}`)
  return escapeUnprintable([`${time.slice(11, 19)} ${label}${String(message ?? event)}`, ...pairs].join('  '))
}

function quoteWhereNeeded(value: string): string {
  return /^[^\s"'=]+$/.test(value) ? value : JSON.stringify(value)
}

function formOf(stream: Writable): LogForm {
  if ('isTTY' in stream && stream.isTTY === true) return 'plain'
  return 'fd' in stream && typeof stream.fd === 'number' && isJournal(stream.fd) ? 'journal' : 'json'
}

/**
 * $JOURNAL_STREAM names the socket that the service manager opened. A redirected stderr is a different file
 * (systemd.exec(5)).
 */
function isJournal(fd: number): boolean {
  try {
    const { dev, ino } = fstatSync(fd)
    return process.env.JOURNAL_STREAM === `${dev}:${ino}`
  } catch {
    return false
  }
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'
