/** Which theme the host shows. Read in script, because a style sheet inside a shadow root cannot see the page's body. */
import { useEffect, useState } from "preact/hooks";

export interface HostTheme {
  host: "jupyter" | "vscode" | "colab" | "marimo" | undefined;
  /** Undefined where the host does not say: the system's preference decides. */
  scheme: "light" | "dark" | undefined;
}

/** The attributes that hosts mark their theme with, on <html> and <body>. */
const MARKS = ["class", "theme", "data-theme", "data-jp-theme-light", "data-vscode-theme-kind"];

export function hostTheme({ documentElement: html, body }: Document): HostTheme {
  const scheme = (dark: boolean) => (dark ? "dark" : "light");
  const jupyter = body.getAttribute("data-jp-theme-light");
  if (jupyter) return { host: "jupyter", scheme: scheme(jupyter === "false") };
  const vscode = body.getAttribute("data-vscode-theme-kind");
  if (vscode) return { host: "vscode", scheme: scheme(!vscode.endsWith("light")) };
  const colab = html.getAttribute("theme");
  if (colab) return { host: "colab", scheme: scheme(colab === "dark") };
  if (body.matches(".dark, .light")) return { host: "marimo", scheme: scheme(body.matches(".dark")) };
  const marked = html.getAttribute("data-theme");
  // A page of documentation that lets its reader choose.
  if (marked === "dark" || marked === "light") return { host: undefined, scheme: marked };
  return { host: undefined, scheme: undefined };
}

export function useHostTheme(): HostTheme {
  const [theme, setTheme] = useState(() => hostTheme(document));
  useEffect(() => {
    const read = () =>
      setTheme((last) => {
        const next = hostTheme(document);
        return next.host === last.host && next.scheme === last.scheme ? last : next;
      });
    const observer = new MutationObserver(read);
    const options = { attributes: true, attributeFilter: MARKS };
    observer.observe(document.documentElement, options);
    observer.observe(document.body, options);
    read();
    return () => observer.disconnect();
  }, []);
  return theme;
}
