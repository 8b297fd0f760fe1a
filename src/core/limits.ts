/** Every number of the format and of the order, each with its reason (docs/format.md). "format" marks numbers on which all readers must agree. */

export const MAX_STATUS_BYTES = 1006 // format: at 1007 toxic 0.11 writes its NUL one byte past the buffer, on every contact who runs it
export const TOKEN_PREFIX = 'persona:' // format: start of every token
export const MIN_TOKEN_CHARS = 208 // format: base64url of the shortest blob; fewer characters are words
export const SHORT_CHARS = 91 // format: of a short status after the prefix; base64url of 68 bytes
export const MAX_TOKEN_CHARS: number = MAX_STATUS_BYTES - TOKEN_PREFIX.length // format: 998, a status message of only the token
export const MAX_BLOB_BYTES: number = Math.floor((MAX_TOKEN_CHARS * 6) / 8) // format: 748

export const MAX_EPOCH = 16 // format: the seed gives K_0 .. K_16; enough for a rotation a year, and all h_i must fit
export const MAX_DEVICES = 20 // format: the most that 748 bytes could hold; the size limit refuses earlier
export const MAX_SEQ = 0xffff_ffff // format: u32
export const MAX_SEQ_STEP = 65_536 // format: a larger jump is held, so that a thief cannot use up all seqs at once (docs/format.md, section 8)
export const MAX_DOCUMENT_BYTES = 2048 // format: of inflated YAML; fits 20 nicknames of 64 bytes, quotes and unknown keys; stops a decompression bomb
export const MAX_NICKNAME_CODE_POINTS = 32 // format: fits one line of a list
export const MAX_NICKNAME_BYTES = 64 // format: UTF-8 of the above, so that 20 names fit a document
export const MAX_CLOCK_AHEAD_SEC: number = 2 * 3600 // format: a blob dated further ahead is reported, and its time refreshes nothing
