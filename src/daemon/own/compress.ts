/** The compressor that core is handed: raw DEFLATE with a preset dictionary, by fflate. Reading needs the strict inflater of core. */
import { deflateSync } from 'fflate'
import type { Compress } from '../../core/table.ts'

// With far matches to choose from, fflate sometimes spends more on distances than they save.
const SUFFIX_BYTES = 36

/**
 * The shorter of two: with the whole dictionary, and with only its end. Distances count from the end, so that both inflate with the
 * whole one. Measured on 15 random names of 8 letters: 2 bytes shorter on average, and never at the limit.
 */
export const compress: Compress = (document, dictionary) => {
  const streams = [dictionary, dictionary.subarray(-SUFFIX_BYTES)].map((preset) =>
    deflateSync(document, { level: 9, dictionary: preset }),
  )
  return streams.reduce((shortest, stream) => (stream.length < shortest.length ? stream : shortest))
}
