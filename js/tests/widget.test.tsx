// @vitest-environment happy-dom
import type { AnyModel } from "@anywidget/types";
import { describe, expect, test } from "vitest";
import type { Traits } from "../protocol/records.ts";
import widget from "../widget.tsx";
import { fixture } from "./fake-host.ts";
import type { FakeModel } from "./fake-model.ts";

/** What anywidget passes: another object at every call, with the same model behind it. */
function proxy(model: FakeModel): AnyModel<Traits> {
  return {
    get: model.get.bind(model),
    set: model.set.bind(model),
    on: model.on.bind(model),
    off: model.off.bind(model),
    send: model.send.bind(model),
    save_changes: model.save_changes.bind(model),
  } as unknown as AnyModel<Traits>;
}

const hellos = (model: FakeModel) => model.sent.filter(({ content }) => content.type === "hello").length;
/** Titles of the cards. */
const titles = (el: Element) => [...el.querySelectorAll("input")].map(({ value }) => value);
const view = () => document.body.appendChild(document.createElement("div"));

describe("the widget in a host", () => {
  test("says hello once, however many views there are and however often they are drawn", () => {
    const { model } = fixture();
    const close = widget.initialize({ model: proxy(model) });
    const [one, two] = [view(), view()];
    const remove = [one, one, two].map((el) => widget.render({ model: proxy(model), el }));
    expect(hellos(model)).toBe(1);
    expect(titles(one)).toContain("Filter 1");
    expect(titles(two)).toContain("Filter 1");
    for (const end of remove) end();
    expect(one.childNodes).toHaveLength(0);
    close();
    expect(model.listeners()).toBe(0);
  });

  test("does not wait for the kernel", () => {
    const { model } = fixture();
    const closed: unknown = widget.initialize({ model: proxy(model) });
    expect(closed).toBeTypeOf("function");
    expect(hellos(model)).toBe(1);
  });

  test("keeps its lens when Python replaces the state between two views", () => {
    const { model, python } = fixture();
    widget.initialize({ model: proxy(model) });
    python.pump();
    model.receiveTraits({ _state: { ...model.get("_state") } });
    widget.render({ model: proxy(model), el: view() });
    expect(hellos(model)).toBe(1);
  });

  test("works where a host never calls initialize, and lets go with the view", () => {
    const { model } = fixture();
    const el = view();
    const remove = widget.render({ model: proxy(model), el });
    expect(titles(el)).toContain("Filter 1");
    remove();
    expect(model.listeners()).toBe(0);
  });

  test("of two models on one page, which share the module, stay apart", () => {
    const [a, b] = [fixture(), fixture({ kernels: [new Float32Array(16)] })];
    for (const { model } of [a, b]) widget.initialize({ model: proxy(model) });
    const [one, two] = [view(), view()];
    widget.render({ model: proxy(a.model), el: one });
    widget.render({ model: proxy(b.model), el: two });
    expect(titles(one)).toContain("Filter 4");
    expect(titles(two)).not.toContain("Filter 4");
  });

  test("knows a view that its host marks as disconnected", () => {
    const { model } = fixture();
    model.deliver = () => {};
    widget.initialize({ model: proxy(model) });
    const outer = view();
    outer.className = "jupyter-widgets-disconnected";
    const el = outer.appendChild(document.createElement("div"));
    widget.render({ model: proxy(model), el });
    expect(el.textContent).toMatch(/not connected|no kernel|offline/i);
  });
});
