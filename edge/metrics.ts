import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From a quick read to the time limits. */
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What Prometheus is told. `code_path` is one of the 18, or `other`. */
export type EdgeMetrics = ReturnType<typeof createMetrics>;

/** Makes the metrics of one gateway. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const way = ['code_path', 'upstream'] as const;
  return {
    registry,
    requests: new Counter({
      name: 'edge_requests_total',
      help: 'Requests that were given to an upstream, by the status of the answer; none for a client that left',
      labelNames: [...way, 'status'],
      registers,
    }),
    failures: new Counter({
      name: 'edge_upstream_failures_total',
      help: 'Requests that an upstream did not answer to the end: refused, timeout, broken',
      labelNames: [...way, 'failure'],
      registers,
    }),
    duration: new Histogram({
      name: 'edge_request_duration_seconds',
      help: 'From the request to the end of its answer',
      labelNames: way,
      buckets: BUCKETS_SECONDS,
      registers,
    }),
    flagSourceUsable: new Gauge({
      name: 'edge_flag_source_usable',
      help: '1 while flags can be asked; 0 while everything goes to legacy because they cannot',
      registers,
    }),
    flagFailures: new Counter({
      name: 'edge_flag_failures_total',
      help: 'Requests that went to legacy because their flag could not be asked',
      labelNames: ['code_path'],
      registers,
    }),
    userFailures: new Counter({
      name: 'edge_user_failures_total',
      help: 'Requests that went to legacy because the database could not say whose token it is',
      registers,
    }),
    rejectedTokens: new Counter({
      name: 'edge_refused_tokens_total',
      help: 'Requests that were answered 429 because too many unknown tokens came from their address',
      registers,
    }),
    shadows: new Counter({
      name: 'edge_shadow_comparisons_total',
      help: 'Reads that were sampled: equal, different, or not compared (busy, too_large, failed)',
      labelNames: ['code_path', 'outcome'],
      registers,
    }),
  };
}
