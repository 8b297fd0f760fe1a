/** The compressor that core is handed: raw DEFLATE with a preset dictionary, by fflate (docs/decisions/). Reading needs the strict inflater of core. */
import { deflateSync } from 'fflate'
import type { Compress } from '../core/table.ts'

/** The smallest that fflate makes of it; a document has at most 2048 bytes, so effort costs nothing. */
export const compress: Compress = (document, dictionary) => deflateSync(document, { level: 9, dictionary })
