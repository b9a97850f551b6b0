import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { precompress } from "./precompress.ts";

/** The hub serves `dist` at /checkout-assets/ and its index.html at /pay/{token}, under a policy without inline code or data: addresses. */
export default defineConfig({
  base: "/checkout-assets/",
  plugins: [react(), precompress()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    // One script, one style sheet: nothing is left to preload.
    modulePreload: false,
    cssCodeSplit: false,
  },
});
