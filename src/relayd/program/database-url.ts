/** URLs of PostgreSQL databases, as a configuration and a command line name them. Both may be read by others, so neither has a password. */

const MAX_CHARS = 1000 // sanity: a path of a socket with options

/** Stands in a refusal before "in this one" and what is wrong. */
export const DATABASE_URL = 'the URL of a database, such as postgres://relay@db.example/relay'

/** @returns what is wrong with the URL; null for one that can be used. It never has a part of the URL, which may be a password */
export function databaseUrlProblem(value: string): string | null {
  if (!/^postgres(ql)?:\/\//.test(value)) return 'the beginning is not postgres://'
  if (value.length > MAX_CHARS) return `there are more than ${MAX_CHARS} characters`
  // A socket has no host, which a URL of the web must have.
  const url = value.replace(/^(postgres(?:ql)?:\/\/[^/?#]*@)(?=[/?#]|$)/, '$1localhost')
  const parsed = URL.canParse(url) ? new URL(url) : null
  // Where it cannot be parsed, a password may be the reason: it then reaches beyond the first slash.
  const [, user = '', host = ''] =
    (parsed === null ? /^[^:]*:\/\/(?:(.*)@)?([^/?#]*)/ : /^[^:]*:\/\/(?:([^/?#]*)@)?([^/?#]*)/).exec(url) ?? []
  if (user.includes(':') || parsed?.searchParams.has('password') === true)
    return 'there is a password, which others may read: put it into the file that PGPASSFILE names'
  if (host.includes(',')) return 'there are several hosts: name one'
  const port = /:([^:\]]*)$/.exec(host)?.[1]
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) < 65_536))
    return 'the port is no number from 1 to 65535'
  if (value.includes('#')) return 'there is a "#": write %23'
  if (/%(?![0-9a-f]{2})/i.test(value)) return 'there is a "%" without two digits of hex after it: write %25'
  return parsed === null ? 'the host is no name and no address' : null
}
