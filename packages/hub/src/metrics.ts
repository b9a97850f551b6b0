import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "@prometheus-io/client";
import type { Metrics } from "./hub.ts";

interface CounterSpec {
  readonly help: string;
  readonly labels: readonly string[];
}

/** Every counter of the hub. One that is not listed is made when it is first met: counting never fails what is counted. */
const COUNTERS: Readonly<Record<string, CounterSpec>> = {
  lunas_callbacks_total: { help: "Callbacks by what they were answered.", labels: ["outcome", "provider"] },
  lunas_notifications_parked_total: { help: "Notifications about references that no payment had.", labels: [] },
  lunas_answers_total: { help: "Answers of gateways by what they came to.", labels: ["operation", "certainty", "verdict"] },
  lunas_delivery_attempts_total: { help: "Attempts to deliver events by outcome.", labels: ["outcome", "fault"] },
  lunas_unmatched_money_total: { help: "Money that a gateway collected and no payment has.", labels: [] },
  lunas_swept_total: { help: "Unfinished work that was found without a job.", labels: [] },
};

/** Durations in seconds. */
const HISTOGRAMS: Readonly<Record<string, CounterSpec & { readonly buckets: number[] }>> = {
  lunas_http_request_seconds: {
    help: "Time to answer a request, callbacks not among them.",
    labels: ["method", "route", "status"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
};

/** A value that is looked up when somebody asks, such as the age of the oldest thing that is due. */
export interface GaugeValue {
  readonly name: string;
  readonly help: string;
  readonly value: number;
}

export interface ExposedMetrics extends Metrics {
  readonly content_type: string;
  /** Everything in the text format of Prometheus, with these values beside. */
  render(gauges: readonly GaugeValue[]): Promise<string>;
}

export function isExposed(metrics: Metrics): metrics is ExposedMetrics {
  return "render" in metrics;
}

/** The hub's own registry: two hubs in one process do not share their numbers. */
export function makeMetrics(): ExposedMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counters = new Map<string, { metric: Counter<string>; labels: readonly string[] }>();
  const histograms = new Map<string, { metric: Histogram<string>; labels: readonly string[] }>();
  const gauges = new Map<string, Gauge>();
  const addCounter = (name: string, { help, labels }: CounterSpec) => {
    const made = { metric: new Counter<string>({ name, help, labelNames: [...labels], registers }), labels };
    counters.set(name, made);
    return made;
  };
  const addHistogram = (name: string, { help, labels, buckets }: CounterSpec & { readonly buckets: number[] }) => {
    const made = { metric: new Histogram<string>({ name, help, labelNames: [...labels], buckets, registers }), labels };
    histograms.set(name, made);
    return made;
  };
  for (const [name, spec] of Object.entries(COUNTERS)) addCounter(name, spec);
  for (const [name, spec] of Object.entries(HISTOGRAMS)) addHistogram(name, spec);
  return {
    content_type: registry.contentType,
    count: (name, labels = {}, by = 1) => {
      const known = counters.get(name) ?? addCounter(name, { help: name, labels: Object.keys(labels) });
      known.metric.inc(only(labels, known.labels), by);
    },
    observe: (name, seconds, labels = {}) => {
      const known = histograms.get(name) ?? addHistogram(name, { help: name, labels: Object.keys(labels), buckets: [0.01, 0.1, 1, 10] });
      known.metric.observe(only(labels, known.labels), seconds);
    },
    render: async (values) => {
      for (const { name, help, value } of values) {
        let gauge = gauges.get(name);
        if (!gauge) gauges.set(name, (gauge = new Gauge({ name, help, registers })));
        gauge.set(value);
      }
      return registry.metrics();
    },
  };
}

/** The library refuses a label that was not declared. */
function only(labels: Readonly<Record<string, string>>, known: readonly string[]): Record<string, string> {
  return Object.fromEntries(known.map((label) => [label, labels[label] ?? ""]));
}
