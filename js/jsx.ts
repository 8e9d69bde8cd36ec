/** What JSX becomes in the bundle (build.mjs): shorter than the automatic runtime's calls, and the same elements. */
export { createElement, Fragment } from "preact";
