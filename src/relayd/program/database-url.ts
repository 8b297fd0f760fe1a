/** URLs of PostgreSQL databases. */

const MAX_CHARS = 1000 // sanity: a list of hosts with options

/** A configuration and a command line may be read by everybody, so a password has a place of its own (PGPASSFILE). @returns null for any other text */
export function parseDatabaseUrl(value: string): string | null {
  // A socket has no host, which a URL of the web must have.
  const url = value.replace(/^(postgres(?:ql)?:\/\/[^/?#]*@)(?=[/?#]|$)/, '$1localhost')
  if (value.length > MAX_CHARS || !/^postgres(ql)?:\/\//.test(value) || !URL.canParse(url)) return null
  const { password, searchParams, hash } = new URL(url)
  return password === '' && !searchParams.has('password') && hash === '' ? value : null
}
