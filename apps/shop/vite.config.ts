import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname + "/web",
  plugins: [react()],
  // The SDK is taken from its sources, so that building the shop does not need a built SDK.
  resolve: { conditions: ["source", ...defaultClientConditions] },
  build: { outDir: import.meta.dirname + "/dist", emptyOutDir: true, sourcemap: false },
  server: { proxy: { "/api": `http://127.0.0.1:${process.env["SHOP_PORT"] ?? 8070}` } },
});
