import { defineConfig } from "vitest/config";

// No test waits for time; the limit is for a slow machine. A test that needs a document says so in its first line: // @vitest-environment happy-dom
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: {
    include: ["js/tests/**/*.test.{ts,tsx}"],
    environment: "node",
    restoreMocks: true,
    testTimeout: 60_000,
  },
});
