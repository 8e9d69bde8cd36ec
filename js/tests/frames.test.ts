import { expect, test } from "vitest";
import { OncePerFrame } from "../preview/frames.ts";
import { PlayedSchedule } from "./play.ts";

test("work that is requested again before the repaint is done before a component that heard of the first paints", () => {
  const schedule = new PlayedSchedule();
  const order: string[] = [];
  const once = new OncePerFrame(schedule, () => {
    order.push("work");
    // A component paints once in the coming frame, however often it is notified.
    if (order.filter((what) => what === "work").length === 1) schedule.frame(() => order.push("paint"));
  });
  once.request();
  once.request();
  once.request();
  schedule.repaint();
  expect(order).toEqual(["work", "work", "paint"]);
});

test("after a quiet repaint a request is worked at once again", () => {
  const schedule = new PlayedSchedule();
  let count = 0;
  const once = new OncePerFrame(schedule, () => count++);
  once.request();
  schedule.repaint();
  schedule.repaint();
  expect(count).toBe(1);
  once.request();
  expect(count).toBe(2);
});

test("what is put off waits for the next frame", () => {
  const schedule = new PlayedSchedule();
  let count = 0;
  const once = new OncePerFrame(schedule, () => {
    count++;
    if (count < 3) once.later();
  });
  once.request();
  expect(count).toBe(1);
  schedule.repaint();
  expect(count).toBe(2);
  schedule.repaint();
  schedule.repaint();
  expect(count).toBe(3);
});
