import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// For `npx vite` beside a `boatswain serve`.
const proxy = { "/loki": "http://127.0.0.1:3100" };

export default defineConfig({
    plugins: [svelte()],
    build: {
        target: "es2022",
        // Nothing inside the page itself: its content security policy allows no inline script, style or data.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
    },
    server: { proxy },
    preview: { proxy },
    test: { include: ["src/**/*.test.ts"] },
});
