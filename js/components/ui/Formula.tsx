/**
 * MathML from one line of text: names and numbers as they are, `{a/b}` a fraction, `{a}` a group, `a ^ b` and `a _ b` a
 * superscript and a subscript, `"words"` text; everything else is an operator.
 */
import type { VNode } from "preact";

const TOKEN = /"[^"]*"|[\d.]+(?:e[−\d]+)?|\p{L}+′?|\S/gu;
/** Variables that are lengths of an axis. */
const AXES: Record<string, string> = { rows: "rows", kh: "rows", cols: "cols", kw: "cols" };

export function Formula({ of }: { of: string }) {
  return <math>{parse(of)}</math>;
}

function parse(text: string): VNode[] {
  const tokens = text.match(TOKEN) ?? [];
  let at = 0;

  const row = (): VNode[] => {
    const items: VNode[] = [];
    while (at < tokens.length && tokens[at] !== "}" && tokens[at] !== "/") {
      const token = tokens[at] as string;
      if (token === "^" || token === "_") {
        const last = tokens[at - 1];
        at++;
        const base = items.pop();
        const written = atom();
        // As high as a tall letter: without a font for mathematics, low letters would sit on the line.
        const script =
          token === "_" ? (
            <mrow>
              {written}
              <mspace height="0.8em" />
            </mrow>
          ) : (
            written
          );
        const primed = token === "_" && typeof last === "string" && last.endsWith("′");
        items.push(
          primed ? (
            // The prime above the subscript: a prime after the letter leaves the subscript on the line.
            <msubsup>
              <mi>{last.slice(0, -1)}</mi>
              {script}
              <mo>′</mo>
            </msubsup>
          ) : token === "^" ? (
            <msup>
              {base}
              {script}
            </msup>
          ) : (
            <msub>
              {base}
              {script}
            </msub>
          ),
        );
      } else items.push(atom());
    }
    return items;
  };

  const atom = (): VNode => {
    const token = tokens[at++] ?? "";
    if (token === "{") {
      const above = <mrow>{row()}</mrow>;
      const fraction = tokens[at++] === "/";
      if (!fraction) return above;
      const below = <mrow>{row()}</mrow>;
      at++;
      return (
        <mfrac>
          {above}
          {below}
        </mfrac>
      );
    }
    if (token.startsWith('"')) return <mtext>{token.slice(1, -1).replaceAll(" ", "\u00a0")}</mtext>;
    if (/^[\d.]/.test(token)) return <mn>{token}</mn>;
    if (/^\p{L}/u.test(token)) return <mi data-axis={AXES[token.replace("′", "")]}>{token}</mi>;
    // As text, brackets are one line high; as operators, Chromium's fallback font makes them twice that.
    return /[()]/.test(token) ? <mtext>{token}</mtext> : <mo>{token}</mo>;
  };

  return row();
}
