import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const TEXT = /\.(html|js|css|svg)$/;
/** Smaller ones fit into one packet anyway. */
const WORTH_IT_BYTES = 500;

/** Writes `….gz` and `….br` beside each text of the build, as small as they get: the hub sends them as they are and compresses nothing itself. */
export function precompress(): Plugin {
  return {
    name: "lunas-precompress",
    apply: "build",
    enforce: "post",
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle).filter((file) => TEXT.test(file))) {
        const file = join(dir!, name);
        const bytes = readFileSync(file);
        if (bytes.length < WORTH_IT_BYTES) continue;
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
      }
    },
  };
}
