import { beforeEach, expect, test, vi } from "vitest";
import { SHARED_TRAITS, type Traits } from "../protocol/records.ts";
import type { Request } from "../protocol/requests.ts";
import { SHARED_NAMES, SharedTraits } from "../state/shared-traits.ts";
import { FakeModel } from "./fake-model.ts";

let model: FakeModel;
const queue: { unanswered: Request[] } = { unanswered: [] };

beforeEach(() => {
  queue.unanswered = [];
  vi.spyOn(console, "warn").mockImplementation(() => {});
  model = new FakeModel({ cmap: "gray", selected: 2, stage: "activation", pixel: [1, 2] } as Traits);
});

test("a trait that a saved state lacks has its default", () => {
  const traits = new SharedTraits(model.afm, queue);
  expect(traits.signal("cmap").value).toBe("gray");
  expect(traits.signal("pixel").value).toEqual([1, 2]);
  expect(traits.signal("value_range").value).toBe("per_map");
  expect(traits.signal("layer_path").value).toBe("");
});

test("a value that the trait cannot have, as a jslink may set it, leaves what is shown and is logged", () => {
  const traits = new SharedTraits(model.afm, queue);
  model.receiveTraits({ selected: 1.5 });
  traits.read("selected");
  expect(traits.signal("selected").value).toBe(2);
  expect(console.warn).toHaveBeenCalledWith(
    expect.stringContaining("selected: expected a whole number, got 1.5"),
  );
  model.receiveTraits({ selected: 3 });
  traits.read("selected");
  expect(traits.signal("selected").value).toBe(3);
});

test("what a person chose is shown until Python answers, and a refusal brings back what Python had", () => {
  const traits = new SharedTraits(model.afm, queue);
  const request = traits.choose("cmap", "magma");
  queue.unanswered = [request];
  expect(traits.signal("cmap").value).toBe("magma");
  model.traits.cmap = "copper";
  traits.read("cmap");
  expect(traits.signal("cmap").value).toBe("magma");
  queue.unanswered = [];
  traits.answered("cmap", "magma", false);
  expect(traits.signal("cmap").value).toBe("copper");
});

test("every default passes its own check", () => {
  for (const name of SHARED_NAMES) {
    const { check, fallback } = SHARED_TRAITS[name];
    expect(check(fallback, name)).toEqual(fallback);
  }
});
