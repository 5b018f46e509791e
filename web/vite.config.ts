import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// For `npx vite` beside a `boatswain serve`.
const proxy = { "/loki": "http://127.0.0.1:3100", "/boatswain": "http://127.0.0.1:3100" };

// Of a comment in a package that the bundler would have elsewhere, nobody can do anything here.
const quiet: Plugin = { name: "quiet", onLog: (_, log) => log.code !== "INVALID_ANNOTATION" && null };

export default defineConfig({
    plugins: [svelte(), quiet],
    build: {
        target: "es2022",
        // Nothing inside the page itself: its content security policy allows no inline script, style or data.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
        // All that is loaded later is of the end-to-end mode; src/page knows its files by these names.
        rollupOptions: { output: { chunkFileNames: "assets/sealed-[name]-[hash].js" } },
    },
    worker: {
        format: "es",
        plugins: () => [quiet],
        rollupOptions: {
            output: {
                entryFileNames: "assets/sealed-worker-[name]-[hash].js",
                chunkFileNames: "assets/sealed-worker-[name]-[hash].js",
            },
        },
    },
    server: { proxy },
    preview: { proxy },
    test: { include: ["src/**/*.test.ts"] },
});
