import { defineConfig } from "vitest/config";

// A test that needs a document says so in its first line: // @vitest-environment happy-dom
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: { include: ["js/tests/**/*.test.{ts,tsx}"], environment: "node", restoreMocks: true },
});
