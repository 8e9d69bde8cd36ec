/** Line icons on a 16 × 16 grid. They are decoration: the element around them carries the name. */

const PATHS = {
  undo: "M6 3 2.5 6.5 6 10M3 6.5h6a4 4 0 0 1 0 8H6.5",
  redo: "m10 3 3.5 3.5L10 10M13 6.5H7a4 4 0 0 0 0 8h2.5",
  reset: "M3.2 9.5a5 5 0 1 0 .9-5L2.5 6M2.5 2.5V6H6",
  compare: "M8 1.5v13M6 3.5H2.5v9H6M10 3.5h3.5v9H10",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M1.5 3h13v10h-13V3ZM4.5 6h7v4h-7V6Z",
  full: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  help: "M5.8 6a2.2 2.2 0 1 1 3.3 1.9C8.3 8.4 8 8.8 8 9.6M8 12.2v.1M14.5 8a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0Z",
  close: "m4 4 8 8M12 4l-8 8",
  check: "m3 8.5 3.2 3.2L13 5",
  approx: "M2.5 6.5c2-2.4 3.7-2.4 5.5-1s3.5 1.4 5.5-1M2.5 11.5c2-2.4 3.7-2.4 5.5-1s3.5 1.4 5.5-1",
  clock: "M8 4.5V8l2.5 1.5M14.5 8a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0Z",
  warn: "M8 6v3.5M8 11.7v.1M8 1.8 15 14H1L8 1.8Z",
  unlink:
    "M6.5 9.5 4.8 11.2a2.3 2.3 0 0 1-3.3-3.3l2.2-2.2M9.5 6.5l1.7-1.7a2.3 2.3 0 0 1 3.3 3.3l-2.2 2.2M3 2.5l10 11",
  first: "M3.5 3v10M13 3 6.5 8l6.5 5V3Z",
  back: "M11.5 3 5 8l6.5 5V3Z",
  play: "m4.5 2.5 9 5.5-9 5.5v-11Z",
  pause: "M5 3v10M11 3v10",
  forward: "M4.5 3 11 8l-6.5 5V3Z",
  sliders: "M2.5 4.5h6M12 4.5h1.5M10.2 2.5v4M2.5 11.5H4M7.5 11.5h6M5.7 9.5v4",
  larger: "M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9",
  smaller: "M13 7H9V3M9 7l4.5-4.5M3 9h4v4M7 9l-4.5 4.5",
  picture: "M2 2.5h12v11H2v-11ZM2 11l3.5-3.5L9 11l2-2 3 3M11 5.5v.1",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
