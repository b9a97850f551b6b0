import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

type Colors = Readonly<Record<string, string>>;

function colorsOf(css: string): Colors {
  return Object.fromEntries([...css.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/gu)].map(([, name, color]) => [name, color]));
}

const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");
const [day = "", night = ""] = css.split("@media (prefers-color-scheme: dark)");

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const PAIRS = [
  ["ink", "bg"],
  ["ink", "card"],
  ["ink", "soft"],
  ["ink-quiet", "bg"],
  ["ink-quiet", "card"],
  ["ink-quiet", "soft"],
  ["accent", "card"],
  ["accent", "soft"],
  ["accent", "soft-hover"],
  ["on-accent", "accent"],
  ["on-accent", "accent-hover"],
  ["warn", "warn-soft"],
  ["bad", "bad-soft"],
  ["calm", "calm-soft"],
  ["on-strip", "strip"],
] as const;

describe.each([
  ["by day", colorsOf(day)],
  ["by night", colorsOf(night)],
])("%s", (_when, colors) => {
  test.each(PAIRS)("%s on %s reaches WCAG AA", (text, ground) => {
    expect(contrast(colors[text] ?? "", colors[ground] ?? "")).toBeGreaterThanOrEqual(4.5);
  });
});
