// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { hostTheme } from "../components/ui/theme.ts";

const { documentElement: html, body } = document;

afterEach(() => {
  for (const element of [html, body]) {
    for (const { name } of [...element.attributes]) element.removeAttribute(name);
  }
});

test.each([
  ["JupyterLab light", body, "data-jp-theme-light", "true", { host: "jupyter", scheme: "light" }],
  ["JupyterLab dark", body, "data-jp-theme-light", "false", { host: "jupyter", scheme: "dark" }],
  ["VS Code dark", body, "data-vscode-theme-kind", "vscode-dark", { host: "vscode", scheme: "dark" }],
  ["VS Code light", body, "data-vscode-theme-kind", "vscode-light", { host: "vscode", scheme: "light" }],
  [
    "VS Code high contrast",
    body,
    "data-vscode-theme-kind",
    "vscode-high-contrast",
    { host: "vscode", scheme: "dark" },
  ],
  [
    "VS Code light high contrast",
    body,
    "data-vscode-theme-kind",
    "vscode-high-contrast-light",
    { host: "vscode", scheme: "light" },
  ],
  ["Colab dark", html, "theme", "dark", { host: "colab", scheme: "dark" }],
  ["marimo dark", body, "class", "dark dark-theme", { host: "marimo", scheme: "dark" }],
  ["marimo light", body, "class", "light", { host: "marimo", scheme: "light" }],
])("the lens follows %s", (_, element, attribute, value, theme) => {
  element.setAttribute(attribute, value);
  expect(hostTheme(document)).toEqual(theme);
});

test("where the host says nothing, the system's preference decides", () => {
  expect(hostTheme(document)).toEqual({ host: undefined, scheme: undefined });
});
